"""The demo film and its dub: built from declared clips and the takes of this repository, the same bytes every time."""

import json
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.demo_lines import LANGUAGE, LINES, DemoLine
from pipelines.assets import asset_path
from pipelines.media.concat import SAMPLE_RATE_HZ, FilmFormat, Stretch, TimedText, concat
from pipelines.media.sound import read_mono, write_wav
from pipelines.storage import whole_file, write_whole

TITLE = "two-introductions"
FORMAT = FilmFormat(title="Two introductions")
MUSIC_GAIN = 0.35  # the cartoon's music is mastered far louder than the voices

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoShot:
    """One shot of the demo film and what is true of it."""

    asset: str  # the clip
    start_s: Fraction  # in the clip
    num_frames: int
    num_faces: int
    speaks: bool  # somebody who is seen
    about: str
    gain: float = 1.0


SHOTS = (
    DemoShot(
        asset="clip-jwp-intro",
        start_s=Fraction(0),
        num_frames=144,
        num_faces=1,
        speaks=True,
        about="one speaker, facing the camera",
    ),
    DemoShot(
        asset="clip-obama-speech",
        start_s=Fraction(0),
        num_frames=98,
        num_faces=2,
        speaks=True,
        about="two people, of whom the right one speaks",
    ),
    DemoShot(
        asset="clip-face-noface",
        start_s=Fraction(0),
        num_frames=58,
        num_faces=1,
        speaks=False,
        about="a man who smiles and says nothing; the cut at its end goes from a face to none",
    ),
    DemoShot(
        asset="clip-face-noface",
        start_s=Fraction(29, 10),
        num_frames=87,
        num_faces=0,
        speaks=False,
        about="nobody: a drawn sky with a title",
        gain=MUSIC_GAIN,
    ),
    DemoShot(
        asset="clip-test-movie",
        start_s=Fraction(19, 20),
        num_frames=89,
        num_faces=1,
        speaks=True,
        about="one speaker, near the camera",
    ),
    DemoShot(
        asset="clip-wolfgang",
        start_s=Fraction(0),
        num_frames=250,
        num_faces=1,
        speaks=False,
        about="a woman who makes faces, at times behind her hand, and says nothing",
    ),
)
CHAPTERS = ((0, "Two introductions"), (2, "Interlude"), (4, "The lecturer"))  # first shot, title


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoFilm:
    """Where the demo lies and what is true of it."""

    film: Path
    dub: Path  # dialogue stem, mono, as long as the film
    catalog: Path
    language: str  # of the dub
    time_base: Fraction  # of the film's picture
    cut_pts: tuple[int, ...]  # first frame of every shot but the first
    end_pts: int
    shots: tuple[DemoShot, ...]


def build_demo(folder: Path) -> DemoFilm:
    """Write film, dub and catalog into a folder, each whole or not at all.

    Raises:
        AssetUnavailableError: a clip is neither in the cache nor to be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    film, dub, catalog = folder / f"{TITLE}.mp4", folder / f"{TITLE}.{LANGUAGE}.wav", folder / "catalog.csv"
    stretches = [
        Stretch(path=asset_path(shot.asset), start_s=shot.start_s, num_frames=shot.num_frames, gain=shot.gain)
        for shot in SHOTS
    ]
    with whole_file(film) as unfinished:
        time_base = concat(stretches, unfinished, FORMAT, chapters(), subtitles())
    with whole_file(dub) as unfinished:
        write_wav(unfinished, dialogue_stem(), SAMPLE_RATE_HZ)
    write_whole(catalog, f"film,language,dub_stem,title\n{film.name},{LANGUAGE},{dub.name},{TITLE}\n".encode())
    edges_pts = [round(edge / time_base) for edge in shot_edges_s()]
    truth = DemoFilm(
        film=film,
        dub=dub,
        catalog=catalog,
        language=LANGUAGE,
        time_base=time_base,
        cut_pts=tuple(edges_pts[1:-1]),
        end_pts=edges_pts[-1],
        shots=SHOTS,
    )
    write_whole(folder / "truth.json", _truth_json(truth))
    return truth


def shot_edges_s() -> list[Fraction]:
    """Where the shots begin and end on the film's time."""
    return [edge / FORMAT.frame_rate for edge in accumulate((shot.num_frames for shot in SHOTS), initial=0)]


def line_span_s(line: DemoLine) -> tuple[Fraction, Fraction]:
    """The room of a line on the film's time."""
    start_s = shot_edges_s()[line.shot_index] + line.start_s
    return start_s, start_s + line.length_s


def chapters() -> list[TimedText]:
    """The film's chapters."""
    edges = shot_edges_s()
    starts = [edges[shot] for shot, _ in CHAPTERS]
    spans = pairwise([*starts, edges[-1]])
    return [TimedText(start_s=a, end_s=b, text=title) for (a, b), (_, title) in zip(spans, CHAPTERS, strict=True)]


def subtitles() -> list[TimedText]:
    """What the film says, in its own language."""
    return [
        TimedText(start_s=start_s, end_s=end_s, text=line.original)
        for line in LINES
        for start_s, end_s in [line_span_s(line)]
    ]


def dialogue_stem() -> Floats:
    """[N] the takes laid on the film's time, silence elsewhere.

    Raises:
        ValueError: a take is longer than the room of its line.
    """
    stem = np.zeros(round(shot_edges_s()[-1] * SAMPLE_RATE_HZ), np.float32)
    for line in LINES:
        take = read_mono(line.take, SAMPLE_RATE_HZ)
        start, end = (round(edge * SAMPLE_RATE_HZ) for edge in line_span_s(line))
        if len(take) > end - start:
            raise ValueError(f"take {line.name} lasts {len(take)} samples, its line has room for {end - start}")
        stem[start : start + len(take)] += take
    return stem


def _truth_json(truth: DemoFilm) -> bytes:
    shots = [{"about": shot.about, "faces": shot.num_faces, "speaks": shot.speaks} for shot in truth.shots]
    facts = {
        "film": truth.film.name,
        "time_base": str(truth.time_base),
        "cut_pts": truth.cut_pts,
        "end_pts": truth.end_pts,
        "shots": shots,
    }
    return json.dumps(facts, indent=2).encode() + b"\n"
