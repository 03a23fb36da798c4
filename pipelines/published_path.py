"""The published data path: two clips in, painted frames at 25 fps out, as Diff2Lip is evaluated.

Mukhopadhyay et al., "Diff2Lip" (WACV 2024), section 4, in the figures of its published code. The dub of films goes
another way; this one is for figures that can be laid beside those of the paper.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice, repeat
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diff2lip.config import ModelConfig, SamplerConfig, published_sampler
from diff2lip.mel import NUM_MELS, SILENCE, STEPS_PER_WINDOW, Padding, log_mel
from diff2lip.mouth_weight import crop_mask
from diff2lip.sampler import paint
from diff2lip.unet import Condition, UNet
from pipelines.face_box import BoxPadding
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.media.published_frames import count_frames, published_frames
from pipelines.media.sound import read_mono
from pipelines.published_crops import BoxCrops, Crops, detected_boxes, fixed_boxes, own_crops
from pipelines.published_sound import published_windows

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

PUBLISHED_MASK_TOP = 0.5  # a model that paints the lower half of its crop was made for the whole box of a face


class TooShortError(ValueError):
    """A pair whose sound holds no whole mel window, or whose picture holds no frame."""


class Mode(StrEnum):
    """What the model is given of the picture."""

    CROSS = "cross"  # each frame, and the same frame as its reference
    RECONSTRUCTION = "reconstruction"  # the first frame alone, as picture, as reference and as background


class CropChoice(StrEnum):
    """Which crop the model sees."""

    AUTO = "auto"  # what the model was made for
    FACE_BOX = "face_box"  # published, for ordinary clips
    VOXCELEB2 = "voxceleb2"  # published, for clips that are cut to the face
    OWN = "own"  # this project's lower face after the face mesh


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedConfig:
    """The settings of the published path; the defaults are the published ones, but for `auto`."""

    crop: CropChoice = CropChoice.AUTO
    padding: BoxPadding = field(default_factory=BoxPadding)
    mel_padding: Padding = Padding.ZERO
    noise_seed: int = 7
    hushed_every: int = 5  # frames painted once more, to silence, for the leakage; 0: none
    sampler: SamplerConfig = field(default_factory=published_sampler)

    def __post_init__(self) -> None:
        if self.hushed_every < 0:
            raise ValueError(f"hushed_every must be at least 0, got {self.hushed_every}")


def config_for(model: ModelConfig) -> PublishedConfig:
    """The settings a model is evaluated with: the published sampler, or our own for models that are not as published.

    Such models (`small`) are made for few guided steps, and for this project's crop.
    """
    if model.crop.mask_top == PUBLISHED_MASK_TOP:
        return PublishedConfig()
    return PublishedConfig(sampler=SamplerConfig())


def crop_of(model: ModelConfig, choice: CropChoice) -> CropChoice:
    """Which crop `auto` means for a model: the whole face for one that paints the lower half, else our own."""
    if choice is not CropChoice.AUTO:
        return choice
    return CropChoice.FACE_BOX if model.crop.mask_top == PUBLISHED_MASK_TOP else CropChoice.OWN


def published_noise(size_px: int, seed: int) -> Tensor:
    """[2, 3, S, S] noise of all frames of all clips, drawn on the CPU.

    The first fills the masked crop and is x_T as well; the second is x_T of models that take another.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.cat([torch.randn(1, 3, size_px, size_px, generator=generator) for _ in range(2)])


@dataclass(frozen=True, slots=True)
class PaintedFrame:
    """One frame of a pair."""

    source: Pixels  # as the model was given it
    painted: Pixels
    part: Floats  # [H, W] in [0, 1], 1 = painted anew
    hushed: Pixels | None = None  # of some frames: the same, painted to silence


