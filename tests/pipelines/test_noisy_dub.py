"""White noise, of which AAC keeps least, is found to be the dub that it is, however short the film."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.wave64 import write_wave64
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_stitch import FAST
from tests.synthetic import FilmSpec, make_film


@pytest.mark.parametrize("num_frames", [10, 25, 75])
@pytest.mark.parametrize("rms", [0.1, 0.3])
def test_white_noise_in_four_channels_holds(tmp_path: Path, num_frames: int, rms: float) -> None:
    spec = FilmSpec(num_frames=num_frames, cuts=(), width_px=64, height_px=48, layout="4.0")
    film = make_film(tmp_path / "film.mp4", spec)
    noise = np.random.default_rng(1).normal(0, rms, (4, num_frames * 48_000 // 25)).clip(-1, 1)
    with (tmp_path / "dub.w64").open("wb") as file:
        write_wave64(file, iter([noise.astype(np.float32)]), 48_000, "4.0")
    row = film_row(film, dub=tmp_path / "dub.w64", dub_kind="dub_mix")
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    assert stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film["failure"] is None
