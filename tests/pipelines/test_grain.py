"""Grain is measured as strong as it was made, none where there is none, and a painted mouth gets the film's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.blend import BlendConfig
from pipelines.composite import CompositeShot
from pipelines.grain import NO_GRAIN, Grain, draw_grain, face_above, measure_grain, noise_of
from pipelines.mask import Rect
from pipelines.storage import ObjectStore
from schemas.reason import Verdict
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.pipelines.test_composite import CENTRE, CROP, EYES_PX, laid, own_crops, painted_row, with_dark_mouth
from tests.synthetic import FilmSpec, make_film

SIDE = 128
SLOPE = np.add.outer(np.linspace(0, 30, SIDE), np.linspace(60, 160, SIDE))
STEEP_PX = 40  # so wide is an edge through the picture


def grainy(grain: Grain, scale: int = 1) -> NDArray[np.float64]:
    """A slope of light with grain, in whole codes; `scale` codes make one of 8 bits."""
    return np.rint(SLOPE * scale + draw_grain(grain, SIDE, SIDE, np.random.default_rng(0)))


def roughness(plane: NDArray[Any]) -> float:
    """Standard deviation of what differs from the neighbours."""
    values = plane.astype(np.float64)
    return float(np.diff(values, n=2, axis=1).std())


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("strength", "scale"), [(1.0, 1), (4.0, 1), (12.0, 4)])
def test_grain_is_measured_as_strong_as_it_was_made(strength: float, scale: int, correlation: float) -> None:
    measured = measure_grain(grainy(Grain(strength, correlation, correlation / 2), scale))

    assert measured.strength == pytest.approx(strength, rel=0.15)
    assert measured.across == pytest.approx(correlation, abs=0.25)
    assert measured.across >= measured.down


def test_a_clean_picture_has_no_grain_whatever_edges_it_has() -> None:
    edged = SLOPE.copy()
    edged[:, STEEP_PX : 2 * STEEP_PX] += 50

    assert measure_grain(np.rint(SLOPE)) == NO_GRAIN
    assert measure_grain(np.rint(edged)) == NO_GRAIN


def test_edges_are_not_taken_for_grain() -> None:
    stripes = grainy(Grain(2.0))
    stripes[:, ::16] += 40  # every other block has one

    assert measure_grain(stripes).strength == pytest.approx(2, rel=0.15)


def test_a_piece_too_small_to_tell_has_none() -> None:
    assert measure_grain(grainy(Grain(4.0))[:24, :32]) == NO_GRAIN


def test_drawn_grain_has_its_strength_and_hangs_together_and_comes_of_ids_alone() -> None:
    first, again, other = (
        draw_grain(Grain(3.0, 0.6, 0.3), 256, 256, noise_of(ids)) for ids in ("f:0:0:7", "f:0:0:7", "f:0:0:8")
    )

    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.02
    assert first.std() == pytest.approx(3, rel=0.05)
    assert (first[:, 1:] * first[:, :-1]).mean() / 9 == pytest.approx(0.6, abs=0.05)
    assert (first[1:] * first[:-1]).mean() / 9 == pytest.approx(0.3, abs=0.05)


def test_it_is_measured_above_what_is_painted_and_within_the_film() -> None:
    landmarks = drawn_landmarks((30.0, 20.0), 60.0, 0.1)  # a face that the film's edge cuts

    above = face_above(landmarks, Rect(0, 40, 100, 60))

    assert above is not None
    assert (above.x, above.y) == (0, 0)
    assert above.y + above.height <= 40
    assert face_above(landmarks, Rect(0, 0, 100, 60)) is None


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_a_painted_mouth_in_a_grainy_film_has_the_films_grain(tmp_path: Path, pixel_format: str) -> None:
    spec = FilmSpec(num_frames=3, cuts=(), pixel_format=pixel_format)
    film, store = make_film(tmp_path / "film.mp4", spec), ObjectStore(str(tmp_path))
    row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.DUB)
    y, x = round(CENTRE[1] + 0.87 * EYES_PX), round(CENTRE[0] - 0.09 * EYES_PX)
    lips = slice(y - 3, y + 4), slice(x - 7, x + 8)  # all replaced, in one colour

    ratios = {}
    for wanted in (0.0, 1.0):
        facts = CompositeShot(str(tmp_path), CROP, blend=BlendConfig(grain=wanted)).facts(row)
        frames = laid(film, facts["patch_uri"])
        ratios[wanted] = np.mean(
            [roughness(after[0][lips]) / roughness(before[0][lips]) for before, after, *_ in frames]
        )

    assert ratios[0.0] < 0.15
    assert 0.8 < ratios[1.0] < 1.2


def test_a_clean_film_is_painted_as_if_there_were_no_grain(tmp_path: Path) -> None:
    def smooth(_: int) -> NDArray[np.uint8]:
        across = np.linspace(90, 130, 160)[None, :, None]
        return np.broadcast_to(across, (120, 160, 3)).astype(np.uint8)

    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=2, cuts=()), smooth)
    row = painted_row(film, ObjectStore(str(tmp_path)), with_dark_mouth(own_crops(film)), Verdict.DUB)

    with_grain, without = (
        laid(film, CompositeShot(str(tmp_path), CROP, blend=BlendConfig(grain=wanted)).facts(row)["patch_uri"])
        for wanted in (1.0, 0.0)
    )

    for (_, ours, _, _), (_, theirs, _, _) in zip(with_grain, without, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))
