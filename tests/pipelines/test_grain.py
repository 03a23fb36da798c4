"""Grain is measured as strong as it was made, none where there is none, and a painted mouth gets the film's."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.blend import BlendConfig, blend_planes
from pipelines.composite import CompositeShot
from pipelines.grain import BLOCK, NO_GRAIN, Blocks, Grain, draw_grain, grain_at, measure_grain, noise_of
from pipelines.mask import MaskConfig, Rect
from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames
from pipelines.skin_blocks import skin_blocks
from pipelines.storage import ObjectStore
from schemas.reason import Verdict
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.pipelines.test_composite import CENTRE, CROP, EYES_PX, laid, own_crops, painted_row, with_dark_mouth
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

SIDE = 256
SLOPE = np.add.outer(np.linspace(0, 30, SIDE), np.linspace(60, 160, SIDE))
GREY = Coding(bits=8, chroma_x=1, chroma_y=1, matrix=1, full_range=True)
NO_COVERS = MaskConfig(least_cover=1)  # what is drawn here is no face, nor before one
WHOLE = slice(round(CENTRE[1] + 0.87 * EYES_PX) - 3, round(CENTRE[1] + 0.87 * EYES_PX) + 4), slice(69, 84)  # replaced


def blocks_of(plane: NDArray[Any]) -> Blocks:
    """All blocks of a square."""
    count = len(plane) // BLOCK
    cut = plane.astype(np.float64).reshape(count, BLOCK, count, BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)


def grainy(grain: Grain, scale: int = 1) -> NDArray[np.float64]:
    """A slope of light with grain, in whole codes; `scale` codes make one of 8 bits."""
    return np.rint(SLOPE * scale + draw_grain(grain, SIDE, SIDE, np.random.default_rng(0)))


def roughness(plane: NDArray[Any]) -> float:
    """Standard deviation of what differs from the neighbours."""
    return float(np.diff(plane.astype(np.float64), n=2, axis=1).std())


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5, 0.7])
@pytest.mark.parametrize("lengthwise", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("strength", "scale"), [(1.5, 1), (4.0, 1), (12.0, 4)])
def test_grain_is_measured_as_it_was_made(strength: float, scale: int, correlation: float, lengthwise: float) -> None:
    made = Grain(strength, correlation, correlation * lengthwise)

    measured = measure_grain([blocks_of(grainy(made, scale))])

    assert measured.strength == pytest.approx(strength, rel=0.12)  # 1024 blocks tell it within 2 %, the table the rest
    assert (measured.across, measured.down) == pytest.approx((made.across, made.down), abs=0.1)


def test_grain_that_a_codec_changed_is_measured_as_the_decoder_shows_it(tmp_path: Path) -> None:
    def draw(index: int) -> NDArray[np.uint8]:
        grain = draw_grain(Grain(5.0, 0.4, 0.4), SIDE, SIDE, np.random.default_rng(index))
        return np.repeat(np.rint(SLOPE + grain)[..., None], 3, 2).clip(0, 255).astype(np.uint8)

    spec = FilmSpec(num_frames=8, cuts=(), width_px=SIDE, height_px=SIDE, encoder=(("crf", "20"), ("threads", "1")))
    film = make_film(tmp_path / "film.mp4", spec, draw)
    lumas = [planes[0].astype(np.float64) for _, planes, _ in coded_frames(film.path, film.pts[0], film.end_pts)]

    measured = measure_grain([blocks_of(luma) for luma in lumas])

    true = np.std([luma - (16 + SLOPE * 219 / 255) for luma in lumas])
    assert true < 4  # less than was put in
    assert measured.strength == pytest.approx(true, rel=0.25)


def test_a_clean_picture_has_no_grain_whatever_edges_it_has() -> None:
    edged = SLOPE.copy()
    edged[:, 40:80] += 50

    assert measure_grain([blocks_of(np.rint(SLOPE))]) == NO_GRAIN
    assert measure_grain([blocks_of(np.rint(edged))]) == NO_GRAIN


def test_neither_edges_nor_a_still_part_change_what_is_measured() -> None:
    striped, barred = grainy(Grain(3.0)), grainy(Grain(3.0))
    striped[:, ::16] += 40  # in every other block
    barred[:100] = 16

    for picture in (striped, barred):
        assert measure_grain([blocks_of(picture)]).strength == pytest.approx(3, rel=0.12)


def test_few_blocks_tell_of_grain_when_there_are_many_frames_of_them() -> None:
    few = blocks_of(grainy(Grain(4.0)))[:8]

    assert measure_grain([]) == measure_grain([few]) == NO_GRAIN
    assert measure_grain([few] * 3).strength == pytest.approx(4, rel=0.3)


@pytest.mark.parametrize("roll_deg", [0, 45, 90, 135, 180, 270])
def test_it_is_measured_on_the_upper_face_however_a_head_is_turned(roll_deg: int) -> None:
    roll = np.radians(roll_deg)
    landmarks = drawn_landmarks((300.0, 300.0), 150.0, float(roll))
    y, x = np.mgrid[:600, :600]
    below = (y - 300) * np.cos(roll) - (x - 300) * np.sin(roll) > 0.5 * 150  # from under the nose on
    grain = draw_grain(Grain(4.0), 600, 600, np.random.default_rng(0))
    plane = np.rint(120 + np.where(below, 3 * grain, grain)).clip(1, 254).astype(np.uint8)

    found = measure_grain(skin_blocks([plane], landmarks, GREY))

    assert found.strength == pytest.approx(4, rel=0.15)


def test_hair_shadow_and_clipped_light_are_no_skin() -> None:
    landmarks = drawn_landmarks((300.0, 300.0), 150.0)
    plane = np.rint(120 + draw_grain(Grain(4.0), 600, 600, np.random.default_rng(0)))
    plane[:, :260] = 40 + np.rint(draw_grain(Grain(1.0), 600, 260, np.random.default_rng(1)))  # a third of the face
    plane[:240, 260:] = 255

    found = measure_grain(skin_blocks([plane.clip(0, 255).astype(np.uint8)], landmarks, GREY))

    assert found.strength == pytest.approx(4, rel=0.15)


def test_a_smooth_thing_before_the_face_does_not_pass_for_skin_without_grain() -> None:
    landmarks, thing = drawn_landmarks((300.0, 300.0), 150.0), np.arange(600) < 310
    grain = draw_grain(Grain(4.0), 600, 600, np.random.default_rng(0))
    plane = np.rint(120 + np.where(thing, grain / 4, grain)).astype(np.uint8)

    def free_of(rect: Rect) -> NDArray[np.float32]:
        return np.broadcast_to(~thing[rect.x : rect.x + rect.width], (rect.height, rect.width)).astype(np.float32)

    planes, coding = [plane, plane[::2, ::2]], replace(GREY, chroma_x=2, chroma_y=2)
    found = [measure_grain([blocks]).strength for blocks in skin_blocks(planes, landmarks, coding, free_of)]
    of_all = [measure_grain([blocks]).strength for blocks in skin_blocks(planes, landmarks, coding)]

    assert found == pytest.approx([4, 4], rel=0.15)
    assert max(of_all) < 2


@pytest.mark.parametrize("at", [(-400.0, 300.0), (20.0, 10.0), (590.0, 590.0)])
def test_a_face_at_the_edge_or_off_screen_is_measured_as_far_as_it_is_seen(at: tuple[float, float]) -> None:
    plane = np.full((600, 600), 120, np.uint8)

    found = skin_blocks([plane, plane[::2, ::2]], drawn_landmarks(at, 150.0), replace(GREY, chroma_x=2, chroma_y=2))

    assert all(blocks.shape[1:] == (BLOCK, BLOCK) for blocks in found)


def test_a_face_half_in_light_and_half_in_shadow_is_no_error() -> None:
    """The middle of its levels is that of neither half."""
    plane = np.full((64, 64), 40, np.uint8)
    plane[:, 32:] = 200

    assert [len(blocks) for blocks in skin_blocks([plane], drawn_landmarks((32.0, 36.0), 26.0), GREY)] == [0]


def test_drawn_grain_has_its_strength_and_its_laplacian_and_comes_of_ids_alone() -> None:
    grain = Grain(3.0, 0.6, 0.3)
    first, again, other = (draw_grain(grain, 512, 512, noise_of(ids)) for ids in ("f:0:0:7", "f:0:0:7", "f:0:0:8"))

    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.02
    assert first.std() == pytest.approx(3, rel=0.03)
    first = np.rint(first)
    laplacian = first[1:-1, 2:] + first[1:-1, :-2] + first[2:, 1:-1] + first[:-2, 1:-1] - 4 * first[1:-1, 1:-1]
    assert laplacian.var() == pytest.approx(grain.laplacian_variance, rel=0.05)


def test_grain_stays_where_it_is_when_the_rectangle_moves_a_little() -> None:
    one = grain_at(Grain(3.0), (10, 40), (50, 50), noise_of("a"))
    other = grain_at(Grain(3.0), (12, 44), (48, 46), noise_of("a"))

    assert np.array_equal(one[2:50, 4:50], other)


@pytest.mark.parametrize("weight", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("replaced", [0.0, 0.5, 1.0])
def test_what_a_composite_loses_of_the_grain_is_drawn_and_skin_keeps_its_own(weight: float, replaced: float) -> None:
    """The source crop has the film's grain, the painted one has none, as a network paints."""
    grain = Grain(4.0)
    own, drawn = (draw_grain(grain, SIDE, SIDE, np.random.default_rng(seed)) for seed in (0, 1))
    film = np.rint(120 + own)
    source = np.repeat(film[..., None], 3, 2).astype(np.float32)
    full = np.ones((SIDE, SIDE), np.float32)
    planes = [film.astype(np.uint8), *(np.full((SIDE, SIDE), 128, np.uint8) for _ in range(2))]

    nothing = np.zeros_like(drawn)
    luma = blend_planes(
        planes,
        source,
        full[..., None] * np.full(3, 110, np.float32),
        full * replaced,
        full * weight,
        GREY,
        [drawn, nothing, nothing],
    )[0].astype(np.float64)

    assert luma.mean() == pytest.approx(120 - 10 * weight, abs=0.3)
    assert luma.std() == pytest.approx(film.std(), rel=0.1 if replaced == 1 else 0.15)


