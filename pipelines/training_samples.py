"""Training samples for the `small` painter, drawn on the device from stills, clips and speech.

A portrait sample is a still whose mouth is warped to the viseme of a moment of speech, with the same still at
another mouth as reference. A clip sample is a real frame with its own sound and another frame of its clip. What
would let a network recognise a person instead of looking at the reference is changed in both alike: colour,
shape, sharpness.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.config import CropConfig
from pipelines.portrait import MouthFrame, warp_mouth
from pipelines.training_pack import STEPS_BEFORE, Clips, Speech, Stills, Window

STEPS_WINDOW = 16
HEARD_SHARE = 0.5  # of real frames that come with their own sound
CANDIDATES = 32  # moments of speech among which one is looked up that fits a silent frame
warp = warp_mouth  # a trainer may put a compiled one here


@dataclass(frozen=True, slots=True)
class Samples:
    """A batch.

    Attributes:
        target: [B, 3, S, S] crops to paint, in [-1, 1].
        reference: [B, 3, S, S] the same person at another mouth.
        mel: [B, 80, 16] in [-4, 4].
        viseme: [B, 2] opening and width; NaN where unknown.
    """

    target: Tensor
    reference: Tensor
    mel: Tensor
    viseme: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Augment:
    """How strongly source and reference are changed; 0 of all gives crops as a film yields them."""

    shared: float = 1.0  # colour, elastic shape, sharpness: the same for target and reference
    pose: float = 1.0  # how differently the two crops lie


def portrait_samples(
    stills: Stills, speech: Speech, crop: CropConfig, count: int, augment: Augment, generator: torch.Generator
) -> Samples:
    """Portraits that say what is heard: `count` samples."""
    device = stills.images.device
    who = torch.randint(len(stills.images), (count,), generator=generator, device=device)
    mel, viseme = heard_speech(speech, count, generator)
    other = speech.visemes[_moments(speech, count, generator)]
    images = stills.images[who].float() / 255
    mouth = MouthFrame.from_points(stills.mouths[who])
    gain = _uniform((count,), 0.5, 0.95, generator, device)  # some people open wider than others
    target = warp(images, mouth, viseme[:, 0] * gain, viseme[:, 1])
    reference = warp(images, mouth, other[:, 0] * gain, other[:, 1])
    target, reference = _dress(target, reference, stills.window, crop, augment, generator)
    return Samples(target, reference, mel, viseme)


def heard_speech(speech: Speech, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mel windows [count, 80, 16] of random moments, and the visemes [count, 2] said there."""
    step = _moments(speech, count, generator)
    return _hear(speech.mel, step, generator), speech.visemes[step]


def _moments(speech: Speech, count: int, generator: torch.Generator) -> Tensor:
    device = speech.usable.device
    return speech.usable[torch.randint(len(speech.usable), (count,), generator=generator, device=device)]


def clip_samples(
    clips: Clips, speech: Speech, crop: CropConfig, count: int, augment: Augment, generator: torch.Generator
) -> Samples:
    """Real frames with their own sound, or, where they have none, with speech of such an opening: `count` samples."""
    device = clips.frames.device
    heard = clips.heard > 0
    chance = torch.where(heard, HEARD_SHARE / heard.sum(), (1 - HEARD_SHARE) / (~heard).sum())
    index = torch.multinomial(chance, count, replacement=True, generator=generator)
    first, last = clips.clip_first[index], clips.clip_last[index]
    spread = _uniform((count,), 0, 1, generator, device)
    other = (first + (spread * (last - first + 1)).long()).clamp(max=last)
    other = torch.where(other == index, torch.where(index < last, index + 1, first), other)
    target, reference = clips.frames[index].float() / 255, clips.frames[other].float() / 255
    target, reference = _dress(target, reference, clips.window, crop, augment, generator)
    unknown = torch.full((count, 2), float("nan"), device=device)
    own, lent = _hear(clips.mel, clips.steps[index], generator), _lent(speech, clips.rank[index], generator)
    mel = torch.where(clips.heard[index][:, None, None] > 0, own, lent)
    return Samples(target, reference, mel, unknown)


