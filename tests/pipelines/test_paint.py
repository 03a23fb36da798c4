"""Painting: what is painted, how it fades, and that nothing but its inputs decides a pixel."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from diff2lip.config import Precision, SamplerConfig
from pipelines.paint import FADE_FRAMES, Painter, fade_weights
from pipelines.storage import ObjectStore
from tests.tiny_model import TINY, save_tiny_model

SIZE = TINY.crop.size_px
SAMPLER = SamplerConfig(steps=2, frames_per_batch=4)
IDS = ("film", 0, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model") / "tiny.safetensors")


def pictures(count: int, seed: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8).tobytes() for _ in range(count)]


def windows(count: int, seed: int = 5) -> torch.Tensor:
    return torch.randn(count, 80, 16, generator=torch.Generator().manual_seed(seed)).clamp(-4, 4)


def painter(model: Path, folder: Path) -> Painter:
    return Painter(model, SAMPLER, ObjectStore(str(folder)), threads=2)


def test_what_lies_above_the_mask_is_the_source_to_the_bit_and_what_lies_below_is_painted(
    model: Path, tmp_path: Path
) -> None:
    crops = pictures(6, 0)

    painted = painter(model, tmp_path).paint(crops, pictures(6, 1), windows(6), IDS)

    known = 3 * SIZE * TINY.crop.mask_row
    assert [crop[:known] for crop in painted] == [crop[:known] for crop in crops]
    assert all(ours[known:] != source[known:] for ours, source in zip(painted, crops, strict=True))


def test_a_frame_is_painted_alike_whatever_else_is_in_its_batch(model: Path, tmp_path: Path) -> None:
    crops, references, mel = pictures(4, 0), pictures(4, 1), windows(4)
    together = painter(model, tmp_path / "one").paint(crops, references, mel, IDS)

    for index in range(4):
        part = slice(index, index + 1)
        alone = painter(model, tmp_path / f"alone{index}").paint(crops[part], references[part], mel[part], IDS)
        assert alone == together[part]


def test_other_sound_paints_other_pixels(model: Path, tmp_path: Path) -> None:
    crops, references = pictures(2, 0), pictures(2, 1)

    one = painter(model, tmp_path).paint(crops, references, windows(2, 5), IDS)
    other = painter(model, tmp_path).paint(crops, references, windows(2, 6), IDS)

    assert one != other


def test_a_batch_that_is_stored_is_not_painted_again(model: Path, tmp_path: Path) -> None:
    crops, references, mel = pictures(6, 0), pictures(6, 1), windows(6)
    painter(model, tmp_path).paint(crops, references, mel, IDS)
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    painter(model, tmp_path).paint(crops, references, mel, IDS)

    assert len(stored) == 2  # of four frames and of two
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == stored


def test_painting_fades_where_unpainted_frames_adjoin_and_not_at_a_cut() -> None:
    track = list(range(20))

    assert fade_weights(track, track) == [1.0] * 20
    weights = fade_weights(track, list(range(10)))
    assert weights[:6] == [1.0] * 6  # the shot begins painted
    assert weights[6:] == [1.0, *(step / (FADE_FRAMES + 1) for step in (3, 2, 1))]


def test_a_mouth_that_appears_or_goes_in_mid_shot_fades() -> None:
    track = list(range(20))
    ramp = [step / (FADE_FRAMES + 1) for step in (1, 2, 3)]

    assert fade_weights(track, track, begins_late=True) == [*ramp, *[1.0] * 17]
    assert fade_weights(track, track, ends_early=True) == [*[1.0] * 17, *ramp[::-1]]
    assert fade_weights(track, track[5:], begins_late=True)[:4] == [*ramp, 1.0]  # by its own frames


def test_half_precision_paints_nearly_the_same_and_is_kept_apart_in_storage(model: Path, tmp_path: Path) -> None:
    given = pictures(4, 0), pictures(4, 1), windows(4), IDS
    store = ObjectStore(str(tmp_path))
    full = Painter(model, SAMPLER, store, threads=2).paint(*given)
    half = Painter(model, replace(SAMPLER, precision=Precision.BF16), store, threads=2).paint(*given)

    apart = np.abs(np.frombuffer(b"".join(full), np.uint8).astype(int) - np.frombuffer(b"".join(half), np.uint8))
    assert half != full
    assert apart.mean() < 4
