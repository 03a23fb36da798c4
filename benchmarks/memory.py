"""How much memory the dub needs for longer films and longer shots: it should hardly grow.

    python -m benchmarks.memory [--minutes 10 40 120] [--watched 1 3 6] [--followed 250 1000 4000]
        [--frames 500 4000] [--painted 32 320 1280]

Each row is a process of its own. "at rest" is the most it had held when its model was loaded and had worked on a few
seconds, "peak" the most at its end, "ratio" the peak over that of the shortest: beyond its bound it fails, exit 1. The
material is made on the spot and takes up to 1 GB of disk. Listening to two hours takes a CPU five minutes, painting
1280 frames by one step two.
"""

import argparse
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claim import Claim, all_hold

STEM = "stem.wav"
STEM_RATE_HZ = 24_000  # not the rate that models listen at: it must be resampled, as films must
FRAME_RATE = Fraction(25)
SHOT_S = 10  # of the shot whose mel windows are cut
WIDTH_PX, HEIGHT_PX, FACE_PX = 320, 180, 50
TALKING_WIDTH_PX = 640
WARM_UP_FRAMES = 32
PROCESSES = 2
MOST_GROWTH = (
    1.2  # of the longest over the shortest: the facts of a film grow with it, its pictures and sound must not
)
SPAWN = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process needed."""

    at_rest_mib: float
    peak_mib: float
    seconds: float


def sound_path(folder: Path, minutes: int) -> Measured:
    """All that is done with the sound of a film: speech, curves for mouths, lag, and the mel windows of one shot."""
    from pipelines.align import constant_lag
    from pipelines.dub_mel import DubMel
    from pipelines.heard_sound import heard_sound
    from pipelines.speech import find_speech
    from pipelines.storage import ObjectStore
    from pipelines.stored_sound import Sound, stored_sound
    from schemas.timing import ANALYSIS_RATE_HZ

    def listen(sound: Sound) -> None:
        find_speech(sound)
        heard_sound(sound)
        constant_lag(sound, sound, 2 * ANALYSIS_RATE_HZ)
        first_s = Fraction(len(sound), 2 * ANALYSIS_RATE_HZ)
        DubMel(sound).windows([first_s + frame / FRAME_RATE for frame in range(round(SHOT_S * FRAME_RATE))])

    _made_elsewhere(write_stem, folder, minutes)
    return _measured(
        lambda: listen(np.random.default_rng(0).normal(0, 0.1, 60 * ANALYSIS_RATE_HZ).astype(np.float32)),
        lambda: listen(stored_sound(ObjectStore(str(folder)), "ab" * 32, folder / STEM)),
    )


def composite_path(folder: Path, num_frames: int) -> Measured:
    """All that is done with the painted crops of a shot: patches are made of them and laid on the film's planes."""
    from diff2lip.config import CropConfig
    from pipelines.composite import CompositeShot
    from pipelines.media.picture import coded_frames
    from pipelines.shot_patches import ShotPatches
    from pipelines.stage import Row

    def composite(row: Row) -> None:
        patches = ShotPatches([row | CompositeShot(str(folder), CropConfig()).facts(row)])
        for pts, planes, coding in coded_frames(Path(row["film_uri"]), row["shot_start_pts"], row["shot_end_pts"]):
            patches.change(pts, partial(_frame, planes, coding))

    short, long = (_made_elsewhere(painted_shot, folder, count) for count in (WARM_UP_FRAMES, num_frames))
    return _measured(lambda: composite(short), lambda: composite(long))


def paint_path(folder: Path, num_frames: int) -> Measured:
    """A track of so many frames painted by the shipped model, batch after batch; one step holds what six hold."""
    from diff2lip.checkpoint import read_config
    from diff2lip.config import SamplerConfig
    from jobs.model_reference import DEFAULT_MODEL, resolve_model
    from pipelines.eligibility import Eligibility
    from pipelines.paint import PaintMouths

    model = resolve_model(DEFAULT_MODEL).path
    size_px = read_config(model).crop.size_px
    sampler = SamplerConfig(steps=1, guidance=1.0)
    stage = PaintMouths(str(folder), str(model), sampler, Eligibility(paint_margin_s=Fraction(0)), threads=1)

    short, long = (_made_elsewhere(partial(planned_shot, size_px), folder, count) for count in (8, num_frames))
    return _measured(lambda: stage.facts(short), lambda: stage.facts(long))


