"""The sound of the dub track: conformed to the film's length, mixed with music and effects when they are given."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.media.dub_sound import probe_sound
from pipelines.media.sound import panned_blocks

Floats = NDArray[np.float32]

AAC_RATES_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
AAC_LAYOUTS = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")
DELIVERY_RATE_HZ = 48_000


@dataclass(frozen=True, kw_only=True, slots=True)
class DubTrack:
    """What the dub track is made of."""

    dub: Path
    music_and_effects: Path | None
    sample_rate_hz: int
    layout: str

    def blocks(self, num_samples: int) -> Iterator[Floats]:
        """[C, n] blocks that add up to exactly `num_samples`, the first sample at the film's first moment."""
        stem = panned_blocks(self.dub, self.sample_rate_hz, self.layout)
        if self.music_and_effects is None:
            return _conformed(stem, num_samples)
        effects = panned_blocks(self.music_and_effects, self.sample_rate_hz, self.layout)
        return _sum(_conformed(stem, num_samples), _conformed(effects, num_samples))


def dub_track(dub: Path, music_and_effects: Path | None) -> DubTrack:
    """The dub track at the rate and layout of the M&E, or of the dub itself; 48 kHz stereo where AAC has neither."""
    leader = probe_sound(music_and_effects or dub)
    rate = leader.sample_rate_hz if leader.sample_rate_hz in AAC_RATES_HZ else DELIVERY_RATE_HZ
    layout = "5.1" if leader.layout == "5.1(side)" else leader.layout
    layout = layout if layout in AAC_LAYOUTS else "stereo"
    return DubTrack(dub=dub, music_and_effects=music_and_effects, sample_rate_hz=rate, layout=layout)


def _conformed(blocks: Iterator[Floats], num_samples: int) -> Iterator[Floats]:
    """The blocks cut, or padded with silence, to a length."""
    missing, channels = num_samples, 1
    for block in blocks:
        channels = len(block)
        if missing <= 0:
            return
        yield block[:, :missing]
        missing -= min(missing, block.shape[1])
    while missing > 0:
        size = min(missing, 1 << 16)
        yield np.zeros((channels, size), np.float32)
        missing -= size


def _sum(left: Iterator[Floats], right: Iterator[Floats]) -> Iterator[Floats]:
    """Sample-exact sum of two streams of blocks of one length, whatever their block sizes."""
    a, b = next(left, None), next(right, None)
    while a is not None and b is not None:
        size = min(a.shape[1], b.shape[1])
        yield a[:, :size] + b[:, :size]
        a = a[:, size:] if a.shape[1] > size else next(left, None)
        b = b[:, size:] if b.shape[1] > size else next(right, None)
