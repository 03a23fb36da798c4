"""The cepstra are those of python_speech_features."""

import json

import numpy as np
import pytest
import torch

from diff2lip import mfcc as mfcc_module
from diff2lip.mfcc import mfcc
from tests.diff2lip.published import SYNCNET_FIGURES, WHOLE_RECORD, formula_normal, recorded

NOISE = torch.from_numpy((3000 * np.random.default_rng(0).standard_normal(16_000)).astype(np.int16))


def recorded_sound(salt: int) -> torch.Tensor:
    t = np.arange(32_000) / 16_000
    wave = 0.4 * np.sin(2 * np.pi * (120 + 900 * t) * t) + 0.05 * formula_normal("input:wav", (32_000,), salt)
    return torch.from_numpy((wave.astype(np.float32) * 32767).astype(np.int16))


def test_mfcc_is_the_published_one() -> None:
    cepstra = mfcc(recorded_sound(SYNCNET_FIGURES["salt"]))

    np.testing.assert_allclose(*recorded(SYNCNET_FIGURES["mfcc"]["mfcc"], cepstra), rtol=0, atol=1e-3)


@pytest.mark.skipif(not WHOLE_RECORD.is_file(), reason="the whole record does not lie beside the repository")
def test_mfcc_is_the_published_one_at_every_recorded_place() -> None:
    figures = json.loads(WHOLE_RECORD.read_text())

    cepstra = mfcc(recorded_sound(figures["salt"]))

    np.testing.assert_allclose(*recorded(figures["mfcc"]["mfcc"], cepstra), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("samples", "columns"), [(1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16_000, 99)])
def test_a_column_begins_every_10_ms_until_one_reaches_the_end(samples: int, columns: int) -> None:
    assert mfcc(NOISE[:samples]).shape == (13, columns)


def test_silence_has_the_log_of_the_smallest_number_as_energy_and_no_shape() -> None:
    cepstra = mfcc(torch.zeros(800, dtype=torch.int16))

    torch.testing.assert_close(cepstra[0], torch.full((4,), float(np.log(np.finfo(float).eps))))
    torch.testing.assert_close(cepstra[1:], torch.zeros(12, 4), atol=1e-6, rtol=0)


def test_a_sound_one_column_later_has_its_cepstra_one_column_later() -> None:
    quiet_start = torch.cat([torch.zeros(400, dtype=torch.int16), NOISE])
    later = torch.cat([torch.zeros(160, dtype=torch.int16), quiet_start])

    torch.testing.assert_close(mfcc(later)[:, 1:], mfcc(quiet_start), atol=1e-5, rtol=0)


def test_a_louder_sound_differs_in_its_energy_alone() -> None:
    quiet, loud = mfcc(NOISE), mfcc(2 * NOISE)

    torch.testing.assert_close(loud[0] - quiet[0], torch.full((99,), float(np.log(4))), atol=1e-5, rtol=0)
    torch.testing.assert_close(loud[1:], quiet[1:], atol=1e-4, rtol=0)


def test_a_long_sound_taken_in_parts_gives_what_it_gives_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mfcc(NOISE[:15_999])
    monkeypatch.setattr(mfcc_module, "COLUMNS_AT_ONCE", 7)

    torch.testing.assert_close(mfcc(NOISE[:15_999]), whole, atol=1e-5, rtol=0)


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="with samples in it"):
        mfcc(torch.zeros(0))