def _lent(speech: Speech, rank: Tensor, generator: torch.Generator) -> Tensor:
    """Mel windows of moments whose opening lies, among all speech, about where the frame's lies in its clip."""
    count = len(rank) * CANDIDATES
    moments = _moments(speech, count, generator).reshape(-1, CANDIDATES)
    openings = speech.visemes[moments, 0]
    place = torch.searchsorted(speech.openings, openings.contiguous()).float() / len(speech.openings)
    nearest = (place - rank[:, None]).abs().argmin(1, keepdim=True)
    return _hear(speech.mel, moments.gather(1, nearest)[:, 0], generator)


def join(first: Samples, second: Samples) -> Samples:
    """Both batches as one."""
    names = ("target", "reference", "mel", "viseme")
    return Samples(*(torch.cat([getattr(first, name), getattr(second, name)]) for name in names))


def mel_windows(mel: Tensor, step: Tensor) -> Tensor:
    """[B, 80, 16] windows around steps [B] of a track [80, T] of bytes over [-4, 4]."""
    offsets = torch.arange(STEPS_WINDOW, device=mel.device) - STEPS_BEFORE
    window = mel[:, step[:, None] + offsets].permute(1, 0, 2)  # [80, B, 16] -> [B, 80, 16]
    return window.float() * (8 / 255) - 4


def crop_images(images: Tensor, window: Window, crop: CropConfig, grid_shift: Tensor | None = None) -> Tensor:
    """[B, 3, S, S] crops in [0, 1] of canonical windows; `grid_shift` [B, S, S, 2] moves where each pixel looks."""
    face = _crop_points(crop, images.device).expand(len(images), -1, -1, -1)
    return _look(images, window, face if grid_shift is None else face + grid_shift)


def _dress(
    target: Tensor, reference: Tensor, window: Window, crop: CropConfig, augment: Augment, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Both windows cropped and changed; in [-1, 1]."""
    count, device = len(target), target.device
    face = _crop_points(crop, device).expand(count, -1, -1, -1)
    shared = _pose(face, 0.6 * augment.shared, generator) + _elastic(face, 0.035 * augment.shared, generator)
    still = (_uniform((count, 1, 1, 1), 0, 1, generator, device) < 0.35).float()
    moved = _pose(face, 0.5 * augment.pose, generator) * (1 - still)
    flip = torch.where(_uniform((count, 1, 1, 1), 0, 1, generator, device) < 0.5, -1.0, 1.0)
    mirror = torch.cat([flip, torch.ones_like(flip)], -1)
    pair = [
        _look(target, window, (face + shared) * mirror),
        _look(reference, window, (face + shared + moved) * mirror),
    ]
    pair = _recolour(pair, augment.shared, generator)
    pair = _soften(pair, augment.shared, generator)
    return pair[0] * 2 - 1, pair[1] * 2 - 1


def _crop_points(crop: CropConfig, device: torch.device) -> Tensor:
    """[1, S, S, 2] face-frame points of the crop's pixel centres."""
    along = (torch.arange(crop.size_px, device=device) + 0.5) / crop.size_px * crop.width
    y, x = torch.meshgrid(along + crop.top, along + crop.left, indexing="ij")
    return torch.stack([x, y], -1)[None]


def _look(images: Tensor, window: Window, face: Tensor) -> Tensor:
    """Images at face-frame points: [B, 3, S, S] in [0, 1]."""
    low = face.new_tensor([window.left, window.top])
    grid = (face - low) / window.size * 2 - 1
    return functional.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)