def faces_path(folder: Path, num_frames: int) -> Measured:
    """A shot of so many frames in which somebody speaks: found, followed and heard."""
    from pipelines.faces import TrackFaces
    from tests.film_rows import as_shot

    stage = TrackFaces(store_uri=str(folder))
    short, long = (_made_elsewhere(talking_film, folder, count) for count in (WARM_UP_FRAMES, num_frames))
    return _measured(lambda: stage(as_shot(short, WARM_UP_FRAMES)), lambda: stage(as_shot(long, num_frames)))


def watch_path(folder: Path, minutes: int) -> Measured:
    """Cuts and faces of a film, part after part, as a dub finds them: one decode for both."""
    import pyarrow as pa

    from pipelines.face_config import FaceConfig
    from pipelines.film_parts import part_rows
    from pipelines.shots import ShotConfig
    from pipelines.watch import WatchPart
    from schemas.film_part import FILM_PART

    stage = WatchPart(store_uri=str(folder), shots=ShotConfig(), faces=FaceConfig())

    def watch(film: dict[str, Any]) -> None:
        for part in part_rows(film):
            stage(pa.Table.from_pylist([part], schema=FILM_PART))

    counts = (WARM_UP_FRAMES, round(minutes * 60 * FRAME_RATE))
    short, long = (_made_elsewhere(talking_film, folder, count) for count in counts)
    return _measured(lambda: watch(short), lambda: watch(long))


def talking_film(folder: Path, num_frames: int) -> dict[str, Any]:
    """The FILM row of a film in which a real face talks."""
    from benchmarks.analysis_speed import SAMPLE_RATE_HZ, pictures
    from jobs.inspect_job import film_row
    from jobs.portrait_clip import write_clip
    from pipelines.media.probe import probe_film

    path = folder / f"talking{num_frames}.mp4"
    noise = np.random.default_rng(1).normal(0, 0.05, round(num_frames * SAMPLE_RATE_HZ / FRAME_RATE))
    size = TALKING_WIDTH_PX, TALKING_WIDTH_PX * 9 // 16 // 2 * 2
    write_clip(path, islice(pictures(TALKING_WIDTH_PX, 1), num_frames), noise.astype(np.float32), size)
    return film_row(path, probe_film(path))


def planned_shot(size_px: int, folder: Path, num_frames: int) -> dict[str, Any]:
    """The row of a shot in which somebody speaks in every frame; each length has a folder of its own."""
    from tests.planned_tracks import planned

    apart = folder / f"{num_frames}"
    apart.mkdir()
    return planned(apart, num_frames, (0, num_frames), size_px) | {"dub_digest": f"{num_frames:064x}"}


def write_stem(folder: Path, minutes: int) -> None:
    """Bursts of a buzz with pauses, minute after minute: half of it sounds."""
    time_s = np.arange(60 * STEM_RATE_HZ) / STEM_RATE_HZ
    syllables = np.maximum(0, np.sin(2 * np.pi * 4 * time_s)) * (time_s % 4 < 2)
    buzz = sum(np.sin(2 * np.pi * pitch_hz * time_s) / 8 for pitch_hz in range(120, 1080, 120))
    codes = (20_000 * syllables * buzz).astype("<i2").tobytes()
    with wave.open(str(folder / STEM), "wb") as file:
        file.setparams((1, 2, STEM_RATE_HZ, 0, "NONE", ""))
        for _ in range(minutes):
            file.writeframesraw(codes)


def painted_shot(folder: Path, num_frames: int) -> dict[str, Any]:
    """A film of one shot, and the row of it with a painted face in every frame."""
    from diff2lip.config import CropConfig
    from pipelines.face_crop import crop_frame
    from pipelines.face_frame import crop_affine
    from pipelines.media.picture import rgb_frames
    from pipelines.row_table import draft_table
    from pipelines.storage import ObjectStore, content_key
    from schemas.frames import PAINTED_FRAME
    from schemas.reason import Verdict
    from tests.pipelines.faces_drawn import drawn_landmarks
    from tests.synthetic import FilmSpec, make_film

    spec = FilmSpec(num_frames=num_frames, cuts=(), width_px=WIDTH_PX, height_px=HEIGHT_PX)
    film, crop = make_film(folder / f"film{num_frames}.mp4", spec), CropConfig()
    landmarks = drawn_landmarks((WIDTH_PX / 2, HEIGHT_PX / 2), FACE_PX)
    affine = crop_affine(landmarks, crop)
    geometry = {"affine": affine.ravel().tolist(), "landmarks": landmarks.ravel().tolist(), "weight": 1.0}
    with draft_table(ObjectStore(str(folder)), PAINTED_FRAME) as table:
        for pts, frame in rgb_frames(film.path, film.pts[0], film.end_pts):
            source = crop_frame(frame, affine, crop.size_px)
            painted = source.copy()
            painted[crop.mask_row :] //= 2
            table.add(geometry | {"pts": pts, "source": source.tobytes(), "crop": painted.tobytes()})
        uri = table.commit(content_key("painted", 1, {"frames": num_frames}))
    return {
        "film_id": film.path.stem,
        "film_uri": str(film.path),
        "shot_index": 0,
        "shot_start_pts": film.pts[0],
        "shot_end_pts": film.end_pts,
        "reason": None,
        "verdicts": [{"track_index": 0, "verdict": Verdict.DUB, "reason": None}],
        "painted": [{"track_index": 0, "painted_uri": uri, "num_frames": num_frames, "seconds": 0.0}],
    }


