"""Takes as small files: mono Opus in Ogg."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

OPUS_RATE_HZ = 48_000
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)
BIT_RATE = 48_000  # speech is transparent there
FRAME_SAMPLES_S = Fraction(1, 50)


def write_opus(path: Path, samples: NDArray[np.float32], sample_rate_hz: int) -> None:
    """Write [N] mono samples in [-1, 1] as Opus; same samples, same bytes.

    Raises:
        ValueError: Opus does not know the rate.
    """
    if sample_rate_hz not in OPUS_RATES_HZ:
        raise ValueError(f"Opus knows {', '.join(map(str, OPUS_RATES_HZ))} Hz, got {sample_rate_hz}")
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact", "serial_offset": "0"}) as out:
        stream = out.add_stream("libopus", rate=sample_rate_hz, layout="mono", options={"application": "audio"})
        stream.bit_rate = BIT_RATE
        step = round(FRAME_SAMPLES_S * sample_rate_hz)
        for start in range(0, len(samples), step):
            block = np.ascontiguousarray(samples[None, start : start + step], np.float32)
            frame = av.AudioFrame.from_ndarray(block, "flt", "mono")
            frame.sample_rate, frame.pts, frame.time_base = sample_rate_hz, start, Fraction(1, sample_rate_hz)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