def noisy_film(path: Path, **kind: Any) -> SyntheticFilm:
    """Grain of its own in red, green and blue; each picture is shown twice."""

    def draw(index: int) -> NDArray[np.uint8]:
        noise = np.random.default_rng(index // 2).normal(0, 8, (120, 160, 3))
        return (np.array([150, 120, 110]) + noise).clip(0, 255).astype(np.uint8)

    return make_film(path, FilmSpec(num_frames=4, cuts=(), **kind), draw)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_a_composited_mouth_in_a_grainy_film_has_the_films_grain_in_every_plane(
    tmp_path: Path, pixel_format: str
) -> None:
    film, store = noisy_film(tmp_path / "film.mp4", pixel_format=pixel_format), ObjectStore(str(tmp_path))
    row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.DUB)

    ratios = {}
    for wanted in (0.0, 0.5, 1.0):
        facts = CompositeShot(str(tmp_path), CROP, NO_COVERS, blend=BlendConfig(grain=wanted)).facts(row)
        frames = laid(film, facts["patch_uri"])
        ratios[wanted] = [
            np.mean([roughness(after[index][at]) / roughness(before[index][at]) for before, after, *_ in frames])
            for index in range(3)
            for at in [
                tuple(
                    slice(*(edge // shrink for edge in (part.start, part.stop)))
                    for part, shrink in zip(
                        WHOLE, (1, 1) if index == 0 else (frames[0][3].chroma_y, frames[0][3].chroma_x), strict=True
                    )
                )
            ]
        ]

    assert max(ratios[0.0]) < 0.2
    assert ratios[1.0] == pytest.approx([1, 1, 1], abs=0.35)  # some 20 to 100 samples of each plane
    assert ratios[0.5] == pytest.approx([one / 2 for one in ratios[1.0]], abs=0.15)


def test_each_composited_picture_has_grain_of_its_own_and_one_that_is_shown_again_keeps_it(tmp_path: Path) -> None:
    film = noisy_film(tmp_path / "film.mp4", encoder=(("qp", "0"), ("preset", "veryfast"), ("threads", "1")))
    row = painted_row(film, ObjectStore(str(tmp_path)), with_dark_mouth(own_crops(film)), Verdict.DUB)

    frames = laid(film, CompositeShot(str(tmp_path), CROP, NO_COVERS).facts(row)["patch_uri"])

    first, again, next_one, _ = (after[0][WHOLE].astype(int) for _, after, *_ in frames)
    assert np.array_equal(frames[0][0][0], frames[1][0][0])
    assert np.array_equal(first, again)
    assert np.abs(first - next_one).mean() > 1


def test_a_clean_film_is_composited_as_if_there_were_no_grain(tmp_path: Path) -> None:
    def smooth(_: int) -> NDArray[np.uint8]:
        across = np.linspace(90, 130, 160)[None, :, None]
        return np.broadcast_to(across, (120, 160, 3)).astype(np.uint8)

    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=2, cuts=()), smooth)
    row = painted_row(film, ObjectStore(str(tmp_path)), with_dark_mouth(own_crops(film)), Verdict.DUB)

    with_grain, without = (
        laid(
            film,
            CompositeShot(str(tmp_path), CROP, NO_COVERS, blend=BlendConfig(grain=wanted)).facts(row)["patch_uri"],
        )
        for wanted in (1.0, 0.0)
    )

    for (_, ours, _, _), (_, theirs, _, _) in zip(with_grain, without, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))
