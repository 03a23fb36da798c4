"""Makes films of two people each, of which it is known who speaks, when, and on which side.

    python -m jobs.training_packages --packages FOLDER
    python -m jobs.people_films --packages FOLDER --out DIR [--films 6] [--first 1]

writes the films, a Spanish dub of each, DIR/catalog.csv for `diff2lip plan` and `dub`, and DIR/truth.json. It needs
flite and espeak-ng (Debian packages). The people are stills whose mouths follow the phones of what they say
(`jobs.portrait_clip`), and two real people who never speak; what happens is listed in `jobs.people_shot`.
"""

import argparse
import csv
import io
import json
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from jobs.people_cast import DUB, ORIGINAL, Cast, mixed
from jobs.people_scene import HEIGHT_PX, WIDTH_PX, Actor, background, scene_frames
from jobs.people_shot import PeopleShot, people_shots
from jobs.portrait_clip import FRAME_RATE, write_clip
from jobs.training_speech import SAMPLE_RATE_HZ
from pipelines.media.sound import write_wav
from pipelines.storage import write_whole

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

PLACES = ((360.0, 300.0), (920.0, 300.0))  # of the eyes' middle, from the left
NUDGE_PX = 40.0
UNIT_PX = (62.0, 95.0)  # of the face frame: faces of some 140 to 220 px
CROSSING = (0.35, 0.65)  # share of the shot in which two people pass each other
HUM_HZ, HUM_LEVEL, ROOM_LEVEL = (110.0, 138.6, 164.8), 0.002, 0.001  # music and room tone: the same under film and dub


@dataclass(frozen=True, slots=True)
class PeopleFilm:
    """A film that is to be made."""

    number: int  # from 1
    shots: list[PeopleShot]

    @property
    def title(self) -> str:
        """Of the film, and of its files."""
        return f"people-{self.number}"


def people_films(num_films: int, first: int = 1) -> list[PeopleFilm]:
    """All shots, dealt to so many films; what happens in a film depends on its number, counted from `first`."""
    shots = people_shots()
    return [PeopleFilm(first + place, shots[place::num_films]) for place in range(num_films)]


def make_film(packages: Path, out: Path, film: PeopleFilm) -> dict[str, Any]:
    """Write a film and its dub; returns what is true of it."""
    cast = Cast(packages, film.number)
    truth: list[dict[str, Any]] = []
    scenes: list[tuple[Pixels, list[Actor], int]] = []
    heard: dict[str, list[NDArray[np.float32]]] = {ORIGINAL: [], DUB: []}
    for index, shot in enumerate(film.shots):
        rng, count, pair = np.random.default_rng([film.number, index]), frames_of(shot), cast.pair(index)
        dice = random.Random(f"{film.title}/{index}")
        speech = {language: cast.speak(shot, pair, language, dice) for language in heard}
        paths = actor_paths(shot, count, rng)
        people = [
            Actor(cast.head(shot, who, pair[who], speech[ORIGINAL], rng), path) for who, path in enumerate(paths)
        ]
        scenes.append((background(rng), people, count))
        truth.append(shot_truth(shot, pair, paths))
        for language, parts in heard.items():
            parts.append(mixed(speech[language], shot.length_s))
    frames = (frame for scene in scenes for frame in scene_frames(*scene))
    sound = {language: under(np.concatenate(parts), film.number) for language, parts in heard.items()}
    write_clip(out / f"{film.title}.mp4", frames, sound[ORIGINAL], (WIDTH_PX, HEIGHT_PX))
    write_wav(out / f"{film.title}.{DUB}.wav", sound[DUB], SAMPLE_RATE_HZ)
    return {"title": film.title, "shots": truth}


def frames_of(shot: PeopleShot) -> int:
    """How many frames a shot has."""
    return round(shot.length_s * FRAME_RATE)


def actor_paths(shot: PeopleShot, count: int, rng: np.random.Generator) -> list[Floats]:
    """Of each person [F, 3]: x and y of the eyes' middle, and the size of the face frame's unit, in film pixels."""
    unit_px = rng.uniform(*UNIT_PX)
    ends = [np.array([*(place + rng.uniform(-NUDGE_PX, NUDGE_PX, 2)), unit_px]) for place in np.array(PLACES)]
    paths = [np.repeat(end[None], count, 0) for end in ends[: len(shot.meanwhile)]]
    if shot.crosses:
        share = ((np.arange(count) / count - CROSSING[0]) / (CROSSING[1] - CROSSING[0])).clip(0, 1)[:, None]
        eased = share * share * (3 - 2 * share)
        paths = [ends[0] + eased * (ends[1] - ends[0]), ends[1] + eased * (ends[0] - ends[1])]
    return paths


def shot_truth(shot: PeopleShot, pair: tuple[int, int], paths: list[Floats]) -> dict[str, Any]:
    """What is true of a shot, as JSON."""
    return {
        "kind": shot.kind,
        "num_frames": frames_of(shot),
        "talks_over": shot.talks_over,
        "crosses": shot.crosses,
        "people": [
            {
                "cast": pair[who] if shot.meanwhile[who] != "filmed" else None,
                "meanwhile": str(shot.meanwhile[who]),
                "speaks_s": [[turn.start_s, turn.end_s] for turn in shot.turns if turn.who == who],
                "path": path.round(1).tolist(),
            }
            for who, path in enumerate(paths)
        ],
    }


def under(wave: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """The sound over a hum and the tone of a room."""
    time_s = np.arange(len(wave)) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * hertz * time_s) for hertz in HUM_HZ) * HUM_LEVEL
    room = np.random.default_rng(seed).normal(0, ROOM_LEVEL, len(wave))
    return np.asarray((wave + hum + room).clip(-1, 1), np.float32)


def _make(told: tuple[Path, Path, PeopleFilm]) -> dict[str, Any]:
    torch.set_num_threads(1)  # films are made side by side: more threads wait for each other's cores
    cv2.setNumThreads(1)
    return make_film(*told)


def write_catalog(out: Path, titles: list[str]) -> None:
    """The catalog of films and dubs, for `diff2lip plan` and `dub`."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["film", "language", "dub_mix", "title"])
    lines.writerows([f"{title}.mp4", DUB, f"{title}.{DUB}.wav", title] for title in titles)
    write_whole(out / "catalog.csv", text.getvalue().encode())


def _made(pool: ProcessPoolExecutor, told: list[tuple[Path, Path, PeopleFilm]]) -> Iterator[dict[str, Any]]:
    for count, truth in enumerate(pool.map(_make, told), start=1):
        print(f"{count} of {len(told)}: {truth['title']}, {len(truth['shots'])} shots", flush=True)
        yield truth


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Makes films of two people each, of which it is known who speaks.")
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package archives")
    parser.add_argument("--out", type=Path, required=True, help="where films, dubs, catalog and truth go")
    parser.add_argument("--films", type=int, default=6, help="to which the shots are dealt")
    parser.add_argument("--first", type=int, default=1, help="number of the first film: another gives other people")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    told = [(chosen.packages, chosen.out, film) for film in people_films(chosen.films, chosen.first)]
    # Spawned: a child that is forked after films were read or written hangs.
    with ProcessPoolExecutor(chosen.processes, get_context("spawn")) as pool:
        truth = list(_made(pool, told))
    write_catalog(chosen.out, [film["title"] for film in truth])
    write_whole(chosen.out / "truth.json", json.dumps(truth, indent=1).encode())


if __name__ == "__main__":
    main()
