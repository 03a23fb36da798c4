"""What is measured of the painted frames of one pair, frame after frame: no clip is held in memory whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diff2lip.frechet import frechet_features
from diff2lip.landmark_distance import Alignment
from diff2lip.lse import SoundTooShortError, TooFewFramesError, measure_lse
from diff2lip.patch_quality import luma, outside_change
from diff2lip.perceptual import perceptual_distance
from diff2lip.picture_likeness import psnr, ssim
from diff2lip.syncnet import JUDGE_SIZE_PX
from pipelines.instruments import Instruments
from pipelines.mouth_meter import Figures
from pipelines.patch_meter import PatchMeter
from pipelines.picture_difference import EQUAL_DB
from pipelines.published_path import PaintedFrame

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

FRAMES_AT_ONCE = 8
CODES = 255.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterConfig:
    """How pairs are measured."""

    lmd_alignment: Alignment = Alignment.TRANSLATION  # as published
    sampled_every: int = 5  # frames: perceptual and Frechet networks cost as much as painting; neighbours are alike

    def __post_init__(self) -> None:
        if self.sampled_every < 1:
            raise ValueError(f"sampled_every must be at least 1, got {self.sampled_every}")


@dataclass(slots=True)
class PairFeatures:
    """Features of the Frechet distance: [N, 1280] float32 of the real frames and of the painted ones."""

    real: list[Tensor] = field(default_factory=list)
    painted: list[Tensor] = field(default_factory=list)


class PairMeter:
    """Looks at the painted frames of one pair."""

    def __init__(
        self, instruments: Instruments, config: MeterConfig, *, has_truth: bool, source_is_real: bool
    ) -> None:
        """Prepare.

        Args:
            instruments: what is measured with.
            config: how.
            has_truth: the clip that is heard is the one that is seen: its frames are what the painted ones should be.
            source_is_real: the model was given the clip's own frames, not its first one over and over.
        """
        self._instruments, self._config = instruments, config
        self._has_truth, self._source_is_real = has_truth, source_is_real
        self._patch = PatchMeter()
        self._sums: dict[str, list[Tensor]] = {}
        self._outside = 0.0
        self._judged: list[Pixels] = []
        self.features = PairFeatures()
        self.num_frames = 0
        self.size_px = (0, 0)  # width and height

    def watching(self, frames: Iterable[PaintedFrame], truth: Iterable[Pixels]) -> Iterator[PaintedFrame]:
        """The same painted frames, measured as they are taken.

        Args:
            frames: of the pair.
            truth: the frames of the clip that is heard; those beyond its end have none.
        """
        painted, true = iter(frames), iter(truth)
        while chunk := list(islice(painted, FRAMES_AT_ONCE)):
            self._see(chunk, list(islice(true, len(chunk))))
            yield from chunk

    def figures(self, sound: Tensor) -> Figures:
        """What was seen, put together; None where a measure was not taken.

        Args:
            sound: [N] mono at 16 kHz that the frames were painted to.
        """
        means: Figures = {name: float(torch.cat(parts).mean()) for name, parts in self._sums.items()}
        return {
            **means,
            **self._lse(sound),
            "seam_ratio": self._patch.seam_ratio,
            "flicker_ratio": self._patch.flicker_ratio,
            "outside_change": self._outside,
        }

    def _see(self, chunk: list[PaintedFrame], truth: list[Pixels]) -> None:
        painted, source = (_stacked([getattr(frame, name) for frame in chunk]) for name in ("painted", "source"))
        parts = torch.from_numpy(np.stack([frame.part for frame in chunk]))
        self.size_px = painted.shape[3], painted.shape[2]
        self._outside = max(self._outside, float(outside_change(source, painted, parts).max()))
        for place, (old, new, part) in enumerate(zip(luma(source), luma(painted), parts, strict=True)):
            self._patch.see(self.num_frames + place, old.numpy(), new.numpy(), part.numpy(), scale=1)
        true = _stacked(truth) if truth else None
        if self._has_truth and true is not None and true.shape[1:] == painted.shape[1:]:
            self._compare(painted[: len(true)], true)
        self._keep_features(source if self._source_is_real else true, painted)
        if self._instruments.judge is not None:
            self._judged += [_for_the_judge(frame.painted) for frame in chunk]
        self.num_frames += len(chunk)

    def _compare(self, painted: Tensor, truth: Tensor) -> None:
        self._add("psnr_db", psnr(painted, truth, CODES).clamp(max=EQUAL_DB))
        self._add("ssim", ssim(painted, truth, CODES))
        chosen = self._sampled(len(painted))
        for name, network in self._instruments.perceptual.items() if chosen else ():
            pixels = [(frames[chosen].float() / 127.5 - 1).to(_device(network)) for frames in (painted, truth)]
            self._add(name, perceptual_distance(network, *pixels).cpu().double())

    def _keep_features(self, real: Tensor | None, painted: Tensor) -> None:
        backbone = self._instruments.backbone
        if backbone is None:
            return
        for frames, kept in ((real, self.features.real), (painted, self.features.painted)):
            chosen = self._sampled(0 if frames is None else len(frames))
            if frames is not None and chosen:
                kept.append(frechet_features(backbone, frames[chosen].to(_device(backbone))).cpu())

    def _sampled(self, count: int) -> list[int]:
        """Places in the chunk, of its first `count` frames, that the costly networks look at."""
        return [place for place in range(count) if (self.num_frames + place) % self._config.sampled_every == 0]

    def _add(self, name: str, values: Tensor) -> None:
        self._sums.setdefault(name, []).append(values)

    def _lse(self, sound: Tensor) -> Figures:
        if self._instruments.judge is None:
            return {}
        try:
            lse = measure_lse(self._instruments.judge, _stacked(self._judged), sound)
        except (TooFewFramesError, SoundTooShortError):
            return {}
        return {"lse_c": lse.lse_c, "lse_d": lse.lse_d, "av_offset_ms": float(lse.av_offset_ms)}


def _for_the_judge(frame: Pixels) -> Pixels:
    """The whole frame at the judge's size, as for clips that are cut to the face."""
    size = (JUDGE_SIZE_PX, JUDGE_SIZE_PX)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _stacked(frames: list[Pixels]) -> Tensor:
    """[F, 3, H, W] uint8."""
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)


def _device(network: torch.nn.Module) -> torch.device:
    return next(network.parameters()).device
