"""Training windows made up: mouths that are as bright as their sound is loud, on noise."""

import torch

from diff2lip.windows import Windows


def bright_windows(count: int, size_px: int, first_id: int = 0) -> Windows:
    """Five frames whose lower half says how loud it is; the other moment has another loudness."""
    generator = torch.Generator().manual_seed(first_id)
    loud = torch.rand(count, generator=generator) * 2 - 1
    other = torch.where(loud > 0, loud - 1, loud + 1)
    target = 0.1 * torch.randn(count, 5, 3, size_px, size_px, generator=generator)
    target[..., size_px // 2 :, :] += 0.8 * loud[:, None, None, None, None]
    reference = 0.1 * torch.randn(count, 3, size_px, size_px, generator=generator)
    return Windows(
        ids=torch.arange(first_id, first_id + count),
        target=target.clamp(-1, 1),
        reference=reference.clamp(-1, 1),
        mel=_sound(loud)[:, None].repeat(1, 5, 1, 1),
        sync_mel=_sound(loud)[:, None],
        other_mel=_sound(other)[:, None],
    )


def part(windows: Windows, chosen: slice) -> Windows:
    """Some windows of a batch."""
    return Windows(*(getattr(windows, name)[chosen] for name in Windows.__slots__))


def _sound(loud: torch.Tensor) -> torch.Tensor:
    """[B, 80, 16] in [-4, 4]."""
    return (4 * loud)[:, None, None].expand(-1, 80, 16).clone()
