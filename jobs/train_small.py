"""Trains the `small` painter from a training pack: a plain loop, until the training pipeline replaces it.

    python -m jobs.train_small --pack FOLDER --out FOLDER --minutes 9

First the audio encoder learns visemes by itself, which takes seconds; then the painter starts from it. The loss is

    L = mean(W (v' - v)^2) + l_x0 mean(W |x_0' - x_0|) + l_grad mean(W |grad x_0' - grad x_0|) + l_aux L_viseme

over the mask, W heavier around the mouth, with more weight on high noise levels, where the mouth is decided.
"""

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from diff2lip.checkpoint import save_checkpoint
from diff2lip.config import small_model
from diff2lip.diffusion import add_noise, alpha_bars, clean_estimate, velocity
from diff2lip.losses import gradient_loss, l1_loss, simple_loss
from diff2lip.mouth_weight import crop_mask, mouth_weight
from diff2lip.noise_levels import NUM_LEVELS
from diff2lip.unet import Condition, UNet
from jobs.training_check import check_painter
from pipelines import training_samples
from pipelines.portrait import warp_mouth
from pipelines.training_pack import Pack, load_pack
from pipelines.training_samples import Augment, Samples, clip_samples, heard_speech, join, portrait_samples


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """One training run."""

    minutes: float = 9.0
    pretrain_s: float = 15.0  # the audio encoder alone
    batch: int = 384
    reuse: int = 2  # steps on one draw of pictures, each with other noise: drawing costs as much as a step
    clip_share: float = 0.3  # of real frames in a batch
    learning_rate: float = 8e-4
    warmup_steps: int = 200
    ema_decay: float = 0.9995
    drop_sound: float = 0.12  # so that guidance can strengthen it
    mouth_weight: float = 4.0
    x0_weight: float = 1.0
    gradient_weight: float = 1.0
    viseme_weight: float = 0.3
    first_share: float = 0.0  # of the whole schedule, when a run goes on from another
    last_share: float = 1.0
    seed: int = 0


class VisemeHead(nn.Module):
    """Mean of the audio encoder's map to opening and width; only used while training."""

    def __init__(self, denoiser: UNet) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.linear = nn.Linear(denoiser.audio_encoder.out_channels, 2)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """The style vector [B, E] and the visemes [B, 2] of mel windows [B, 80, 16]."""
        heard = self.denoiser.audio_encoder(mel)
        return self.denoiser.audio_encoder_to_style(heard), self.linear(heard.mean((2, 3)))


