"""A dub of which only the offset of its converter is left for a while is found to be what it should be."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.sound import write_wav
from pipelines.verify import verify_films
from tests.pipelines.test_wrong_films import failed, speech_like, written
from tests.synthetic import FilmSpec, make_film

OFFSET = 0.003  # -50 dB, above what counts as silent
NUM_FRAMES = 316  # 12.64 s: the second block, after 10.9 s, holds the offset alone


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mov", "pcm_s24le")])
def test_a_dub_whose_speech_is_followed_by_an_offset_alone_holds(tmp_path: Path, suffix: str, codec: str) -> None:
    spec = FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=64, height_px=48, sound_codec=codec)
    film = make_film(tmp_path / f"film.{suffix}", spec)
    dub = np.full(NUM_FRAMES * 48_000 // 25, OFFSET, np.float32)
    dub[:96_000] += speech_like()
    write_wav(tmp_path / "dub.wav", dub, 48_000)

    delivered = written(film, dub, name=f"made.{suffix}")

    assert failed(verify_films(film.path, delivered, tmp_path / "dub.wav")) == set()
