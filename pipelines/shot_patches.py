"""The patches of a film, looked up by pts while the film is written; only one shot's are in memory."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media.coding import Coding
from pipelines.patch import lay, patch_of
from pipelines.stage import Row
from pipelines.storage import read_table

Plane = NDArray[np.uint8] | NDArray[np.uint16]


class ShotPatches:
    """Says for each frame what its planes become. Frames are asked for in the order they are shown."""

    def __init__(self, shots: Sequence[Row]) -> None:
        self._shots = [shot for shot in sorted(shots, key=_start) if shot["patch_uri"]]
        self._loaded = -1
        self._patches: dict[int, list[Row]] = {}
        self.rects: dict[int, list[int]] = {}  # by shot_index: x, y, width, height around all patches
        self.num_frames: dict[int, int] = defaultdict(int)  # changed, by shot_index

    def change(self, pts: int, planes_of: Callable[[], tuple[list[Any], Coding]]) -> list[Any] | None:
        """The planes to encode in place of the frame's own; None when they stay."""
        shot = self._shot_at(pts)
        rows = self._patches.pop(pts, []) if shot is not None else []
        if shot is None or not rows:
            return None
        planes, coding = planes_of()
        for row in rows:
            lay(patch_of(row, coding), planes, coding)
        self.num_frames[shot["shot_index"]] += 1
        return planes

    def _shot_at(self, pts: int) -> Row | None:
        for index, shot in enumerate(self._shots):
            if shot["shot_start_pts"] <= pts < shot["shot_end_pts"]:
                if index != self._loaded:
                    self._load(index)
                return shot
        return None

    def _load(self, index: int) -> None:
        shot = self._shots[index]
        rows = read_table(shot["patch_uri"]).to_pylist()
        self._loaded, self._patches = index, defaultdict(list)
        for row in rows:
            self._patches[row["pts"]].append(row)
        x0, y0 = min(row["x"] for row in rows), min(row["y"] for row in rows)
        x1, y1 = max(row["x"] + row["width"] for row in rows), max(row["y"] + row["height"] for row in rows)
        self.rects[shot["shot_index"]] = [x0, y0, x1 - x0, y1 - y0]


def _start(shot: Row) -> int:
    return int(shot["shot_start_pts"])