class Trainer:
    """Model, average, optimiser and the step that moves them."""

    def __init__(self, pack: Pack, config: TrainConfig, device: torch.device) -> None:
        self.pack, self.config, self.device = pack, config, device
        torch.manual_seed(config.seed)
        self.denoiser = UNet(small_model()).to(memory_format=torch.channels_last).to(device)
        self.head = VisemeHead(self.denoiser).to(device)
        self.average = copy.deepcopy(self.denoiser).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.head.parameters(), lr=config.learning_rate, weight_decay=0.01, fused=device.type == "cuda"
        )
        self.generator = torch.Generator(device).manual_seed(config.seed + 1)
        self.shares = alpha_bars().float().to(device)
        self.crop = self.denoiser.config.crop
        self.mask = crop_mask(self.crop).to(device)
        self.weight = mouth_weight(self.crop, config.mouth_weight).to(device)
        self.predict = torch.compile(self.denoiser) if device.type == "cuda" else self.denoiser
        self.step = 0
        self.samples: Samples | None = None

    def pretrain(self) -> None:
        """Sound to viseme, by itself."""
        optimiser = torch.optim.AdamW(self.head.parameters(), lr=1e-3)
        end = time.monotonic() + self.config.pretrain_s
        while time.monotonic() < end:
            mel, viseme = heard_speech(self.pack.speech, 2048, self.generator)
            with torch.autocast(self.device.type, torch.bfloat16):
                _, seen = self.head(mel)
            loss = functional.mse_loss(seen.float(), viseme)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
        print(f"pretrained: viseme error {loss.item():.4f}", flush=True)

    def draw(self) -> Samples:
        """A batch of portraits and real frames."""
        real = round(self.config.batch * self.config.clip_share)
        portraits = portrait_samples(
            self.pack.stills, self.pack.speech, self.crop, self.config.batch - real, Augment(), self.generator
        )
        return join(
            portraits, clip_samples(self.pack.clips, self.pack.speech, self.crop, real, Augment(), self.generator)
        )

    def loss(self, samples: Samples) -> dict[str, Tensor]:
        """Each term of the loss, weighted."""
        count = len(samples.target)
        draw = torch.rand((count,), generator=self.generator, device=self.device)
        high = torch.rand((count,), generator=self.generator, device=self.device) < 0.5
        t = (torch.where(high, 0.55 + 0.45 * draw, draw) * NUM_LEVELS).long().clamp(max=NUM_LEVELS - 1)
        share = self.shares[t][:, None, None, None]
        eps, fill = (torch.randn(samples.target.shape, generator=self.generator, device=self.device) for _ in range(2))
        keep = (torch.rand((count,), generator=self.generator, device=self.device) > self.config.drop_sound).float()
        x_t = add_noise(samples.target, eps, share)
        with torch.autocast(self.device.type, torch.bfloat16):
            style, viseme = self.head(samples.mel)
            sound = style * keep[:, None]
            condition = Condition(samples.target, self.mask, fill, samples.reference, sound)
            predicted = self.predict(x_t, t, condition)
        predicted = predicted.float()
        clean = clean_estimate(x_t, predicted, share, self.denoiser.config.prediction)
        known = ~viseme.isnan().any(1) & ~samples.viseme.isnan().any(1)
        return {
            "v": simple_loss(predicted, velocity(samples.target, eps, share), self.weight),
            "x0": self.config.x0_weight * l1_loss(clean, samples.target, self.weight),
            "gradient": self.config.gradient_weight * gradient_loss(clean, samples.target, self.weight),
            "viseme": self.config.viseme_weight * functional.mse_loss(viseme.float()[known], samples.viseme[known]),
        }

    def advance(self, done_share: float) -> dict[str, float]:
        """One step of the optimiser; `done_share` of the schedule is behind us."""
        if self.samples is None or self.step % self.config.reuse == 0:
            self.samples = self.draw()
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate(done_share)
        terms = self.loss(self.samples)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(terms.values())).sum())
        nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self.optimiser.step()
        self._average()
        self.step += 1
        return {name: float(term.detach()) for name, term in terms.items()} if self.step % 100 == 0 else {}

    def _learning_rate(self, done_share: float) -> float:
        warm = min(1.0, (self.step + 1) / self.config.warmup_steps)
        return self.config.learning_rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done_share)))

    def _average(self) -> None:
        decay = min(self.config.ema_decay, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.denoiser.parameters()), 1 - decay)

    def state(self) -> dict[str, object]:
        """Everything that a run which goes on needs."""
        return {
            "head": self.head.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }

    def resume(self, state: dict[str, object]) -> None:
        """Go on from `state()`."""
        self.head.load_state_dict(state["head"])  # type: ignore[arg-type]
        self.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        self.step = int(str(state["step"]))
        self.generator.manual_seed(self.config.seed + 1 + self.step)


def train(pack_folder: Path, out: Path, config: TrainConfig, state_path: Path) -> None:
    """Train for the given minutes, then check and save; goes on from `state_path` when it is there."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    if device.type == "cuda":
        training_samples.warp = torch.compile(warp_mouth)  # a hundred small operations become a few
    pack = load_pack(pack_folder, device)
    trainer = Trainer(pack, config, device)
    begin = time.monotonic()
    if state_path.exists():
        trainer.resume(torch.load(state_path, map_location=device, weights_only=True))
    else:
        trainer.pretrain()
    length, last_word = 60 * config.minutes, time.monotonic()
    while (elapsed := time.monotonic() - begin) < length:
        share = config.first_share + (config.last_share - config.first_share) * elapsed / length
        terms = trainer.advance(share)
        if terms and time.monotonic() - last_word > 15:
            last_word = time.monotonic()
            shown = " ".join(f"{name} {value:.4f}" for name, value in terms.items())
            print(
                f"{elapsed:6.0f} s  step {trainer.step}  {trainer.step * config.batch / 1e6:.2f} M  {shown}",
                flush=True,
            )
    torch.save(trainer.state(), state_path)
    out.mkdir(parents=True, exist_ok=True)
    figures = check_painter(trainer.average, pack, out)
    figures |= {"steps": trainer.step, "samples": trainer.step * config.batch}
    (out / "figures.json").write_text(json.dumps(figures, indent=1))
    lineage = {"recipe": "small", "figures": json.dumps(figures)}
    save_checkpoint(out / "small.safetensors", trainer.average, lineage, torch.float16)
    print(json.dumps(figures, indent=1))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="where a run stops and the next goes on")
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--batch", type=int, default=384)
    parser.add_argument("--first-share", type=float, default=0.0)
    parser.add_argument("--last-share", type=float, default=1.0)
    args = parser.parse_args()
    config = TrainConfig(
        minutes=args.minutes, batch=args.batch, first_share=args.first_share, last_share=args.last_share
    )
    train(args.pack, args.out, config, args.state or args.out / "state.pt")


if __name__ == "__main__":
    main()
