"""The samples of a mix as they lie on the film: shifted, and resampled where it drifts (the SoX resampler)."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from pipelines.conform_fit import ConformFit

Floats = NDArray[np.float32]


def conformed_blocks(blocks: Iterable[Floats], sample_rate_hz: int, fit: ConformFit) -> Iterator[Floats]:
    """A mix as it lies on the film.

    Args:
        blocks: [C, n] of the mix.
        sample_rate_hz: of both.
        fit: how it lies.

    Yields:
        [C, n] blocks, the first sample at the film's first frame.
    """
    shifted = _shifted(blocks, round(fit.lag_s * sample_rate_hz))
    if fit.rate == 1:
        yield from shifted
        return
    stream: soxr.ResampleStream | None = None
    for block in shifted:
        if stream is None:
            stream = soxr.ResampleStream(
                fit.rate * sample_rate_hz, sample_rate_hz, len(block), dtype="float32", quality="VHQ"
            )
        yield np.atleast_2d(stream.resample_chunk(_frames(block)).T)
    if stream is not None:
        yield np.atleast_2d(stream.resample_chunk(_frames(block[:, :0]), last=True).T)


def _frames(block: Floats) -> Floats:
    """[n] of one channel, [n, C] of more: as the resampler takes them."""
    return np.ascontiguousarray(block[0] if len(block) == 1 else block.T)


def _shifted(blocks: Iterable[Floats], late: int) -> Iterator[Floats]:
    """The blocks without their first samples, or behind silence where they come early."""
    for block in blocks:
        if late < 0:
            yield np.zeros((len(block), -late), np.float32)
            late = 0
        fresh = block[:, late:]
        late = max(0, late - block.shape[1])
        if fresh.shape[1]:
            yield fresh
