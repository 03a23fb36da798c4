"""Patches are laid on the frames they belong to, read from storage a few frames at a time."""

from pathlib import Path

import numpy as np
import pytest

from pipelines import row_table
from pipelines.mask import Rect
from pipelines.media.coding import Coding
from pipelines.patch import Patch
from pipelines.row_table import draft_table
from pipelines.shot_patches import ShotPatches
from pipelines.storage import ObjectStore
from schemas.frames import PATCH

CODING = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)
NUM_FRAMES, TICKS = 40, 512
FACES = (Rect(4, 4, 8, 8), Rect(20, 8, 12, 6))  # the second one is there in every other frame
UNPAINTED = range(10, 15)


def patch(index: int, face: int) -> Patch:
    """A flat rectangle whose code tells frame and face."""
    rect, code = FACES[face], 10 * face + index
    shapes = [(rect.height, rect.width)] + [(rect.height // 2, rect.width // 2)] * 2
    planes = [np.full(shape, code, np.uint8) for shape in shapes]
    return Patch(index * TICKS, face, rect, planes, np.ones((rect.height, rect.width), bool))


def faces_of(index: int) -> range:
    return range(0) if index in UNPAINTED else range(1 + index % 2)


@pytest.fixture(params=[row_table.ROW_GROUP_BYTES, 1], ids=["one row group", "many row groups"])
def shot(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(row_table, "ROW_GROUP_BYTES", request.param)
    with draft_table(ObjectStore(str(tmp_path)), PATCH) as table:
        for index in range(NUM_FRAMES):
            for face in faces_of(index):
                table.add(patch(index, face).row())
        uri = table.commit("ab" * 32)
    return {"shot_index": 3, "patch_uri": uri, "shot_start_pts": 0, "shot_end_pts": NUM_FRAMES * TICKS}


def black_frame() -> tuple[list[np.ndarray], Coding]:
    return [np.zeros(shape, np.uint8) for shape in ((32, 48), (16, 24), (16, 24))], CODING


def test_every_frame_takes_its_own_patches_and_no_other(shot: dict[str, object]) -> None:
    patches = ShotPatches([shot])

    for index in range(-2, NUM_FRAMES + 2):
        planes = patches.change(index * TICKS, black_frame)
        faces = faces_of(index) if 0 <= index < NUM_FRAMES else range(0)
        assert (planes is None) == (len(faces) == 0)
        if planes is not None:
            expected = black_frame()[0][0]
            for face in faces:
                rect = FACES[face]
                expected[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width] = 10 * face + index
            assert np.array_equal(planes[0], expected)
    assert patches.rects == {3: [4, 4, 28, 10]}


def test_frames_that_are_not_asked_for_do_not_hold_up_those_behind(shot: dict[str, object]) -> None:
    patches = ShotPatches([shot])

    found = [patches.change(index * TICKS, black_frame) for index in (5, 30, 29, 31)]

    assert [None if planes is None else int(planes[0][5, 5]) for planes in found] == [5, 30, None, 31]


def test_what_counts_as_painted_of_a_frame_is_its_own_rectangle_however_far_it_moves(tmp_path: Path) -> None:
    """As in the proof: the way of a mouth that walks is not left out where an encoder is judged."""
    way = [Rect(2 * step, step, 8, 8) for step in range(10)]
    planes = [np.full(shape, 90, np.uint8) for shape in ((8, 8), (4, 4), (4, 4))]
    with draft_table(ObjectStore(str(tmp_path)), PATCH) as table:
        for step, rect in enumerate(way):
            table.add(Patch(step * TICKS, 0, rect, planes, np.ones((8, 8), bool)).row())
        uri = table.commit("cd" * 32)
    patches = ShotPatches([{"shot_index": 0, "patch_uri": uri, "shot_start_pts": 0, "shot_end_pts": 10 * TICKS}])

    for step in range(len(way)):
        patches.change(step * TICKS, black_frame)

    assert [patches.painted(step * TICKS) for step in range(10)] == [[[2 * step, step, 8, 8]] for step in range(10)]
    assert patches.painted(10 * TICKS) == []
    assert patches.changed[0][0]["rect"] == [0, 0, 26, 17]
