"""How long a model paints a frame, and what the choices cost, as ratios within one run.

    python -m benchmarks.paint_speed [--model bundled:small] [--threads 2] [--device cuda] [--batches 4 32]

`--model published` is the published architecture with fresh weights: its speed does not depend on them. Machines are
noisy: look at the ratios, not at the seconds. The first row is the default sampler.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from diff2lip.checkpoint import load_checkpoint
from diff2lip.config import ModelConfig, Precision, SamplerConfig, published_sampler
from diff2lip.mouth_weight import crop_mask
from diff2lip.precision import set_precision
from diff2lip.sampler import paint, track_noise
from diff2lip.unet import Condition, UNet
from jobs.model_reference import resolve_model

ROUNDS = 3
PUBLISHED = "published"


def condition_of(denoiser: UNet, frames: int) -> Condition:
    """A batch of noise for pictures, where the network is; the time does not depend on what they show."""
    crop, device = denoiser.config.crop, next(denoiser.parameters()).device
    shape = (frames, 3, crop.size_px, crop.size_px)
    source = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    source = source.to(device, memory_format=torch.channels_last)
    noise = track_noise("film", 0, 0, crop.size_px).to(device).expand(shape)
    with torch.inference_mode():
        sound = denoiser.encode_sound(torch.zeros(frames, 80, 16, device=device))
    return Condition(source, crop_mask(crop).to(device), noise, source, sound)


def seconds_per_frame(denoiser: UNet, sampler: SamplerConfig) -> float:
    """Median of a few rounds, after one that warms up."""
    denoiser = set_precision(deepcopy(denoiser), sampler.precision)
    condition = condition_of(denoiser, sampler.frames_per_batch)
    times = [_seconds(lambda: paint(denoiser, condition, sampler)) for _ in range(ROUNDS + 1)]
    return statistics.median(times[1:]) / sampler.frames_per_batch


def gflop_per_frame(denoiser: UNet, sampler: SamplerConfig) -> float:
    """Multiplications and additions of one painted frame: all steps, all passes, and the sound once."""
    condition = condition_of(denoiser, 1)
    with torch.inference_mode(), FlopCounterMode(display=False) as step:
        denoiser(condition.source, torch.zeros(1, device=condition.source.device), condition)
    with torch.inference_mode(), FlopCounterMode(display=False) as sound:
        denoiser.encode_sound(torch.zeros(1, 80, 16, device=condition.source.device))
    return float(step.get_total_flops() * sampler.calls + sound.get_total_flops()) / 1e9


def _seconds(work: Callable[[], Tensor]) -> float:
    """Until the pictures are in the machine's own memory."""
    begin = time.perf_counter()
    work().cpu()
    return time.perf_counter() - begin


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else device


def _network(model: str) -> UNet:
    return UNet(ModelConfig()).eval() if model == PUBLISHED else load_checkpoint(resolve_model(model).path).denoiser


def _samplers(batches: list[int]) -> dict[str, SamplerConfig]:
    rows = {"default": SamplerConfig(), "no guidance": SamplerConfig(guidance=1.0), "8 steps": SamplerConfig(steps=8)}
    rows |= {"published": published_sampler(), "bf16": SamplerConfig(precision=Precision.BF16)}
    for size in batches:
        rows[f"batch {size}"] = SamplerConfig(frames_per_batch=size)
        rows[f"batch {size}, bf16"] = SamplerConfig(frames_per_batch=size, precision=Precision.BF16)
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:small")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batches", type=int, nargs="*", default=[4, 32])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    denoiser = _network(args.model).to(args.device).to(memory_format=torch.channels_last)
    default, rows = SamplerConfig(), _samplers(args.batches)
    print(f"{args.model} on {_device_name(args.device)}, torch {torch.__version__}")
    print(f"{'sampler':<16}{'s a frame':>12}{'ratio':>8}{'GFLOP a frame':>16}{'GFLOP/s':>10}")
    first = seconds_per_frame(denoiser, default)
    for name, sampler in rows.items():
        seconds = first if sampler == default else seconds_per_frame(denoiser, sampler)
        gflop = gflop_per_frame(denoiser, sampler)
        print(f"{name:<16}{seconds:>12.4f}{seconds / first:>8.2f}{gflop:>16.1f}{gflop / seconds:>10.1f}")


if __name__ == "__main__":
    main()
