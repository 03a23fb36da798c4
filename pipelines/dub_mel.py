"""The mel windows of painted frames, from the sound around them: a shot of a long film reads a shot of its sound."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor

from diff2lip.config import SoundWindow
from diff2lip.mel import (
    NUM_MELS,
    SILENCE,
    STEPS_PER_WINDOW,
    heard_samples,
    log_mel_part,
    num_steps,
    window_start,
)
from pipelines.stored_sound import Sound

TILE_STEPS = 512  # 6.4 s; one length for all, so that a window has the same bits whichever frames are painted
TILES_KEPT = 4


class DubMel:
    """The log-mel of a dub, worked out tile by tile where it is asked for."""

    def __init__(self, sound: Sound, window: SoundWindow = SoundWindow.CENTRED) -> None:
        """`window`: where the steps of a frame lie, as its painter was trained."""
        self._sound, self._window_rule = sound, window
        self._num_steps = num_steps(len(sound))
        self._tile = lru_cache(TILES_KEPT)(self._work_out)

    def windows(self, times_s: Sequence[Fraction]) -> Tensor:
        """The mel windows around moments of the film.

        Args:
            times_s: film time of each frame, counted from the dub's sample 0.

        Returns:
            [F, 80, 16] as `mel_window` cuts them from the log-mel of the whole dub; silence where it has none.
        """
        return self.windows_from([window_start(time_s, self._window_rule) for time_s in times_s])

    def windows_from(self, firsts: Sequence[int]) -> Tensor:
        """[F, 80, 16] the mel windows that begin with these steps."""
        return torch.stack([self._window(first) for first in firsts])

    def _window(self, first: int) -> Tensor:
        tile_index, offset = divmod(first, TILE_STEPS)
        steps = self._tile(tile_index)
        if offset + STEPS_PER_WINDOW > TILE_STEPS:
            steps = torch.cat([steps, self._tile(tile_index + 1)], dim=1)
        return steps[:, offset : offset + STEPS_PER_WINDOW]

    def _work_out(self, index: int) -> Tensor:
        """[80, 512] of tile `index`, whose first step is 512 * index."""
        first, after = index * TILE_STEPS, (index + 1) * TILE_STEPS
        if first < 0 or first >= self._num_steps:
            return torch.full((NUM_MELS, TILE_STEPS), SILENCE)
        start, end = heard_samples(first, after)
        steps = log_mel_part(torch.from_numpy(self._sound[max(start, 0) : end]), first, after)
        steps[:, self._num_steps - first :] = SILENCE
        return steps
