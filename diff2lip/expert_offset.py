"""Where an expert finds the sound of a clip, beside where it is: one that has learnt finds it in its place.

Chung & Zisserman, "Out of Time: Automated Lip Sync in the Wild" (2016), section 4.1, with the expert's cosine in place
of the judge's distance.
"""

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.losses import expert_faces
from diff2lip.syncnet import WINDOW_FRAMES, Expert

REACH = 7  # frames, both ways: 280 ms
MIN_FRAMES = WINDOW_FRAMES + 2 * REACH
WINDOW_STEP = 2  # frames between windows that are looked at


class TooShortError(ValueError):
    """A clip too short to shift its sound against its picture."""


@torch.inference_mode()
def expert_offset(expert: Expert, frames: Tensor, sounds: Tensor) -> int:
    """By how many frames the sound that fits best comes later than the picture; 0 where both are in sync.

    Args:
        expert: in eval mode.
        frames: [F, 3, S, S] crops in [-1, 1] at 25 fps.
        sounds: [F, 80, 16] mel windows: what five frames from each on hear.

    Raises:
        TooShortError: fewer than 19 frames.
    """
    if len(frames) < MIN_FRAMES:
        raise TooShortError(f"{len(frames)} frames, {MIN_FRAMES} are needed to shift by {REACH} both ways")
    firsts = torch.arange(REACH, len(frames) - WINDOW_FRAMES - REACH + 1, WINDOW_STEP)
    windows = torch.stack([frames[first : first + WINDOW_FRAMES] for first in firsts.tolist()])
    faces = torch.cat([expert.embed_faces(expert_faces(expert, part)) for part in torch.split(windows, 16)])
    heard = expert.embed_sound(sounds[:, None])
    likeness = [
        functional.cosine_similarity(heard[firsts + shift], faces).mean() for shift in range(-REACH, REACH + 1)
    ]
    return int(torch.stack(likeness).argmax()) - REACH
