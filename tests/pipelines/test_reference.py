"""References are closed mouths that look like the painted frame, and do not alternate."""

import numpy as np

from pipelines.reference import CLOSED_SHARE, choose_references, closed_frames

SIZE, MASK_ROW = 8, 3


def track(brightness: list[int]) -> np.ndarray:
    """[F, S, S, 3] plain crops: brightness stands for pose."""
    return np.stack([np.full((SIZE, SIZE, 3), level, np.uint8) for level in brightness])


def references_of(crops: np.ndarray, openings: np.ndarray, painted: np.ndarray) -> list[int]:
    """The reference of each painted frame, as an index into the track."""
    closed = closed_frames(openings)
    return [int(closed[index]) for index in choose_references(crops[closed], iter(crops[painted]), MASK_ROW)]


def test_only_the_mouths_closed_most_are_references() -> None:
    openings = np.linspace(1, 0, 40).astype(np.float32)

    closed = closed_frames(openings)

    assert set(closed) <= set(range(40 - round(40 * CLOSED_SHARE), 40))


def test_a_painted_frame_takes_the_closed_mouth_that_looks_like_it() -> None:
    openings = np.ones(40, np.float32)
    openings[[5, 6, 30, 31, 32, 33]] = 0
    crops = track([50] * 20 + [200] * 20)
    painted = np.array([10, 11, 12, 25, 26])

    references = references_of(crops, openings, painted)

    assert all(index < 20 for index in references[:3])
    assert all(index >= 20 for index in references[3:])


def test_a_small_gain_does_not_change_the_reference() -> None:
    openings = np.ones(40, np.float32)
    openings[[0, 1, 2, 37, 38, 39]] = 0
    flickering = track([100, 101] * 20)

    references = references_of(flickering, openings, np.arange(40))

    assert len(set(references)) == 1


def test_what_lies_under_the_mask_does_not_matter() -> None:
    openings = np.ones(40, np.float32)
    openings[[0, 1, 2, 37, 38, 39]] = 0
    crops = track(list(range(40)))
    changed = crops.copy()
    changed[:, MASK_ROW:] = np.random.default_rng(0).integers(0, 255, changed[:, MASK_ROW:].shape)

    painted = np.arange(5, 35)

    assert references_of(crops, openings, painted) == references_of(changed, openings, painted)
