"""Loudness and peaks are those that EBU Tech 3341 and plain arithmetic say; clipping is counted across blocks."""

import numpy as np
import pytest

from pipelines.media.loudness import Loudness, LoudnessMeter

HZ = 48_000


def tone(dbfs: float, seconds: float, sample_rate_hz: int = HZ, frequency_hz: float = 1000.0) -> np.ndarray:
    """[N] a sine whose peak is so loud."""
    time_s = np.arange(round(seconds * sample_rate_hz)) / sample_rate_hz
    return np.asarray(10 ** (dbfs / 20) * np.sin(2 * np.pi * frequency_hz * time_s), np.float32)


def measured(samples: np.ndarray, layout: str = "stereo", sample_rate_hz: int = HZ, block: int = 7001) -> Loudness:
    meter = LoudnessMeter(sample_rate_hz, layout)
    for start in range(0, samples.shape[1], block):
        meter.hear(samples[:, start : start + block])
    return meter.measured()


@pytest.mark.parametrize("sample_rate_hz", [32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("dbfs", [-23.0, -33.0])
def test_a_stereo_sine_measures_its_level(sample_rate_hz: int, dbfs: float) -> None:
    found = measured(tone(dbfs, 20, sample_rate_hz)[None].repeat(2, 0), sample_rate_hz=sample_rate_hz)

    assert found.integrated_lufs == pytest.approx(dbfs, abs=0.1)  # EBU Tech 3341, cases 1 and 2
    assert found.sample_peak_dbfs == pytest.approx(dbfs, abs=0.01)
    assert found.range_lu == pytest.approx(0, abs=0.1)


def test_what_is_softer_than_the_gates_does_not_count() -> None:
    parts = [tone(-72, 10), tone(-36, 10), tone(-23, 60), tone(-36, 10), tone(-72, 10)]

    found = measured(np.concatenate(parts)[None].repeat(2, 0))

    assert found.integrated_lufs == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341, case 4


def test_surround_counts_by_its_weights_and_low_frequency_effects_do_not() -> None:
    levels = {"FL": -28.0, "FR": -28.0, "FC": -24.0, "LFE": 0.0, "SL": -30.0, "SR": -30.0}
    samples = np.stack([tone(level, 20) for level in levels.values()])

    assert measured(samples, "5.1(side)").integrated_lufs == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341, case 6


def test_a_peak_between_samples_is_a_true_peak() -> None:
    time = np.arange(2 * HZ)
    fade = np.minimum(1, np.minimum(time, time[::-1]) / HZ * 5)
    samples = np.asarray(0.5 * fade * np.sin(2 * np.pi * time / 4 + np.pi / 4), np.float32)

    found = measured(samples[None].repeat(2, 0))

    assert found.sample_peak_dbfs == pytest.approx(-9.03, abs=0.02)
    assert -6.4 <= (found.true_peak_dbtp or 0) <= -5.8  # EBU Tech 3341, case 15


@pytest.mark.parametrize("sample_rate_hz", [8_000, 48_000, 192_000, 384_000])
def test_a_true_peak_is_never_below_the_sample_peak(sample_rate_hz: int) -> None:
    samples = np.zeros((1, sample_rate_hz), np.float32)
    samples[0, sample_rate_hz // 2] = 0.50049

    found = measured(samples, "mono", sample_rate_hz)

    assert found.sample_peak_dbfs == pytest.approx(-6.01, abs=0.01)
    assert (found.true_peak_dbtp or -99) >= (found.sample_peak_dbfs or 0)


def test_loudness_range_is_the_step_between_two_levels() -> None:
    samples = np.concatenate([tone(-20, 20), tone(-30, 20)])[None].repeat(2, 0)

    assert measured(samples).range_lu == pytest.approx(10, abs=1)  # EBU Tech 3342, case 1


@pytest.mark.parametrize("block", [1, 2, 3, 7, 5000])
def test_clipping_is_counted_in_runs_wherever_blocks_end(block: int) -> None:
    samples = np.zeros((2, 60), np.float32)
    samples[0, 10:14] = 1.0  # a run of 4
    samples[0, 20:22] = 1.0  # a peak
    samples[1, 30:33] = -1.0
    samples[1, 33:35] = 1.2
    samples[1, 57:] = 1.0

    assert measured(samples, block=block).num_clipped == 4 + 3 + 3


def test_floats_above_full_scale_are_not_cut_off() -> None:
    found = measured(tone(3.5, 1)[None], "mono")

    assert (found.num_clipped, found.sample_peak_dbfs) == (0, pytest.approx(3.5, abs=0.01))
    assert measured(np.clip(tone(3.5, 1), -1, 1)[None], "mono").num_clipped > HZ / 4


def test_silence_has_no_loudness_and_no_peak() -> None:
    found = measured(np.zeros((1, 100), np.float32), "mono")

    assert found == Loudness(
        integrated_lufs=None,
        range_lu=None,
        true_peak_dbtp=None,
        sample_peak_dbfs=None,
        num_clipped=0,
        peaks_dbfs=(None,),
    )


def test_eight_channels_are_heard() -> None:
    samples = np.stack([tone(-20 - index, 2) for index in range(8)])

    found = measured(samples, "7.1")

    assert [round(peak or 0) for peak in found.peaks_dbfs] == [-20, -21, -22, -23, -24, -25, -26, -27]
