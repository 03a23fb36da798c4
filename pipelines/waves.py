"""The painting pass in waves: what the gate holds back is painted again, otherwise, and at last stays as filmed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from pipelines.dub import DubConfig, painting_pass
from pipelines.film_stitches import stitches_at_once
from pipelines.gate import Try
from pipelines.live_frames import LiveFrames
from pipelines.placement import PLACEMENTS
from pipelines.run_stage import BUILDING, configure_ray_data, finished_rows
from pipelines.stage import Row
from schemas.reason import Reason
from schemas.shot import JUDGED_SHOT, PLANNED_SHOT

# Of a shot that is held back: what was painted may still be looked at, and other faces in it wait for a person.
TOLD = ("tries", "timings")
LOOKED_AT = (*TOLD, "crops_uri", "painted", "review_patch_uri", "covered_share", "hidden_tracks", "verdicts")

ShotId = tuple[str, int]  # dub and shot
Paint = Callable[[list[Row], Try], Iterable[Row]]


def painted_in_waves(manifest: list[Row], max_tries: int, paint: Paint) -> Iterator[Row]:
    """Paint shots; each comes out once, when a try passes the gate, or as it was filmed after the last.

    A wave paints what the one before it left, so there are as many as tries at most. A shot whose worker died is not
    tried again in the same run.

    Args:
        manifest: PLANNED_SHOT rows.
        max_tries: how often a shot is painted at most; once at least.
        paint: paints shots in one way, as JUDGED_SHOT with `timings`; one that is lost is missing.

    Yields:
        JUDGED_SHOT rows with `timings`, all tries in `tries`.
    """
    left = {_id_of(row): row for row in manifest}
    tried: dict[ShotId, Row] = {}
    for how in list(Try)[: max(1, max_tries)]:
        if not left:
            return
        held_back: dict[ShotId, Row] = {}
        for row in paint(list(left.values()), how):
            told = _with_earlier(row, tried.get(_id_of(row)))
            if row["tries"] and row["tries"][-1]["failed"]:
                held_back[_id_of(row)] = left[_id_of(row)]
                tried[_id_of(row)] = told
            else:
                yield told
            left.pop(_id_of(row))
        for shot, row in left.items():
            yield untouched(row, Reason.WORKER_DIED) | {name: tried[shot][name] for name in TOLD if shot in tried}
        left = held_back
    for shot, row in left.items():
        yield untouched(row, Reason.GATE_FAILED) | {name: tried[shot][name] for name in LOOKED_AT}


def untouched(row: Row, reason: str) -> Row:
    """A PLANNED_SHOT that keeps its original picture, as JUDGED_SHOT."""
    added = [name for name in JUDGED_SHOT.names if name not in PLANNED_SHOT.names]
    lists: dict[str, Any] = {"painted": [], "num_frames_changed": 0, "hidden_tracks": [], "tries": [], "timings": []}
    return row | dict.fromkeys(added) | lists | {"reason": str(reason)}


def painted_wave(config: DubConfig, live: LiveFrames, manifest: list[Row], how: Try) -> Iterator[Row]:
    """Shots as the painting pass paints them, in the order in which they are done.

    Args:
        config: how the first try is painted, and the gate.
        live: told of frames.
        manifest: PLANNED_SHOT rows.
        how: which try it is.
    """
    table = pa.Table.from_pylist(manifest, schema=PLANNED_SHOT)
    with BUILDING:
        configure_ray_data(stitches_at_once() * PLACEMENTS["stitch"].cpus)
        # Frames of a piece count once: those of later tries are told when a shot is done.
        shots = painting_pass(table, config, live if how is Try.FIRST else None, how)
    yield from finished_rows(shots)


def _with_earlier(row: Row, earlier: Row | None) -> Row:
    """A shot with the tries and times of the waves before."""
    if earlier is None:
        return row
    spent = {timing["stage"]: timing for timing in earlier["timings"]}
    timings = [_added(timing, spent.get(timing["stage"])) for timing in row["timings"]]
    return row | {"tries": [*earlier["tries"], *row["tries"]], "timings": timings}


def _added(timing: Row, earlier: Row | None) -> Row:
    """What a stage took for a shot, with what it took before."""
    if earlier is None:
        return timing
    peak_mib = max(timing["peak_mib"], earlier["peak_mib"])
    return timing | {"seconds": timing["seconds"] + earlier["seconds"], "peak_mib": peak_mib}


def _id_of(row: Row) -> ShotId:
    return row["dub_id"], row["shot_index"]