def _pose(face: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Shift of each point by a random rotation, scale, squeeze, shear and shift about the mouth: [B, S, S, 2]."""
    count, device = len(face), face.device
    angle = _normal((count,), 0.06, generator, device) * strength
    scale = 1 + _normal((count,), 0.05, generator, device) * strength
    squeeze = 1 + _normal((count,), 0.05, generator, device) * strength
    shear = _normal((count,), 0.05, generator, device) * strength
    shift = _normal((count, 1, 1, 2), 0.025, generator, device) * strength
    cos, sin = angle.cos(), angle.sin()
    rows = [torch.stack([cos * squeeze, shear - sin], -1), torch.stack([sin, cos], -1)]
    linear = torch.stack(rows, -2) * scale[:, None, None]
    centre = face.new_tensor([0.0, 0.75])
    return torch.einsum("bij,bhwj->bhwi", linear, face - centre) + centre + shift - face


def _elastic(face: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """A smooth random shift field: another bone structure; [B, S, S, 2]."""
    count, device = len(face), face.device
    coarse = _normal((count, 2, 5, 5), strength, generator, device)
    coarse = coarse * _uniform((count, 1, 1, 1), 0, 1, generator, device)
    field = functional.interpolate(coarse, face.shape[1:3], mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)


def _recolour(pair: list[Tensor], strength: float, generator: torch.Generator) -> list[Tensor]:
    """Channel mixing, gain, gamma and offset, the same for both; light that differs a little between them."""
    count, device = len(pair[0]), pair[0].device
    eye = torch.eye(3, device=device)
    amount = torch.where(_uniform((count, 1, 1), 0, 1, generator, device) < 0.25, 0.5, 0.08) * strength
    mix = eye + torch.randn((count, 3, 3), generator=generator, device=device) * amount
    mix = mix / mix.sum(2, keepdim=True).clamp(min=0.3)
    gamma = torch.exp(_normal((count, 1, 1, 1), 0.25, generator, device) * strength)
    gain = torch.exp(_normal((count, 3, 1, 1), 0.12, generator, device) * strength)
    offset = _normal((count, 3, 1, 1), 0.04, generator, device) * strength
    light = torch.exp(_normal((count, 1, 1, 1), 0.03, generator, device) * strength)
    mixed = [torch.einsum("bij,bjhw->bihw", mix, image).clamp(1e-4, 1) ** gamma * gain + offset for image in pair]
    return [mixed[0].clamp(0, 1), (mixed[1] * light).clamp(0, 1)]


def _soften(pair: list[Tensor], strength: float, generator: torch.Generator) -> list[Tensor]:
    """Some pairs as if the film had fewer pixels than the crop."""
    size = pair[0].shape[-1]
    count, device = len(pair[0]), pair[0].device
    chance = _uniform((count, 1, 1, 1), 0, 1, generator, device)
    result = []
    for image in pair:
        soft = image
        for share, bound in ((0.6, 0.15), (0.4, 0.08)):
            small = functional.interpolate(image, scale_factor=share, mode="bilinear", antialias=True)
            blurred = functional.interpolate(small, (size, size), mode="bicubic", align_corners=False).clamp(0, 1)
            soft = torch.where(chance < bound * strength, blurred, soft)
        result.append(soft)
    return result


def _hear(mel: Tensor, step: Tensor, generator: torch.Generator) -> Tensor:
    """Windows as other voices, levels, rooms and microphones would give them."""
    window = mel_windows(mel, step)
    count, device = len(window), window.device
    window = _shift_bands(window, _normal((count,), 1.5, generator, device))
    level = _uniform((count, 1, 1), -12, 5, generator, device) * 0.08  # 1 dB is 0.08 of the log-mel scale
    tilt = (
        _normal((count, 1, 1), 0.4, generator, device) * torch.linspace(-1, 1, window.shape[1], device=device)[:, None]
    )
    floor = _uniform((count, 1, 1), -4.5, -1.5, generator, device)
    noise = floor + 0.3 * torch.randn(window.shape, generator=generator, device=device)
    return torch.logaddexp((window + level + tilt) * 3, noise * 3).div(3).clamp(-4, 4)


def _shift_bands(window: Tensor, bands: Tensor) -> Tensor:
    """Mel windows moved by a fraction of bands: a longer or shorter vocal tract."""
    rows = torch.arange(window.shape[1], device=window.device) - bands[:, None]
    low = rows.floor().clamp(0, window.shape[1] - 1)
    share = (rows - low).clamp(0, 1)[:, :, None]
    below = window.gather(1, low.long()[:, :, None].expand_as(window))
    above = window.gather(1, (low + 1).clamp(max=window.shape[1] - 1).long()[:, :, None].expand_as(window))
    return below + share * (above - below)


def _uniform(
    shape: tuple[int, ...], low: float, high: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    return torch.rand(shape, generator=generator, device=device) * (high - low) + low


def _normal(shape: tuple[int, ...], sigma: float, generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randn(shape, generator=generator, device=device) * sigma
