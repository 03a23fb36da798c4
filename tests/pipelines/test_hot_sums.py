"""A dub whose sum is louder than full scale is delivered clipped, told, and found to be what it should be."""

import json
from pathlib import Path

import numpy as np
import pytest

from jobs.delivered_sound import clipping
from pipelines.media.wave64 import write_wave64
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_stitch import FAST
from tests.shared_sound import music, speech
from tests.synthetic import FilmSpec, make_film

LIMITED = 0.9  # each of the two stays below full scale, their sum does not


def limited(sound: np.ndarray) -> np.ndarray:
    return (LIMITED * np.tanh(4 * sound / np.abs(sound).max())).astype(np.float32)


def floats(path: Path, sound: np.ndarray) -> Path:
    """[N] in stereo, as floats: what is above full scale stays."""
    with path.open("wb") as file:
        write_wave64(file, iter([np.stack([sound, sound])]), 48_000, "stereo")
    return path


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mkv", "flac")])
@pytest.mark.parametrize("kind", ["dub_stem", "dub_mix"])
def test_a_limited_stem_and_limited_effects_are_delivered_and_told_to_clip(
    tmp_path: Path, suffix: str, codec: str, kind: str
) -> None:
    spec = FilmSpec(num_frames=75, cuts=(), width_px=64, height_px=48, sound_codec=codec)
    film = make_film(tmp_path / f"film.{suffix}", spec)
    voice, effects = (limited(make(np.random.default_rng(5), 3, 48_000)) for make in (speech, music))
    given = [voice + effects] if kind == "dub_mix" else [voice, effects]  # the same sum as one file of floats
    files = [floats(tmp_path / f"{place}.w64", sound) for place, sound in enumerate(given)]
    row = film_row(film, dub=files[0], dub_kind=kind, **({"me_stem": files[1]} if files[1:] else {}))
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    made = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert made["failure"] is None
    manifest = json.loads(Path(made["delivered_uri"]).with_name("manifest.json").read_text())
    level_db = 20 * np.log10(float(np.abs(voice + effects).max()))
    assert level_db > 3
    assert f"{level_db:+.1f} dB over full scale" in clipping(manifest)
