"""A painted mouth is as sharp as its film, never sharper, whatever it says and however well it is painted."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, to_film
from pipelines.composite import CompositeShot
from pipelines.face_crop import crop_frame
from pipelines.face_frame import crop_affine
from pipelines.film_look import film_look
from pipelines.grain import NO_GRAIN, Grain, draw_grain
from pipelines.mask import MaskConfig, Rect, mask_rect, mouth_mask
from pipelines.media.picture import rgb_frames
from pipelines.patch import window
from pipelines.sharpness import DetailLoss, fine_detail, sharpened
from pipelines.storage import ObjectStore
from schemas.frames import PAINTED_FRAME
from tests.film_rows import painted_shot
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.pipelines.test_composite import laid
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

CROP = CropConfig(size_px=64)
WIDTH_PX, HEIGHT_PX = 480, 360
LOSSLESS = (("qp", "0"), ("preset", "veryfast"), ("threads", "1"))
Pixels = NDArray[np.uint8]


def texture(seed: int, blur_px: float = 0.8) -> Pixels:
    """[360, 480, 3] grey, of detail of every size; the finest is as soft as `blur_px`."""
    rng = np.random.default_rng(seed)
    shape = (HEIGHT_PX, WIDTH_PX)
    octaves = [cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), blur_px * 2**octave) for octave in range(6)]
    luma = 125 + 16 * sum(one / one.std() for one in octaves)
    return np.repeat(np.clip(luma, 20, 230).round().astype(np.uint8)[..., None], 3, 2)


def below_the_nose(picture: Pixels) -> Pixels:
    """Smooth above: detail of skin there would be taken for grain."""
    return np.where(np.arange(HEIGHT_PX)[:, None, None] > 190, picture, np.uint8(125))


def landmarks_of(eyes_px: float) -> NDArray[np.float64]:
    return drawn_landmarks((240.0, 120.0), eyes_px, 0.1)


def loss_of(luma: NDArray[np.float32], eyes_px: float = 120.0) -> tuple[DetailLoss, NDArray[np.float32]]:
    """What a crop loses of a grey picture, and what it shows of it."""
    affine = crop_affine(landmarks_of(eyes_px), CROP)
    picture = np.repeat(luma.clip(0, 255).round().astype(np.uint8)[..., None], 3, 2)
    crop = crop_frame(picture, affine, CROP.size_px).astype(np.float32)
    rect = mask_rect(affine, CROP, WIDTH_PX, HEIGHT_PX)
    assert rect is not None
    core = mouth_mask(landmarks_of(eyes_px), affine, rect, CROP, MaskConfig()) > 0.9
    film = picture[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width, 0]
    loss = DetailLoss()
    loss.see(film, to_film(crop, affine, rect)[..., 0], to_film(sharpened(crop, 1), affine, rect)[..., 0], core)
    return loss, crop


def test_sharpened_by_the_amount_that_is_found_a_crop_has_the_films_detail() -> None:
    picture = texture(1)
    affine = crop_affine(landmarks_of(120), CROP)
    rect = mask_rect(affine, CROP, WIDTH_PX, HEIGHT_PX)
    assert rect is not None
    core = mouth_mask(landmarks_of(120), affine, rect, CROP, MaskConfig()) > 0.9
    loss, crop = loss_of(picture[..., 0].astype(np.float32))

    def detail(luma: NDArray[np.float32]) -> float:
        return float(np.square(cv2.Laplacian(luma, cv2.CV_32F)[core]).mean())

    film = detail(window([picture[..., 0].astype(np.float32)], rect, None)[0])  # type: ignore[arg-type]
    amount = loss.sharpening(NO_GRAIN)
    assert detail(to_film(crop, affine, rect)[..., 0]) < 0.6 * film
    assert amount > 0.3
    assert detail(to_film(sharpened(crop, amount), affine, rect)[..., 0]) == pytest.approx(film, rel=0.01)


def test_a_soft_film_is_not_made_sharper_than_it_is() -> None:
    assert loss_of(texture(1, blur_px=6)[..., 0].astype(np.float32))[0].sharpening(NO_GRAIN) < 0.1


def test_a_face_as_large_as_its_crop_is_not_sharpened() -> None:
    assert loss_of(texture(1, blur_px=1.5)[..., 0].astype(np.float32), eyes_px=40)[0].sharpening(NO_GRAIN) < 0.1


def test_the_films_grain_is_no_detail_that_was_lost() -> None:
    grain = Grain(6.0)
    soft = texture(1, blur_px=6)[..., 0].astype(np.float32)
    loss, _ = loss_of(soft + draw_grain(grain, HEIGHT_PX, WIDTH_PX, np.random.default_rng(2)))

    assert loss.sharpening(NO_GRAIN) > 1
    assert loss.sharpening(grain) < 0.2


def test_nothing_seen_and_nothing_to_see_are_not_sharpened() -> None:
    assert DetailLoss().sharpening(NO_GRAIN) == 0
    assert loss_of(np.full((HEIGHT_PX, WIDTH_PX), 90, np.float32))[0].sharpening(NO_GRAIN) == 0


def test_colours_are_not_sharpened() -> None:
    crop = np.zeros((64, 64, 3), np.float32)
    crop[:, :32], crop[:, 32:] = (200, 0, 100), (0, 200, 100)  # equally bright

    assert np.allclose(fine_detail(crop), 0)
    assert np.array_equal(sharpened(crop, 0.7), crop)


def painted_row(film: SyntheticFilm, folder: Path, painted: Pixels) -> dict:
    """One face, whose mouth is another one all the time."""
    landmarks = landmarks_of(120)
    affine = crop_affine(landmarks, CROP)
    rows = [
        {
            "pts": pts,
            "affine": affine.ravel().tolist(),
            "weight": 1.0,
            "landmarks": landmarks.ravel().tolist(),
            "source": crop_frame(rgb, affine, CROP.size_px).tobytes(),
            "crop": crop_frame(painted, affine, CROP.size_px).tobytes(),
        }
        for pts, rgb in rgb_frames(film.path, film.pts[0], film.end_pts)
    ]
    uri = ObjectStore(str(folder)).put_table("painted", pa.Table.from_pylist(rows, schema=PAINTED_FRAME))
    return painted_shot(film, uri, len(rows))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_another_mouth_of_the_same_texture_comes_out_as_sharp_as_the_film(tmp_path: Path, pixel_format: str) -> None:
    spec = FilmSpec(
        num_frames=3, cuts=(), width_px=WIDTH_PX, height_px=HEIGHT_PX, encoder=LOSSLESS, pixel_format=pixel_format
    )
    film = make_film(tmp_path / "film.mp4", spec, lambda _: below_the_nose(texture(1)))
    row = painted_row(film, tmp_path, texture(2))

    ratios = {}
    for most in (0.0, 1.0, 3.0):
        blend = BlendConfig(grain=0, most_sharpening=most)
        facts = CompositeShot(str(tmp_path), CROP, MaskConfig(least_cover=1), blend).facts(row)
        before, after, mask, _ = laid(film, facts["patch_uri"])[0]
        core = cv2.erode(mask.astype(np.uint8), np.ones((41, 41))) > 0
        old, new = (cv2.Laplacian(one[0].astype(np.float32), cv2.CV_32F)[core] for one in (before, after))
        ratios[most] = float(np.sqrt(np.square(new).mean() / np.square(old).mean()))

    assert ratios[0.0] < 0.75
    assert ratios[0.0] < ratios[1.0] < 1.1
    assert ratios[3.0] == pytest.approx(1, abs=0.1)


def test_a_film_without_what_is_asked_for_is_not_looked_at(tmp_path: Path) -> None:
    blend = BlendConfig(grain=0, most_sharpening=0)

    look = film_look(tmp_path / "no film", str(tmp_path / "no rows"), CROP, MaskConfig(), blend, nothing_before)

    assert (look.grains, look.sharpening) == ((), 0)


def nothing_before(pts: int, affine: NDArray[np.float64], rect: Rect) -> NDArray[np.float32]:
    return np.ones((rect.height, rect.width), np.float32)


MARGIN_PX = 5  # as around whatever is found before a face, whose edge is sharp


def left_half_hidden(pts: int, affine: NDArray[np.float64], rect: Rect) -> NDArray[np.float32]:
    columns = np.arange(rect.x, rect.x + rect.width)
    return np.broadcast_to(np.float32(columns >= WIDTH_PX // 2 + MARGIN_PX), (rect.height, rect.width))


def test_the_detail_of_a_thing_before_the_mouth_is_not_sharpened_for(tmp_path: Path) -> None:
    """A thing of fine detail before half of a soft face, of which crops lose nothing."""
    left = np.arange(WIDTH_PX)[:, None] < WIDTH_PX // 2
    spec = FilmSpec(num_frames=2, cuts=(), width_px=WIDTH_PX, height_px=HEIGHT_PX, encoder=LOSSLESS)
    film = make_film(tmp_path / "film.mp4", spec, lambda _: np.where(left, texture(1), texture(2, blur_px=6)))
    (track,) = painted_row(film, tmp_path, texture(2))["painted"]

    look, of_all = (
        film_look(film.path, track["painted_uri"], CROP, MaskConfig(), BlendConfig(grain=0), free)
        for free in (left_half_hidden, nothing_before)
    )

    assert of_all.sharpening > 0.4
    assert look.sharpening < 0.1


@pytest.mark.parametrize("amount", ["grain", "most_sharpening"])
def test_less_than_none_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=amount):
        BlendConfig(**{amount: -0.1})