class PublishedPath:
    """A model on the published path."""

    def __init__(self, denoiser: UNet, config: PublishedConfig, detector: FaceDetector, mesh: FaceMesh) -> None:
        """`denoiser` is in eval mode, on the device where it shall paint."""
        self._denoiser, self._config = denoiser, config
        self._detector, self._mesh = detector, mesh
        self.crop = crop_of(denoiser.config, config.crop)
        self._noise = published_noise(denoiser.config.crop.size_px, config.noise_seed)

    def windows(self, sound: Path) -> Tensor:
        """[F, 80, 16] mel windows of a clip's sound, for frames 0, 1, 2, ...

        Raises:
            TooShortError: not one fits.
            UndecodableError: there is no sound that can be decoded.
        """
        wave = torch.from_numpy(read_mono(sound))
        try:
            windows = published_windows(log_mel(wave, self._config.mel_padding))
        except ValueError as error:
            raise TooShortError(str(error)) from error
        if not len(windows):
            raise TooShortError(f"{len(wave)} samples of sound hold no mel window")
        return windows

    def paint(self, windows: Tensor, video: Path, mode: Mode) -> Iterator[PaintedFrame]:
        """The painted frames of a clip: as many as it has, or as the sound has windows.

        Raises:
            NoFaceError: a frame has none.
            UndecodableError: there is no picture that can be decoded.
        """
        num_frames = count_frames(video, len(windows))
        if not num_frames:
            raise TooShortError(f"{video.name} shows nothing for a 25th of a second")
        crops = self._crops(video, num_frames, mode)
        size = self._config.sampler.frames_per_batch
        frames = _source_frames(video, num_frames, mode)
        for first in range(0, num_frames, size):
            batch = list(islice(frames, size))
            yield from self._paint_batch(batch, crops, first, windows[first : first + len(batch)], mode)

    def _crops(self, video: Path, num_frames: int, mode: Mode) -> Crops:
        looked_at = num_frames if mode is Mode.CROSS else 1
        frames, crop = published_frames(video), self._denoiser.config.crop
        if self.crop is CropChoice.OWN:
            return own_crops(frames, looked_at, self._detector, self._mesh, crop)
        if self.crop is CropChoice.VOXCELEB2:
            boxes = fixed_boxes(next(frames))
        else:
            boxes = detected_boxes(frames, looked_at, self._detector, self._config.padding)
        return BoxCrops(boxes, crop.size_px, crop.mask_top)

    def _paint_batch(
        self, frames: Sequence[Pixels], crops: Crops, first: int, windows: Tensor, mode: Mode
    ) -> Iterator[PaintedFrame]:
        sources = np.stack([crops.crop(first + place, frame) for place, frame in enumerate(frames)])
        painted = self.paint_crops(sources, windows)
        chosen = [place for place in range(len(frames)) if self._is_hushed(first + place, mode)]
        hushed: dict[int, Pixels] = {}
        if chosen:
            hushed = dict(zip(chosen, self.paint_crops(sources[chosen], silent_windows(len(chosen))), strict=True))
        for place, (frame, source, crop) in enumerate(zip(frames, sources, painted, strict=True)):
            index = first + place
            quiet = crops.lay(index, frame, source, hushed[place]) if place in hushed else None
            yield PaintedFrame(frame, crops.lay(index, frame, source, crop), crops.part(index, frame), quiet)

    def _is_hushed(self, index: int, mode: Mode) -> bool:
        """Whether a frame is painted to silence too; where all show the first one, that one alone."""
        every = self._config.hushed_every
        return bool(every) and (index % every == 0 if mode is Mode.CROSS else index == 0)

    def paint_crops(self, sources: Pixels, windows: Tensor) -> Pixels:
        """[B, S, S, 3] painted crops of source crops and their mel windows; each crop is its own reference."""
        config, device = self._denoiser.config, next(self._denoiser.parameters()).device
        pixels = (torch.from_numpy(sources).float() / 255 * 2 - 1).permute(0, 3, 1, 2).to(device)
        mask = crop_mask(config.crop).to(device)
        fill, other = self._noise.to(device)[:, None]
        with torch.inference_mode():
            sound = self._denoiser.encode_sound(windows.to(device))
        condition = Condition(pixels, mask, fill.expand_as(pixels), pixels, sound)
        start = fill if config.shared_noise else other
        painted = paint(self._denoiser, condition, self._config.sampler, start)
        codes = (painted + 1) / 2 * 255
        if self.crop is CropChoice.OWN:
            codes = codes.round()  # else truncated, above the mask too: so do the published frames come about
        return np.asarray(codes.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy(), np.uint8)


def silent_windows(count: int) -> Tensor:
    """[count, 80, 16] mel windows of silence."""
    return torch.full((count, NUM_MELS, STEPS_PER_WINDOW), SILENCE)


def _source_frames(video: Path, num_frames: int, mode: Mode) -> Iterator[Pixels]:
    frames = published_frames(video)
    return islice(frames, num_frames) if mode is Mode.CROSS else repeat(next(frames), num_frames)
