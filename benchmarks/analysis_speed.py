"""How long cuts and faces take beside decoding alone, as ratios within one run.

    python -m benchmarks.analysis_speed [--width 1920] [--frames 150] [--people 1] [--height 0.9] [--grain 1.5]
        [--most 3.0] [--device cuda] [--backend resnet50]

A real talking face (an asset) fills the middle of a film of that width, once or side by side. A picture without grain
is decoded in half the time of a film's. Everything has one thread, as a worker's core has. Machines are noisy: look at
the ratios, each the median of some rounds, not at the seconds. Models are loaded before anything is timed. It is
claimed of grain 1.5, of which this film has about 11 Mbit/s, that cuts and faces take at most three decodes; exit 1
where they take more than `--most`. With less grain they do: the decode is cheaper, and the looking is not.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from benchmarks.claim import Claim, all_hold
from jobs.inspect_job import film_row
from jobs.portrait_clip import write_clip
from pipelines.assets import asset_path
from pipelines.face_config import BACKENDS, DEVICES, DetectorConfig, FaceConfig
from pipelines.film_parts import part_rows
from pipelines.media.picture import frames
from pipelines.media.probe import probe_film
from pipelines.media.published_frames import published_frames
from pipelines.shots import DetectShots, ShotConfig
from pipelines.stage import Row
from pipelines.watch import WatchPart
from schemas.film import FILM
from schemas.film_part import FILM_PART

SAMPLE_RATE_HZ = 16_000
CLAIMED_GRAIN = 1.5  # standard deviation in codes: about 11 Mbit/s in 1080p
Seconds = tuple[float, float, float]  # of decoding, cuts, and cuts and faces


def pictures(width_px: int, people: int, share: float = 0.9, grain: float = 0.0) -> Iterator[NDArray[np.uint8]]:
    """Frames of a 16:9 film without end.

    Args:
        width_px: of the film.
        people: side by side.
        share: of the film's height that the picture of a face takes.
        grain: standard deviation in codes of noise that changes from frame to frame.
    """
    height_px = width_px * 9 // 16 // 2 * 2
    side = int(height_px * share) // 2 * 2
    rng = np.random.default_rng(0)
    room = cv2.resize(
        rng.integers(40, 120, (9, 16, 3), np.uint8), (width_px, height_px), interpolation=cv2.INTER_CUBIC
    )
    for frame in cycle(list(published_frames(asset_path("clip-test-movie")))):
        picture = room.copy()
        head = cv2.resize(frame, (side, side), interpolation=cv2.INTER_CUBIC)
        for person in range(people):
            left = (2 * person + 1) * width_px // (2 * people) - side // 2
            picture[:side, left : left + side] = head
        if grain:
            noise = rng.normal(0, grain, picture.shape[:2]).astype(np.float32)[..., None]
            picture = (picture + noise).round().clip(0, 255).astype(np.uint8)
        yield picture


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def decode(film: Row) -> int:
    """Every frame, and nothing done with it."""
    return sum(1 for _ in frames(Path(film["film_uri"]), film["start_pts"], film["end_pts"]))


def parts_of(film: Row) -> pa.Table:
    """FILM_PART of the whole film."""
    return pa.Table.from_pylist(part_rows(film), schema=FILM_PART)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--height", type=float, default=0.9, help="of the face's picture, over the film's")
    parser.add_argument("--grain", type=float, default=CLAIMED_GRAIN, help="standard deviation of noise, in codes")
    parser.add_argument("--rounds", type=int, default=5, help="of everything, in turn")
    parser.add_argument("--most", type=float, default=3.0, help="decodes that cuts and faces may take")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="of the detector")
    parser.add_argument("--backend", choices=BACKENDS, default="mobilenet", help="of the detector")
    chosen = parser.parse_args()
    faces = FaceConfig(detector=DetectorConfig(device=chosen.device, backend=chosen.backend))
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        drawn = list(islice(pictures(chosen.width, chosen.people, chosen.height, chosen.grain), chosen.frames))
        wave = np.random.default_rng(1).normal(0, 0.05, chosen.frames * SAMPLE_RATE_HZ // 25).astype(np.float32)
        write_clip(path, iter(drawn), wave, drawn[0].shape[1::-1])
        film = film_row(path, probe_film(path))
        watch = WatchPart(store_uri=f"{folder}/watched", shots=ShotConfig(), faces=faces)
        watch(parts_of(film | {"film_id": "0" * 64}))  # loads the models, and the libraries of cuts
        mbit_s = path.stat().st_size * 8 / 1e6 / (chosen.frames / 25)
        print(f"{mbit_s:<8.1f}Mbit/s{'s a frame':>12}{'of decoding':>14}")
        taken = [_round(film, folder, number, watch) for number in range(1, chosen.rounds + 1)]
        for place, name in enumerate(("decoding", "cuts alone", "cuts and faces")):
            seconds = median(one[place] for one in taken) / chosen.frames
            print(f"{name:<14}{seconds:>12.4f}{median(one[place] / one[0] for one in taken):>14.2f}")
    sys.exit(not all_hold([claim(taken, chosen.most, chosen.grain, mbit_s)]))


def claim(taken: Sequence[Seconds], most: float, grain: float, mbit_s: float) -> Claim:
    """That the median round's cuts and faces take at most so many decodes, of a film of such grain and bit rate."""
    ratio = median(watched / decoded for decoded, _, watched in taken)
    told = f"{ratio:.2f} decodes, at most {most:g}, of {mbit_s:.1f} Mbit/s (grain {grain:g})"
    return Claim("cuts and faces beside decoding alone", told, ratio <= most)


def _round(film: Row, folder: str, number: int, watch: WatchPart) -> Seconds:
    """Seconds for decoding alone, for cuts, and for cuts and faces, one after the other; nothing is known before."""
    anew = film | {"film_id": f"{number:064d}"}
    rows = pa.Table.from_pylist([anew], schema=FILM)
    cuts = DetectShots(f"{folder}/cuts")
    return timed(lambda: decode(film)), timed(lambda: cuts(rows)), timed(lambda: watch(parts_of(anew)))


if __name__ == "__main__":
    main()
