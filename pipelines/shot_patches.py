"""The patches of a film, looked up by pts while the film is written; only a few frames' are in memory."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from pipelines.media.coding import Coding
from pipelines.mouth_signature import signed
from pipelines.patch import lay, patch_of
from pipelines.row_table import FrameRows, read_columns
from pipelines.stage import Row

# Frames one after the other on which one track was laid, and the rectangle around; "frames" signs each.
Run = dict[str, Any]

MAX_RUN_FRAMES = 25  # a face that walks does not excuse its whole way


class ShotPatches:
    """Says for each frame what its planes become. Frames are asked for in the order they are shown."""

    def __init__(self, shots: Sequence[Row]) -> None:
        self._shots = [shot for shot in sorted(shots, key=_start) if shot["patch_uri"]]
        self._loaded = -1
        self._patches: FrameRows | None = None  # of the shot that was loaded
        self.rects: dict[int, list[int]] = {}  # by shot_index: x, y, width, height around all patches
        self.changed: dict[int, list[Run]] = defaultdict(list)  # by shot_index: what was laid, as runs of frames
        self._open: dict[int, Run] = {}  # by track_index: the run that the last frame belonged to
        self._rects_at: dict[int, list[list[int]]] = {}  # by pts: what was laid on that frame

    def add(self, other: "ShotPatches") -> None:
        """What was laid by another one that was asked for later frames."""
        self.rects |= other.rects
        for shot_index, runs in other.changed.items():
            self.changed[shot_index] += runs
        self._rects_at |= other._rects_at

    def change(self, pts: int, planes_of: Callable[[], tuple[list[Any], Coding]]) -> list[Any] | None:
        """The planes to encode in place of the frame's own; None when they stay."""
        shot = self._shot_at(pts)
        rows = self._patches.at(pts) if shot is not None and self._patches is not None else []
        if shot is None or not rows:
            self._open = {}
            return None
        planes, coding = planes_of()
        for row in rows:
            lay(patch_of(row, coding), planes, coding)
        self._note(shot["shot_index"], rows, planes, coding)
        return planes

    def painted(self, pts: int) -> list[list[int]]:
        """Rectangles of a frame that was asked for: its own, as the proof leaves out no others."""
        return self._rects_at.get(pts, [])

    def _note(self, shot_index: int, rows: list[Row], planes: list[Any], coding: Coding) -> None:
        """Lengthen the runs of the tracks that are laid on this frame, or begin new ones."""
        runs = {row["track_index"]: self._open.get(row["track_index"]) for row in rows}
        self._open, self._rects_at[rows[0]["pts"]] = {}, [_rect(row) for row in rows]
        for row in rows:
            run = runs[row["track_index"]]
            if run is None or run["num_frames"] == MAX_RUN_FRAMES or run["shot_index"] != shot_index:
                run = {"shot_index": shot_index, "first_pts": row["pts"], "num_frames": 0, "rect": _rect(row)}
                run |= {"frames": []}
                self.changed[shot_index].append(run)
            run |= {"last_pts": row["pts"], "rect": _around(run["rect"], _rect(row))}
            run["num_frames"] += 1
            run["frames"].append(signed(planes, _rect(row), coding))
            self._open[row["track_index"]] = run

    def _shot_at(self, pts: int) -> Row | None:
        for index, shot in enumerate(self._shots):
            if shot["shot_start_pts"] <= pts < shot["shot_end_pts"]:
                if index != self._loaded:
                    self._load(index, pts)
                return shot
        return None

    def _load(self, index: int, from_pts: int) -> None:
        shot = self._shots[index]
        rects = read_columns(shot["patch_uri"], ["x", "y", "width", "height"]).to_pylist()
        self._loaded, self._patches = index, FrameRows(shot["patch_uri"], from_pts)
        self.rects[shot["shot_index"]] = reduce(_around, map(_rect, rects))


def changed_pts(shots: Sequence[Row]) -> set[int]:
    """The frames that the patches of a film change."""
    uris = [shot["patch_uri"] for shot in shots if shot["patch_uri"]]
    return {pts for uri in uris for pts in read_columns(uri, ["pts"]).column("pts").to_pylist()}


def _rect(row: Row) -> list[int]:
    return [row["x"], row["y"], row["width"], row["height"]]


def _around(one: list[int], other: list[int]) -> list[int]:
    """The smallest rectangle that holds both."""
    x0, y0 = min(one[0], other[0]), min(one[1], other[1])
    x1, y1 = max(one[0] + one[2], other[0] + other[2]), max(one[1] + one[3], other[1] + other[3])
    return [x0, y0, x1 - x0, y1 - y0]


def _start(shot: Row) -> int:
    return int(shot["shot_start_pts"])
