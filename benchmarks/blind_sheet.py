"""Whether anybody can tell a painted mouth from a filmed one: pairs to be judged blind, and what the judgements say.

    python -m benchmarks.blind_sheet draw SOURCE DELIVERED --out DIR [--pairs 24]
    python -m benchmarks.blind_sheet score DIR ANSWERS

Each pair is one moment of the film and of its delivery, on sides that chance chose; who judges says which side is
painted, and has to guess where nobody could know (a two-alternative forced choice: Green and Swets, "Signal Detection
Theory and Psychophysics", 1966). Best of a film that was dubbed with its own sound: then no word gives it away.
ANSWERS has a line for each pair, its number and `left` or `right`. `key.json` is for `score` alone.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.claim import Claim, all_hold
from jobs.contact_sheet import evenly, grid, png
from pipelines.media.picture import rgb_frames
from pipelines.media.probe import probe_film
from pipelines.mouth_signature import rect_of

SIDES = ("left", "right")
PAIRS_A_SHEET, TILE_PX = 6, 320
CONTEXT = 2.2  # what is shown, over the longer side of what was painted: most of the face
SURE = 0.05  # guessing alone is right as often as that with less than this probability

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pair:
    """One moment that is judged."""

    pts: int
    rect: tuple[int, int, int, int]  # x, y, width, height of what was painted
    painted: str  # on which side it is shown


def chosen_pairs(manifest: Mapping[str, Any], frame_pts: Sequence[int], num_pairs: int) -> list[Pair]:
    """Moments evenly spaced over all that was painted, sides by a chance that the film alone decides."""
    words = [
        (pts, word)
        for shot in manifest["shots"]
        for run in shot.get("changed", [])
        for pts, word in zip(_of_run(run, frame_pts), run["frames"], strict=True)
    ]
    rng = np.random.default_rng(int(manifest["film_digest"][:16], 16))
    picked = [words[index] for index in evenly(len(words), num_pairs)]
    sides = rng.permutation([SIDES[index % 2] for index in range(len(picked))])
    order = rng.permutation(len(picked))
    return [Pair(picked[index][0], tuple(rect_of(picked[index][1])), str(sides[index])) for index in order]


def _of_run(run: Mapping[str, Any], frame_pts: Sequence[int]) -> list[int]:
    return [pts for pts in frame_pts if run["first_pts"] <= pts <= run["last_pts"]]


def judged(pairs: Sequence[Pair], answers: Mapping[int, str]) -> tuple[int, float]:
    """How many sides were told rightly, and how probable so many or more are by guessing.

    Args:
        pairs: in the order of their numbers, from 1.
        answers: a side for each.

    Raises:
        ValueError: a pair has no answer, or one that is no side.
    """
    wrong = [number for number in range(1, len(pairs) + 1) if answers.get(number) not in SIDES]
    if wrong:
        raise ValueError(f"pairs {', '.join(map(str, wrong))} need an answer, left or right")
    right = sum(answers[number] == pair.painted for number, pair in enumerate(pairs, 1))
    return right, float(binomtest(right, len(pairs), 0.5, alternative="greater").pvalue)


def tile(picture: Bytes, rect: Sequence[int]) -> Bytes:
    """[TILE_PX, TILE_PX, 3] around a rectangle, as large as fits into the picture."""
    x, y, width, height = rect
    side = min(round(CONTEXT * max(width, height)), *picture.shape[:2])
    left = int(np.clip(x + width // 2 - side // 2, 0, picture.shape[1] - side))
    top = int(np.clip(y + height // 2 - round(0.6 * side), 0, picture.shape[0] - side))
    part = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(part, (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw(source: Path, delivered: Path, out: Path, num_pairs: int) -> None:
    """Write pairs-1.png and so on, and the key."""
    manifest = json.loads(delivered.with_name("manifest.json").read_text())
    film = probe_film(source)
    span = film.start_pts, film.end_pts
    pairs = chosen_pairs(manifest, [pts for pts, _ in rgb_frames(source, *span, 16)], num_pairs)
    filmed, painted = (_tiles(path, span, pairs) for path in (source, delivered))
    rows = [
        [_numbered(number)]
        + (
            [painted[pair.pts], filmed[pair.pts]]
            if pair.painted == SIDES[0]
            else [filmed[pair.pts], painted[pair.pts]]
        )
        for number, pair in enumerate(pairs, 1)
    ]
    out.mkdir(parents=True, exist_ok=True)
    for sheet, first in enumerate(range(0, len(rows), PAIRS_A_SHEET), 1):
        (out / f"pairs-{sheet}.png").write_bytes(png(grid(rows[first : first + PAIRS_A_SHEET], TILE_PX)))
    (out / "key.json").write_text(json.dumps([asdict(pair) for pair in pairs], indent=1))
    print(f"{len(pairs)} pairs in {out}: say of each which side is painted")


def _tiles(film: Path, span: tuple[int, int], pairs: Sequence[Pair]) -> dict[int, Bytes]:
    rects = {pair.pts: pair.rect for pair in pairs}
    return {pts: tile(picture, rects[pts]) for pts, picture in rgb_frames(film, *span) if pts in rects}


def _numbered(number: int) -> Bytes:
    ground = np.full((TILE_PX, TILE_PX // 4, 3), 32, np.uint8)
    place = (4, TILE_PX // 2)
    return np.asarray(cv2.putText(ground, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 2))


def score(folder: Path, answers: Path) -> bool:
    """Print what the answers say; whether nobody could tell."""
    pairs = [
        Pair(one["pts"], tuple(one["rect"]), one["painted"]) for one in json.loads((folder / "key.json").read_text())
    ]
    told = {int(number): side for number, side in (line.split() for line in answers.read_text().splitlines() if line)}
    right, chance = judged(pairs, told)
    result = f"{right} of {len(pairs)} told rightly; who guesses tells so many with a chance of {chance:.3f}"
    return all_hold([Claim("nobody can tell painted mouths", result, chance >= SURE)])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = parser.add_subparsers(dest="way", required=True)
    drawing, scoring = ways.add_parser("draw"), ways.add_parser("score")
    drawing.add_argument("source", type=Path)
    drawing.add_argument("delivered", type=Path, help="the film, its manifest beside it")
    drawing.add_argument("--out", type=Path, required=True)
    drawing.add_argument("--pairs", type=int, default=24)
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("answers", type=Path)
    chosen = parser.parse_args()
    if chosen.way == "draw":
        return draw(chosen.source, chosen.delivered, chosen.out, chosen.pairs)
    sys.exit(not score(chosen.folder, chosen.answers))


if __name__ == "__main__":
    main()
