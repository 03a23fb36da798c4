"""What a model does on people it never saw: the exam of champion and challenger, for any models and any length.

    python -m benchmarks.held_figures --data DIR --model bundled:small --model MODEL [--frames 200] [--people id10003]

One entry a held-out person of a data set of `diff2lip voxceleb2`, painted by the default sampler; means over people by
the name of their videos. What was painted before is found in `--store`.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow.compute as pc

from diff2lip.config import SamplerConfig
from jobs.model_reference import resolve_model
from jobs.train_fit import cpu_threads
from pipelines.clip_filter import ClipThresholds
from pipelines.held_exam import HeldExam
from pipelines.held_list import HeldStretch, choose_held, find_held
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.stretch_index import HeldOut, stretch_index
from pipelines.training_set import open_training_set
from pipelines.training_window import TRAINING_WINDOW

MEASURES = (
    "opening_correlation",
    "loudness_correlation",
    "shift_p",
    "mouth_psnr_db",
    "shuffled_psnr_db",
    "copied_psnr_db",
    "leakage",
    "flicker_ratio",
    "identity_distance",
)


def entries(data: Path, frames: int, people: list[str]) -> list[tuple[HeldStretch, Row]]:
    """The longest possible entry of each held-out person, at most `frames` long."""
    index, _ = stretch_index(open_training_set(str(data)), ClipThresholds(), HeldOut())
    held = index.filter(pc.field("held_out"))
    names = people or sorted(set(held.column("identity").to_pylist()))
    found = []
    for name in names:
        own = held.filter(pc.field("identity") == name)
        longest = max(own.column("num_frames").to_pylist(), default=0)
        found += find_held(choose_held(own, 1, min(frames, longest - 10)), own)[0]
    return found


def examined(model: Path, held: list[tuple[HeldStretch, Row]], store: str) -> Iterator[Row]:
    """HELD_FIGURES of a model, one entry after another."""
    exam = HeldExam(model, SamplerConfig(), TRAINING_WINDOW, ObjectStore(store), cpu_threads(1))
    for entry, row in held:
        yield exam.examine(entry, row)


def table(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Means over people, by the name of their videos."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["name"].split("/")[1]].append(row)
    return {
        video: {name: mean for name in MEASURES if (mean := _mean(group, name)) is not None} | {"people": len(group)}
        for video, group in groups.items()
    }


def _mean(rows: list[Row], name: str) -> float | None:
    found = [row[name] for row in rows if row[name] is not None]
    return sum(found) / len(found) if found else None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", action="append", required=True, help="a file, bundled:small, models:/...")
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--people", nargs="*", default=[])
    parser.add_argument("--store", default=tempfile.gettempdir() + "/diff2lip-held-figures")
    args = parser.parse_args()
    held = entries(args.data, args.frames, args.people)
    for model in args.model:
        rows = []
        for row in examined(resolve_model(model).path, held, args.store):
            rows.append(row)
            print(json.dumps(row), flush=True)
        for video, means in table(rows).items():
            print(model, video, " ".join(f"{name} {value:.3f}" for name, value in means.items()))


if __name__ == "__main__":
    main()
