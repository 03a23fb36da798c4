"""Shards of training clips: how clips are put together, which are there already, and the run that cuts the rest."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from pipelines.clips import NAMES, failed, placed
from pipelines.live_frames import live_frames
from pipelines.progress import Listener
from pipelines.run_stage import configure_ray_data, finished_rows
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.voxceleb2 import VoxConfig, cutting_pass
from schemas.training import SHARD, ClipReason

VERSION = 1
DIED = "the process that worked on its shard ended, again when it was tried anew; the next run tries again"
UNSEEN = [0, 0]  # size and time of a file that is not there


def plan_shards(clips: list[Row], config: VoxConfig) -> list[Row]:
    """SHARD rows: at most `clips_per_shard` clips of one identity and split each.

    So a clip that is added changes the shards of its identity and no others.

    Args:
        clips: CLIP rows by split, identity, video and utterance.
        config: of the run.
    """
    shards = []
    for (split, identity), group in groupby(clips, key=lambda clip: (clip["split"], clip["identity"])):
        members = list(group)
        for index, first in enumerate(range(0, len(members), config.clips_per_shard)):
            part = members[first : first + config.clips_per_shard]
            names = {"split": split, "identity": identity, "shard_index": index}
            title = f"{split}/{identity} {index}".lstrip("/")
            shards.append({"title": title, **names, "seen_key": _seen_key(part, config), "clips": part})
    return shards


def find_shard(shard: Row, store: ObjectStore) -> Row | None:
    """The CUT_SHARD row of a shard that was cut before from files of the same names, sizes and times.

    None of its clips is opened.
    """
    stored = store.find_facts(shard["seen_key"], "shard_key")
    return None if stored is None else shard | placed(stored, shard["clips"], store)


def cut_shards(shards: list[Row], config: VoxConfig, listener: Listener) -> Iterator[Row]:
    """CUT_SHARD rows of shards as they are done, in no order, on the Ray that this process is connected to.

    What is kept of a shard is kept by the worker, so a run that is killed goes on from there. A shard whose process
    died has facts that say so, and is kept nowhere.

    Args:
        shards: SHARD rows.
        config: of the run.
        listener: told of frames in between, from another thread.

    Yields:
        One row for each shard; `timings` says how long it took and what memory its process held.
    """
    waiting = {shard["seen_key"]: shard for shard in shards}
    with live_frames(listener) as live:
        configure_ray_data()
        for row in finished_rows(cutting_pass(pa.Table.from_pylist(shards, schema=SHARD), config, live)):
            del waiting[row["seen_key"]]
            yield row
    for shard in waiting.values():
        yield _died(shard, config)


def _died(shard: Row, config: VoxConfig) -> Row:
    lost = failed(ClipReason.WORKER_DIED, DIED) | {"digest": "", "judge": config.judge_digest, "shard_uri": None}
    facts = [clip | lost for clip in shard["clips"]]
    return shard | {"facts": facts, "shard_key": None, "shard_digest": None, "num_rows": 0, "timings": []}


def _seen_key(clips: list[Row], config: VoxConfig) -> str:
    seen = [[*(clip[name] for name in NAMES), *_stamps(clip)] for clip in clips]
    return content_key("seen-clips", VERSION, {"clips": seen, **config.facts})


def _stamps(clip: Row) -> list[list[int]]:
    """Size and time of the files of a clip."""
    return [_stamp(Path(uri)) if uri else UNSEEN for uri in (clip["picture_uri"], clip["sound_uri"])]


def _stamp(path: Path) -> list[int]:
    try:
        facts = path.stat()
    except OSError:
        return UNSEEN
    return [facts.st_size, facts.st_mtime_ns]
