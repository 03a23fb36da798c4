"""Pairs are judged blind: sides by chance, as many of each, and a score that tells knowing from guessing."""

import numpy as np
import pytest

from benchmarks.blind_sheet import SIDES, TILE_PX, Pair, chosen_pairs, judged, tile
from pipelines.media.coding import Coding
from pipelines.mouth_signature import signed

CODING = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)
RECT = (8, 16, 24, 16)


def manifest(num_frames: int, digest: str = "ab" * 32) -> dict[str, object]:
    planes = [np.zeros(size, np.uint8) for size in ((64, 64), (32, 32), (32, 32))]
    words = [signed(planes, RECT, CODING)] * num_frames
    run = {"first_pts": 100, "last_pts": 100 + 10 * (num_frames - 1), "frames": words}
    return {"film_digest": digest, "shots": [{"changed": [run]}, {}]}


def test_as_many_are_painted_on_each_side_and_the_order_tells_nothing() -> None:
    pts = list(range(0, 2_000, 10))

    pairs = chosen_pairs(manifest(100), pts, 24)

    assert [pair.painted for pair in pairs].count("left") == 12
    assert all(100 <= pair.pts <= 1_090 and pair.rect == RECT for pair in pairs)
    assert [pair.pts for pair in pairs] != sorted(pair.pts for pair in pairs)
    assert pairs == chosen_pairs(manifest(100), pts, 24)
    assert pairs != chosen_pairs(manifest(100, "cd" * 32), pts, 24)


def test_who_knows_is_told_from_who_guesses() -> None:
    pairs = [Pair(index, RECT, SIDES[index % 2]) for index in range(24)]
    knows = {number: pair.painted for number, pair in enumerate(pairs, 1)}

    assert judged(pairs, knows) == (24, pytest.approx(0.5**24))
    assert judged(pairs, dict.fromkeys(knows, "left")) == (12, pytest.approx(0.581, abs=1e-3))


def test_a_pair_without_an_answer_is_named() -> None:
    with pytest.raises(ValueError, match="pairs 2 need an answer"):
        judged([Pair(0, RECT, "left"), Pair(1, RECT, "left")], {1: "left", 2: "both"})


@pytest.mark.parametrize("rect", [RECT, (0, 0, 60, 60), (50, 58, 14, 6)])
def test_a_tile_is_square_and_lies_within_the_picture(rect: tuple[int, int, int, int]) -> None:
    assert tile(np.zeros((64, 80, 3), np.uint8), rect).shape == (TILE_PX, TILE_PX, 3)
