"""How well a painted patch sits in its film: the flicker between frames, the seam in each, what lies outside.

The same definitions as the dub measures its own patches by, on tensors. Luma is in 8-bit codes.
"""

import torch
from torch import Tensor

SEAM_FLOOR = 0.5  # codes: below it a gradient is noise
FLICKER_FLOOR = 0.25  # codes of mean luma: below it nobody sees a change
LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601


def luma(frames: Tensor) -> Tensor:
    """[F, H, W] luma of RGB frames [F, 3, H, W], on their scale: Y = 0.299 R + 0.587 G + 0.114 B (BT.601)."""
    return (frames.float() * frames.new_tensor(LUMA_WEIGHTS, dtype=torch.float32)[:, None, None]).sum(1)


def flicker_ratio(before: Tensor, after: Tensor, mask: Tensor) -> float | None:
    """Frame-to-frame jitter of mean luma in the mask, painted over original.

    Jitter is the mean absolute second difference over time: a mouth that opens steadily has none. 1 = as calm as it
    was, 0.25 codes added to both sides so that a still face does not divide by nothing.

    Args:
        before: [F, H, W] luma of the film in 8-bit codes.
        after: [F, H, W] with the patch.
        mask: [F or 1, H, W] in [0, 1], 1 = painted. Frames without a mask do not count.

    Returns:
        The ratio; None below three frames.

    Raises:
        ValueError: the shapes do not go together.
    """
    _require_frames(before, after, mask)
    weights = mask.float().expand(len(before), -1, -1)
    total = weights.sum((1, 2))
    seen = total > 0
    if int(seen.sum()) < 3:
        return None
    old, new = (
        (frames.float() * weights).sum((1, 2))[seen].div(total[seen]).diff(n=2).abs().mean()
        for frames in (before, after)
    )
    return float((new + FLICKER_FLOOR) / (old + FLICKER_FLOOR))


def seam_ratio(before: Tensor, after: Tensor, mask: Tensor) -> float | None:
    """Mean gradient of luma across the feather of the mask, painted over original; 1 = as smooth as it was.

    The gradient is that of central differences, averaged over the samples with 0 < mask < 1 of each frame, then over
    frames; 0.5 codes are added to both sides.

    Args:
        before: [F, H, W] luma of the film in 8-bit codes.
        after: [F, H, W] with the patch.
        mask: [F or 1, H, W] in [0, 1].

    Returns:
        The ratio; None where no mask has a feather.

    Raises:
        ValueError: the shapes do not go together.
    """
    _require_frames(before, after, mask)
    contour = ((mask > 0) & (mask < 1)).expand(len(before), -1, -1)
    counts = contour.sum((1, 2))
    if not counts.any():
        return None
    old, new = (
        (_gradient(frames.float()) * contour).sum((1, 2))[counts > 0].div(counts[counts > 0]).mean()
        for frames in (before, after)
    )
    return float((new + SEAM_FLOOR) / (old + SEAM_FLOOR))


def outside_change(before: Tensor, after: Tensor, mask: Tensor) -> Tensor:
    """The largest change of a sample where the mask is 0, of each frame: 0 when only the mask was painted.

    Args:
        before: [F, H, W] or [F, C, H, W], of any dtype.
        after: the same with the patch.
        mask: [F or 1, H, W].

    Returns:
        [F] float32, in the codes of the frames.

    Raises:
        ValueError: the shapes do not go together.
    """
    change = (after.float() - before.float()).abs()
    change = change.amax(1) if change.ndim == 4 else change
    _require_frames(change, change, mask)
    return (change * (mask == 0)).amax((1, 2))


def _gradient(frames: Tensor) -> Tensor:
    """[F, H, W] length of the gradient by central differences, one-sided at the border."""
    down, across = torch.gradient(frames, dim=(1, 2))
    return torch.hypot(down, across)


def _require_frames(before: Tensor, after: Tensor, mask: Tensor) -> None:
    one_each = mask.ndim == 3 and mask.shape[1:] == before.shape[1:] and len(mask) in (1, len(before))
    if before.shape != after.shape or before.ndim != 3 or not one_each:
        shapes = ", ".join(str(list(tensor.shape)) for tensor in (before, after, mask))
        raise ValueError(f"need [F, H, W] twice and a mask [F or 1, H, W], got {shapes}")
