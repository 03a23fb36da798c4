"""Loudness, true peak and clipping of a sound: ITU-R BS.1770-4 with EBU R 128's gates, by FFmpeg's `ebur128`."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

Floats = NDArray[np.float32]

GATE_LUFS = -70.0  # the absolute gate: what is softer has no loudness
FULL_SCALE = 1 - 2**-15  # the largest sample of 16 bits
CLIPPED_RUN = 3  # samples at full scale one after another: a peak has one, or two
STEP_S = Fraction(1, 10)  # the filter tells every 100 ms
FEWEST_STEPS = 4  # a gating block has 400 ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Loudness:
    """What a sound measures.

    Attributes:
        integrated_lufs: programme loudness; None where nothing passes the gate.
        range_lu: loudness range (EBU Tech 3342); None as above.
        true_peak_dbtp: of all channels, at 192 kHz, to 0.001 of full scale, never below the sample peak; None of
            digital silence.
        sample_peak_dbfs: of all channels; None of digital silence.
        num_clipped: samples in runs of at least three at full scale. What is louder, in floats, is not cut off.
        peaks_dbfs: sample peak of each channel; None of digital silence.
    """

    integrated_lufs: float | None
    range_lu: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None
    num_clipped: int
    peaks_dbfs: tuple[float | None, ...]


class LoudnessMeter:
    """Hears a sound block by block.

    Args:
        sample_rate_hz: of the blocks.
        layout: FFmpeg's name of their channels.
    """

    def __init__(self, sample_rate_hz: int, layout: str) -> None:
        self._rate, self._layout, self._position = sample_rate_hz, layout, 0
        self._graph = Graph()
        time_base = Fraction(1, sample_rate_hz)
        source = self._graph.add_abuffer(sample_rate=sample_rate_hz, format="flt", layout=layout, time_base=time_base)
        self._graph.link_nodes(
            source, self._graph.add("ebur128", "metadata=1:peak=true"), self._graph.add("abuffersink")
        )
        self._graph.configure()
        channels = av.AudioLayout(layout).nb_channels
        self._told: dict[str, str] = {}
        self._peaks = np.zeros(channels, np.float32)
        self._runs = np.zeros(channels, np.int64)  # samples at full scale with which the last block ended
        self._num_clipped = 0

    def hear(self, block: Floats) -> None:
        """Take in [C, n] samples."""
        if not block.shape[1]:
            return
        self._peaks = np.maximum(self._peaks, np.abs(block).max(1))
        self._num_clipped += sum(self._clipped(channel, samples) for channel, samples in enumerate(block))
        self._push(block)

    def measured(self) -> Loudness:
        """What was heard; the meter is used up."""
        step = round(STEP_S * self._rate)
        missing = max(FEWEST_STEPS * step - self._position, -self._position % step)
        self._push(np.zeros((len(self._peaks), missing), np.float32))
        integrated = float(self._told.get("lavfi.r128.I", "-inf"))
        is_heard = integrated > GATE_LUFS
        return Loudness(
            integrated_lufs=integrated if is_heard else None,
            range_lu=float(self._told["lavfi.r128.LRA"]) if is_heard else None,
            true_peak_dbtp=_decibels(
                max(float(self._told.get("lavfi.r128.true_peak", "0")), float(self._peaks.max()))
            ),
            sample_peak_dbfs=_decibels(float(self._peaks.max())),
            num_clipped=self._num_clipped,
            peaks_dbfs=tuple(_decibels(float(peak)) for peak in self._peaks),
        )

    def _push(self, block: Floats) -> None:
        step = round(STEP_S * self._rate)
        for first in range(0, block.shape[1], step):
            packed = np.ascontiguousarray(block[:, first : first + step].T, np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "flt", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, self._position, Fraction(1, self._rate)
            self._position += frame.samples
            self._graph.push(frame)
            self._pull()

    def _pull(self) -> None:
        while True:
            try:
                self._told = dict(self._graph.pull().metadata)
            except (av.BlockingIOError, av.EOFError):
                return

    def _clipped(self, channel: int, samples: Floats) -> int:
        """How many samples belong to runs of full scale, those included that the blocks before ended with."""
        before = int(self._runs[channel])
        levels = np.abs(samples)
        full = np.concatenate([np.ones(before, bool), (levels >= FULL_SCALE) & (levels <= 1)])
        edges = np.flatnonzero(np.diff(np.pad(full, 1).astype(np.int8)))
        runs = edges[1::2] - edges[::2]
        counted = int(runs[runs >= CLIPPED_RUN].sum()) - (before if before >= CLIPPED_RUN else 0)
        self._runs[channel] = runs[-1] if full[-1] else 0
        return counted


def _decibels(peak: float) -> float | None:
    return None if peak <= 0 else round(20 * float(np.log10(peak)), 2)
