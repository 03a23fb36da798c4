"""What a trained painter is worth, on people, seconds and voices that it never saw.

Mouth PSNR with the right sound, with another moment's sound and of the copied reference, at the crop's scale around
the mouth; and, on portraits whose mouths are known, how well the painted opening follows the true one.
"""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torchvision.utils import save_image

from diff2lip.config import CropConfig, SamplerConfig
from diff2lip.sampler import paint, track_noise
from diff2lip.unet import Condition, UNet
from pipelines.portrait import MouthFrame, warp_mouth
from pipelines.training_pack import Clips, Pack, Speech, Stills
from pipelines.training_samples import crop_images, mel_windows

SAMPLER = SamplerConfig()
OPENINGS, WIDTHS = 11, 5  # the grid of mouths among which the painted one is looked up
Figures = dict[str, float]


def check_painter(denoiser: UNet, pack: Pack, out: Path) -> Figures:
    """All figures, with contact sheets written beside."""
    denoiser = denoiser.eval()
    figures: Figures = {}
    for name, clips in pack.held_clips.items():
        figures |= {f"{name}/{key}": value for key, value in check_clips(denoiser, clips, out / f"{name}.png").items()}
    portraits = check_portraits(denoiser, pack.held_stills, pack.held_speech, out / "portraits.png")
    seen = check_portraits(denoiser, pack.stills, pack.held_speech, out / "portraits_seen.png")
    figures |= {f"portraits/{key}": value for key, value in portraits.items()}
    return figures | {f"portraits_seen/{key}": value for key, value in seen.items()}


def check_clips(denoiser: UNet, clips: Clips, sheet: Path) -> Figures:
    """Real frames: PSNR in dB of the mouth, reference from elsewhere in the clip; and a sheet painted as in a film."""
    crop = denoiser.config.crop
    chosen = torch.linspace(0, len(clips.frames) - 1, min(64, len(clips.frames)), device=clips.frames.device).long()
    first, length = clips.clip_first[chosen], clips.clip_last[chosen] - clips.clip_first[chosen] + 1
    other = first + (chosen - first + length // 2) % length  # half a clip away, the same person
    crops = crop_images(clips.frames.float() / 255, clips.window, crop) * 2 - 1
    source, reference = crops[chosen], crops[other]
    mel = mel_windows(clips.mel, clips.steps)
    right = _paint(denoiser, source, reference, mel[chosen])
    shuffled = _paint(denoiser, source, reference, mel[other])
    in_film = _paint(denoiser, source, source, mel[chosen])
    silent = _paint(denoiser, source, source, torch.full_like(mel[chosen], -4.0))
    _sheet([source, in_film, silent, right, shuffled], sheet)
    return {
        "right_db": _mouth_psnr(right, source, crop),
        "shuffled_db": _mouth_psnr(shuffled, source, crop),
        "reference_db": _mouth_psnr(reference, source, crop),
    }


def check_portraits(denoiser: UNet, stills: Stills, speech: Speech, sheet: Path, num_stills: int = 8) -> Figures:
    """Stills with known mouths, a voice never heard: PSNR, and the correlation of painted with true opening."""
    crop, device = denoiser.config.crop, stills.images.device
    num_stills = min(num_stills, len(stills.images))
    generator = torch.Generator(device).manual_seed(3)
    per_still = 24
    step = speech.usable[
        torch.randint(len(speech.usable), (num_stills * per_still,), generator=generator, device=device)
    ]
    who = torch.arange(num_stills, device=device).repeat_interleave(per_still)
    viseme, other = speech.visemes[step], speech.visemes[step.roll(7)]
    render = _renderer(stills, crop)
    source, reference = render(who, viseme), render(who, other)
    mel = mel_windows(speech.mel, step)
    right, shuffled = _paint(denoiser, source, reference, mel), _paint(denoiser, source, reference, mel.roll(7, 0))
    painted = torch.cat([_opening(render, index, right[who == index], crop) for index in range(num_stills)])
    _sheet(
        [
            part.reshape(num_stills, per_still, *part.shape[1:])[:, :8].flatten(0, 1)
            for part in (source, reference, right)
        ],
        sheet,
    )
    return {
        "right_db": _mouth_psnr(right, source, crop),
        "shuffled_db": _mouth_psnr(shuffled, source, crop),
        "reference_db": _mouth_psnr(reference, source, crop),
        "opening_correlation": float(torch.corrcoef(torch.stack([painted, viseme[:, 0]]))[0, 1]),
        "loudness_correlation": float(torch.corrcoef(torch.stack([mel[:, :, 6:10].mean((1, 2)), viseme[:, 0]]))[0, 1]),
    }


def _renderer(stills: Stills, crop: CropConfig) -> Callable[[Tensor, Tensor], Tensor]:
    def render(who: Tensor, viseme: Tensor) -> Tensor:
        mouth = MouthFrame.from_points(stills.mouths[who])
        images = warp_mouth(stills.images[who].float() / 255, mouth, viseme[:, 0], viseme[:, 1])
        return crop_images(images, stills.window, crop) * 2 - 1

    return render


def _opening(render: Callable[[Tensor, Tensor], Tensor], index: int, painted: Tensor, crop: CropConfig) -> Tensor:
    """[B] opening of the nearest of a still's mouths."""
    device = painted.device
    a, w = torch.linspace(0, 1, OPENINGS, device=device), torch.linspace(-1, 1, WIDTHS, device=device)
    grid = torch.cartesian_prod(a, w)
    mouths = _mouth(render(torch.full((len(grid),), index, device=device), grid), crop).flatten(1)
    nearest = torch.cdist(_mouth(painted, crop).flatten(1), mouths).argmin(1)
    return grid[nearest, 0]


def _paint(denoiser: UNet, source: Tensor, reference: Tensor, mel: Tensor) -> Tensor:
    crop = denoiser.config.crop
    mask = torch.zeros(1, 1, crop.size_px, crop.size_px, device=source.device)
    mask[:, :, crop.mask_row :] = 1
    noise, start = (track_noise("check", 0, 0, crop.size_px, seed).to(source.device) for seed in range(2))
    painted = []
    for first in range(0, len(source), 64):
        part = slice(first, first + 64)
        with torch.inference_mode():
            sound = denoiser.encode_sound(mel[part])
        here = Condition(source[part], mask, noise.expand_as(source[part]), reference[part], sound)
        painted.append(paint(denoiser, here, SAMPLER, start))
    return torch.cat(painted).clone()


def _mouth(crops: Tensor, crop: CropConfig) -> Tensor:
    """The lips and what they uncover: 0.42 face units either side, from under the nose to above the chin."""
    scale = crop.size_px / crop.width
    left, right = (round((edge - crop.left) * scale) for edge in (-0.42, 0.42))
    upper, lower = (round((edge - crop.top) * scale) for edge in (0.62, 1.12))
    return crops[:, :, upper:lower, left:right]


def _mouth_psnr(painted: Tensor, truth: Tensor, crop: CropConfig) -> float:
    error = ((_mouth(painted, crop) - _mouth(truth, crop)) / 2).square().mean()
    return 10 * math.log10(1 / max(float(error), 1e-10))


def _sheet(rows: list[Tensor], path: Path, columns: int = 16) -> None:
    """Rows of crops, one under the other, in blocks of `columns`."""
    count = min(len(rows[0]), 2 * columns) if len(rows) > 3 else len(rows[0])
    pieces = [row[first : first + columns] for first in range(0, count, columns) for row in rows]
    save_image((torch.cat(pieces) + 1) / 2, path, nrow=columns)