def peak_mib() -> float:
    """The most that this process has held, in MiB; what its parent held is not in it, as it is in `getrusage`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _made_elsewhere(make: Callable[[Path, int], Any], folder: Path, length: int) -> Any:
    """What was made in a process of its own, whose memory is not that of this one."""
    with ProcessPoolExecutor(1, SPAWN) as maker:
        return maker.submit(make, folder, length).result()


def _frame(planes: list[Any], coding: Any) -> tuple[list[Any], Any]:
    return planes, coding


def _measured(warm_up: Callable[[], None], work: Callable[[], None]) -> Measured:
    warm_up()
    at_rest, begin = peak_mib(), time.perf_counter()
    work()
    return Measured(at_rest, peak_mib(), time.perf_counter() - begin)


def claims(peaks_mib: Mapping[str, Mapping[int, float]]) -> list[Claim]:
    """That what is twelve times as long needs hardly more: of each kind of work its longest beside its shortest.

    Args:
        peaks_mib: the most that was held, by kind of work and length; nothing is claimed of a single length.
    """
    found = []
    for name, peaks in peaks_mib.items():
        if len(peaks) > 1:
            growth = peaks[max(peaks)] / peaks[min(peaks)]
            told = f"{growth:.2f} times that of {min(peaks)}, at most {MOST_GROWTH}"
            found.append(Claim(f"{name}, {max(peaks)}", told, growth <= MOST_GROWTH))
    return found


def _in_a_folder(path: Callable[[Path, int], Measured], length: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        return path(Path(folder), length)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="*", default=[10, 40, 120])
    parser.add_argument("--watched", type=int, nargs="*", default=[1, 3, 6])
    parser.add_argument("--frames", type=int, nargs="*", default=[500, 4000])
    parser.add_argument("--followed", type=int, nargs="*", default=[250, 1000, 4000])
    parser.add_argument("--painted", type=int, nargs="*", default=[32, 320, 1280])
    args = parser.parse_args()
    rows = [
        ("sound of a film", "min", sound_path, args.minutes),
        ("watch a film", "min", watch_path, args.watched),
        ("faces of a shot", "frames", faces_path, args.followed),
        ("composite a shot", "frames", composite_path, args.frames),
        ("paint a track", "frames", paint_path, args.painted),
    ]
    with ProcessPoolExecutor(PROCESSES, SPAWN, max_tasks_per_child=1) as pool:
        longest_first = [(path, length) for _, _, path, lengths in rows for length in sorted(lengths, reverse=True)]
        running = {task: pool.submit(_in_a_folder, *task) for task in longest_first}
        peaks_mib: dict[str, dict[int, float]] = {name: {} for name, *_ in rows}
        print(f"{'':<18}{'length':>12}{'at rest MiB':>13}{'peak MiB':>11}{'ratio':>8}{'s':>8}")
        for name, unit, path, lengths in rows:
            for length in lengths:
                found, least = running[path, length].result(), running[path, min(lengths)].result().peak_mib
                numbers = f"{found.at_rest_mib:>13.0f}{found.peak_mib:>11.0f}{found.peak_mib / least:>8.2f}"
                print(f"{name:<18}{f'{length} {unit}':>12}{numbers}{found.seconds:>8.0f}", flush=True)
                peaks_mib[name][length] = found.peak_mib
    sys.exit(not all_hold(claims(peaks_mib)))


if __name__ == "__main__":
    main()
