"""Speech played faster or slower at its own pitch: FFmpeg's `atempo`.

It joins overlapping pieces where their waves fit best: Verhelst and Roelands, "An overlap-add technique based on
waveform similarity (WSOLA) for high quality time-scale modification of speech" (1993).
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NotYetError
from av.error import EOFError as EndError
from av.filter import Graph
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LAYOUTS = {1: "mono", 2: "stereo"}


def at_tempo(samples: Floats, sample_rate_hz: int, tempo: float) -> Floats:
    """The same sound, `tempo` times as fast.

    Args:
        samples: [C, N] of one channel or two.
        sample_rate_hz: of both.
        tempo: 0.5 to 2.

    Returns:
        [C, round(N / tempo)]; the sound itself, to the bit, at a tempo of 1.

    Raises:
        ValueError: another tempo.
    """
    if not 0.5 <= tempo <= 2:
        raise ValueError(f"tempo must be 0.5 to 2, got {tempo:g}")
    if tempo == 1 or not samples.shape[1]:
        return samples
    played = np.concatenate([samples[:, :0], *_filtered(samples, sample_rate_hz, tempo)], axis=1)
    length = round(samples.shape[1] / tempo)
    return np.pad(played[:, :length], ((0, 0), (0, max(0, length - played.shape[1]))))


def _filtered(samples: Floats, sample_rate_hz: int, tempo: float) -> Iterator[Floats]:
    layout, graph = LAYOUTS[len(samples)], Graph()
    time_base = Fraction(1, sample_rate_hz)
    source = graph.add_abuffer(sample_rate=sample_rate_hz, format="fltp", layout=layout, time_base=time_base)
    stages = [source, graph.add("atempo", f"{tempo:.9f}"), graph.add("aformat", "sample_fmts=fltp")]
    sink = graph.add("abuffersink")
    graph.link_nodes(*stages, sink).configure()
    sound = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    sound.sample_rate, sound.pts, sound.time_base = sample_rate_hz, 0, time_base
    source.push(sound)
    source.push(None)
    while True:
        try:
            frame = sink.pull()
            assert isinstance(frame, AudioFrame)
            yield np.asarray(frame.to_ndarray(), np.float32)
        except (EndError, NotYetError):
            return
