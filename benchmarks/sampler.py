"""What painting costs beside the published loop, and how near few steps come to many.

    python -m benchmarks.sampler [--frames 1] [--steps 25] [--threads 2] [--skip-paper]

Table 1, the published network with arbitrary weights: a plain re-statement of what the published loop does (the sound
encoded at each step, explicit attention, contiguous layout, float32) against ours, on the same frames and noise.
Table 2, the shipped model on real faces: mouth PSNR of each sampler against 250 steps of DDIM, beside its calls of the
network. Machines are noisy: both sides run in turns, and the ratios are what counts.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor, nn

from benchmarks.real_faces import RealFaces, real_faces
from diff2lip.blocks import AttentionBlock
from diff2lip.checkpoint import load_checkpoint
from diff2lip.config import Precision, Prediction, SamplerConfig, paper_model, published_sampler
from diff2lip.mouth_weight import crop_mask
from diff2lip.noise_levels import SPACINGS, published_levels
from diff2lip.precision import set_precision
from diff2lip.sampler import paint, track_noise
from diff2lip.solver import SOLVERS, ddim
from diff2lip.unet import Condition, UNet
from jobs.model_reference import resolve_model

ROUNDS = 2
CLIPS = ("clip-jwp-intro", "clip-obama-speech")
REFERENCE_STEPS = 250
STEPS = (4, 6, 8, 25)


class PublishedAttention(AttentionBlock):
    """The same attention written out: all weights of all pairs of pixels, softmax in float32."""

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        flat = x.reshape(batch, channels, -1)
        heads = self.qkv(self.norm(flat)).reshape(batch * self.num_heads, -1, height * width)
        q, k, v = heads.chunk(3, dim=1)
        scale = q.shape[1] ** -0.25
        weights = torch.einsum("bct,bcs->bts", q * scale, k * scale).float().softmax(-1).to(v.dtype)
        attended = torch.einsum("bts,bcs->bct", weights, v).reshape(batch, channels, -1)
        return (flat + self.proj_out(attended)).reshape(x.shape)


def arbitrary_network() -> UNet:
    """The published network with weights of a size that keeps its pictures finite."""
    torch.manual_seed(0)
    network = UNet(paper_model())
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1)
    return network.eval()


def published_costs(network: UNet) -> UNet:
    """A copy that spends what the published code spends."""
    plain = deepcopy(network)
    for module in plain.modules():
        if isinstance(module, AttentionBlock):
            module.__class__ = PublishedAttention
    return plain


def condition_of(network: UNet, frames: int, mel: Tensor) -> Condition:
    """Noise for pictures: the time does not depend on what they show."""
    size = network.config.crop.size_px
    source = torch.rand((frames, 3, size, size), generator=torch.Generator().manual_seed(1)) * 2 - 1
    mask = crop_mask(network.config.crop)
    noise = track_noise("film", 0, 0, size).expand_as(source)
    return Condition(source, mask, noise, source.flip(3), network.encode_sound(mel))


def paint_as_published(network: UNet, condition: Condition, mel: Tensor, steps: int) -> Tensor:
    """The published loop: the sound is encoded anew at each step."""

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        heard = Condition(condition.source, condition.mask, condition.noise, condition.reference, _again(network, mel))
        output: Tensor = network(x_t, t, heard)
        return output[:, :3]

    painted = ddim(predict, condition.noise, published_levels(steps), Prediction.EPS)
    return torch.where(condition.mask > 0, painted, condition.source)


def _again(network: UNet, mel: Tensor) -> Tensor:
    return network.encode_sound(mel)


def compare_with_published(frames: int, steps: int) -> None:
    """Table 1."""
    network, mel = arbitrary_network(), torch.linspace(-4, 4, frames * 1280).reshape(frames, 80, 16)
    plain, sampler = published_costs(network), replace(published_sampler(), steps=steps)
    unguided = SamplerConfig(guidance=1.0)  # guidance is no part of the published loop
    condition = condition_of(network, frames, mel)
    ours = network.to(memory_format=torch.channels_last)
    half = set_precision(deepcopy(ours), Precision.BF16)
    ways: dict[str, Callable[[], Tensor]] = {
        "published loop, fp32": lambda: paint_as_published(plain, condition, mel, steps),
        f"ours, {steps} steps, fp32": lambda: paint(ours, condition, sampler),
        f"ours, {steps} steps, bf16": lambda: paint(half, condition, sampler),
        "ours, default, fp32": lambda: paint(ours, condition, unguided),
        "ours, default, bf16": lambda: paint(half, condition, unguided),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    painted: dict[str, Tensor] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            begin = time.perf_counter()
            painted[name] = way()
            seconds[name].append(time.perf_counter() - begin)
    base = statistics.median(seconds["published loop, fp32"])
    print(f"{'paper, one frame':<28}{'s':>8}{'times faster':>14}{'largest difference':>20}")
    for name, times in seconds.items():
        apart = (painted[name] - painted["published loop, fp32"]).abs().max()
        took = statistics.median(times)
        print(f"{name:<28}{took / frames:>8.2f}{base / took:>14.2f}{float(apart):>20.1e}")


def mouth_psnr_db(painted: Tensor, wanted: Tensor, mask_row: int) -> float:
    """Mean over frames, of the painted rows alone, for values in [-1, 1]."""
    error = ((painted - wanted)[:, :, mask_row:] ** 2).mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / error)).mean())


def compare_with_many_steps(network: UNet, faces: list[RealFaces], guidance: float) -> None:
    """Table 2, for one guidance."""
    network = network.to(memory_format=torch.channels_last)
    crop = network.config.crop
    crops, references, windows = (
        torch.cat([getattr(one, name) for one in faces]) for name in ("crops", "references", "windows")
    )
    mask = crop_mask(crop)
    fill, start = (track_noise("film", 0, 0, crop.size_px, seed=seed) for seed in range(2))
    condition = Condition(crops, mask, fill.expand_as(crops), references, network.encode_sound(windows))

    def painted(sampler: SamplerConfig) -> Tensor:
        return paint(network, condition, sampler, start)

    many = painted(
        replace(published_sampler(), steps=REFERENCE_STEPS, guidance=guidance, guided_from=SamplerConfig().guided_from)
    )
    ways = [(solver, spacing) for spacing in SPACINGS for solver in SOLVERS]
    print(f"\nguidance {guidance}: mouth PSNR in dB against {REFERENCE_STEPS} steps, {len(crops)} real frames")
    print(f"{'steps':>6}" + "".join(f"{f'{solver}/{spacing}':>26}" for solver, spacing in ways))
    for steps in STEPS:
        row = [
            mouth_psnr_db(
                painted(replace(SamplerConfig(), steps=steps, solver=solver, spacing=spacing, guidance=guidance)),
                many,
                crop.mask_row,
            )
            for solver, spacing in ways
        ]
        print(f"{steps:>6}" + "".join(f"{value:>26.1f}" for value in row), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bundled:small")
    parser.add_argument("--frames", type=int, default=1)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-paper", action="store_true", help="only table 2")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with torch.inference_mode():
        if not args.skip_paper:
            compare_with_published(args.frames, args.steps)
        network = load_checkpoint(resolve_model(args.model).path).denoiser
        faces = [real_faces(clip, network.config.crop, 4) for clip in CLIPS]
        for guidance in (1.0, SamplerConfig().guidance):
            compare_with_many_steps(network, faces, guidance)


if __name__ == "__main__":
    main()
