"""PQ films are shown to the models as an ordinary screen would show them, and what is painted goes back."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.coding import Coding
from pipelines.media.hdr import BRIGHTEST, PQ, WHITE, to_code, to_light
from pipelines.media.ordinary_screen import filmed, shown
from pipelines.media.picture import coding_of, frames, to_rgb
from tests.synthetic import FilmSpec, make_film


@pytest.mark.parametrize(
    ("light", "code"),
    [(0.0, 0.0), (100.0, 0.508), (203.0, 0.581), (1000.0, 0.752), (4000.0, 0.903), (10_000.0, 1.0)],
)
def test_codes_of_light_are_those_of_the_standard(light: float, code: float) -> None:
    assert float(to_code(np.array(light))) == pytest.approx(code, abs=6e-4)  # BT.2408, Table 1; ST 2084
    assert float(to_light(np.array(code))) == pytest.approx(light, rel=1e-2, abs=1e-3)


def screen_of(light: np.ndarray) -> np.ndarray:
    """[N] what the models see of grey in PQ, 0..255, without a word of its primaries."""
    codes = np.rint(to_code(light) * 0xFFFF).astype(np.uint16)
    return shown(np.repeat(codes[None, :, None], 3, 2), PQ, 2)[0, :, 0]


def test_what_an_ordinary_screen_shows_goes_back_to_the_code() -> None:
    light = np.geomspace(0.5, 0.9 * BRIGHTEST, 60)

    seen = screen_of(light)

    assert np.all(np.diff(seen.astype(int)) >= 0)
    back = to_light(filmed(seen / 255, PQ, 2))
    assert (
        np.abs(back[light < WHITE] / light[light < WHITE] - 1).max() < 0.06
    )  # half a code of 8 bits, where it is dark
    assert np.abs(back / light - 1).max() < 0.25  # few codes are left for what is brighter than white
    assert to_light(filmed(np.array(1.0), PQ, 2)) == pytest.approx(BRIGHTEST, rel=1e-3)


def test_up_to_three_quarters_of_reference_white_light_is_shown_as_it_is() -> None:
    light = np.array([10.0, 50.0, 150.0])

    seen = screen_of(light) / 255

    assert seen**2.4 * WHITE == pytest.approx(light, rel=0.03)


def pq_of(rgb: np.ndarray) -> np.ndarray:
    """8-bit codes of a PQ film that shows what an SDR film of BT.1886 shows, white at 203 cd/m2."""
    return np.asarray(np.rint(255 * to_code((rgb / 255) ** 2.4 * WHITE)), np.uint8)


def test_models_see_a_pq_film_as_they_see_the_same_film_in_sdr(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(40, 200, 160).astype(np.uint8)[None, :, None], (120, 1, 3))
    facts = {"num_frames": 2, "cuts": (), "languages": (), "pixel_format": "yuv420p10le", "width_px": 160}
    sdr = make_film(tmp_path / "sdr.mp4", FilmSpec(colour=(9, 9, 14, 1), **facts), lambda index: ramp)
    pq = make_film(tmp_path / "pq.mp4", FilmSpec(colour=(9, 9, 16, 1), **facts), lambda index: pq_of(ramp))

    (_, plain), *_ = frames(sdr.path, 0, sdr.end_pts)
    (_, high), *_ = frames(pq.path, 0, pq.end_pts)

    dark = ramp < 215  # below the knee
    difference = to_rgb(high).astype(int) - to_rgb(plain).astype(int)
    assert np.abs(difference[dark]).max() <= 4  # 8-bit codes of PQ are coarse
    assert np.abs(to_rgb(high)[..., 0].astype(int) - ramp[..., 0]).mean() < 2


def test_colours_come_back_in_the_films_own_codes(tmp_path: Path) -> None:
    spec = FilmSpec(num_frames=2, cuts=(), languages=(), pixel_format="yuv444p10le", colour=(9, 9, 16, 1))
    film = make_film(tmp_path / "film.mp4", spec, lambda index: np.full((120, 160, 3), (120, 90, 70), np.uint8))
    (_, frame), *_ = frames(film.path, 0, film.end_pts)
    coding = coding_of(frame)
    assert coding == Coding(bits=10, chroma_x=1, chroma_y=1, matrix=9, full_range=False, transfer=16, primaries=9)

    codes = coding.yuv(to_rgb(frame).astype(np.float32))

    planes = [np.frombuffer(memoryview(plane), np.uint16)[0] for plane in frame.planes]
    assert np.abs(codes[5, 5] - planes).max() < 4  # of 10 bits: one code of the 8 bits that the models see
