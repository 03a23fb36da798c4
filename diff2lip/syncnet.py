"""The two SyncNets: the expert that teaches and the judge that scores how well lips fit a sound.

Chung & Zisserman, "Out of Time: Automated Lip Sync in the Wild" (2016), and Prajwal et al., "A Lip Sync Expert Is
All You Need for Speech to Lip Generation In the Wild" (2020). State-dict names and shapes are those of the published
`lipsync_expert.pth` and `syncnet_v2.model`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from diff2lip.mel import NUM_MELS, STEPS_PER_WINDOW
from diff2lip.mfcc import NUM_CEPSTRA

WINDOW_FRAMES = 5  # 200 ms at 25 fps
CEPSTRA_PER_WINDOW = 20  # the same 200 ms as MFCC columns of 10 ms
JUDGE_SIZE_PX = 224

Size = tuple[int, int]
"""Height and width, or what a convolution does along each."""


class _Stage(NamedTuple):
    """A convolution that may change the shape, then `residuals` units that keep it."""

    channels: int  # of the encoders' stages: as a multiple of the first layer's
    kernel: Size
    stride: Size = (1, 1)
    padding: int = 1
    residuals: int = 0


_FACE_STAGES = (
    _Stage(1, (7, 7), padding=3),
    _Stage(2, (5, 5), (1, 2), residuals=2),
    _Stage(4, (3, 3), (2, 2), residuals=3),
    _Stage(8, (3, 3), (2, 2), residuals=2),
    _Stage(16, (3, 3), (2, 2), residuals=2),
    _Stage(16, (3, 3), (2, 2)),
)
_SOUND_STAGES = (
    _Stage(1, (3, 3), residuals=2),
    _Stage(2, (3, 3), (3, 1), residuals=2),
    _Stage(4, (3, 3), (3, 3), residuals=2),
    _Stage(8, (3, 3), (3, 2), residuals=2),
)
_VECTOR = 16  # length of the vectors, as a multiple of the first layer's channels


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpertConfig:
    """The expert; the default is the published one."""

    name: str = "wav2lip"
    face_px: Size = (48, 96)  # height and width of the lower half that it sees
    width: int = 32  # channels of the first layer; the vectors have 16 times as many numbers

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be positive, got {self.width}")
        if min(_size_after(_FACE_STAGES, self.face_px)) < 1:
            raise ValueError(f"a face of {self.face_px[0]} x {self.face_px[1]} px is too small for the expert")

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which `from_dict` makes an equal configuration."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ExpertConfig":
        """The configuration that `to_dict` wrote.

        Raises:
            TypeError: a field is unknown.
        """
        height, width = values["face_px"]
        return cls(**values | {"face_px": (height, width)})


def published_expert() -> ExpertConfig:
    """Wav2Lip's: the lower half of 96 px crops, 16,435,072 parameters."""
    return ExpertConfig()


def expert_128() -> ExpertConfig:
    """Ours for 128 px crops: the same blocks; the last map is 4 x 4, and so is the kernel that takes it to 1 x 1."""
    return ExpertConfig(name="128", face_px=(64, 128))


class Expert(nn.Module):
    """Mouths and sound to vectors of length 1 that agree where the two are in sync.

    Both encoders end in a ReLU, so the cosine of a face and a sound lies in [0, 1]: the probability of sync.
    """

    def __init__(self, config: ExpertConfig | None = None) -> None:
        super().__init__()
        self.config = published_expert() if config is None else config
        width = self.config.width
        self.face_encoder = _encoder(3 * WINDOW_FRAMES, _FACE_STAGES, self.config.face_px, width)
        self.audio_encoder = _encoder(1, _SOUND_STAGES, (NUM_MELS, STEPS_PER_WINDOW), width)

    @property
    def dtype(self) -> torch.dtype:
        """Of the convolutions: see `diff2lip/precision.py`."""
        return next(self.face_encoder.parameters()).dtype

    def embed_sound(self, mel: Tensor) -> Tensor:
        """[B, 1, 80, 16] mel windows in [-4, 4] to [B, 16 width]: [B, 512] as published.

        Raises:
            ValueError: another shape.
        """
        _require(mel, (1, NUM_MELS, STEPS_PER_WINDOW), "mel windows")
        return functional.normalize(self.audio_encoder(mel.to(self.dtype)).flatten(1).float(), dim=1)

    def embed_faces(self, faces: Tensor) -> Tensor:
        """[B, 15, H, W] lower halves of five frames from `lower_halves` to [B, 16 width]: [B, 512] as published.

        Raises:
            ValueError: another shape; H and W are those of the configuration.
        """
        _require(faces, (3 * WINDOW_FRAMES, *self.config.face_px), "lower halves")
        return functional.normalize(self.face_encoder(faces.to(self.dtype)).flatten(1).float(), dim=1)

    def forward(self, mel: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors of sounds and of faces, [.., 16 width] each; there may be more sounds than faces."""
        return self.embed_sound(mel), self.embed_faces(faces)


def lower_halves(crops: Tensor) -> Tensor:
    """What the expert sees of five crops: their lower halves, BGR in [0, 1], frame after frame as channels.

    Args:
        crops: [B, 5, 3, H, W] RGB in [-1, 1].

    Returns:
        [B, 15, H / 2, W]; gradients flow through.
    """
    lower = crops[..., crops.shape[-2] // 2 :, :]
    return ((lower.flip(2) + 1) / 2).flatten(1, 2)


class Judge(nn.Module):
    """SyncNet v2, by which LSE-D and LSE-C are measured; a distance between its vectors, not normalised, is the score.

    13,631,616 parameters. Judge in eval mode; `load_judge` gives it so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = _judge_sound_map()
        self.netfcaud = _judge_head()
        self.netcnnlip = _judge_lip_map()
        self.netfclip = _judge_head()

    @property
    def dtype(self) -> torch.dtype:
        """Of the convolutions: see `diff2lip/precision.py`."""
        return next(self.netcnnaud.parameters()).dtype

    def embed_sound(self, cepstra: Tensor) -> Tensor:
        """[B, 1, 13, 20] MFCC windows to [B, 1024].

        Raises:
            ValueError: another shape.
        """
        _require(cepstra, (1, NUM_CEPSTRA, CEPSTRA_PER_WINDOW), "MFCC windows")
        return torch.as_tensor(self.netfcaud(self.netcnnaud(cepstra.to(self.dtype)).flatten(1).float()))

    def embed_lips(self, faces: Tensor) -> Tensor:
        """[B, 3, 5, 224, 224] faces over five frames, BGR in 0..255, to [B, 1024].

        Raises:
            ValueError: another shape.
        """
        _require(faces, (3, WINDOW_FRAMES, JUDGE_SIZE_PX, JUDGE_SIZE_PX), "face windows")
        return torch.as_tensor(self.netfclip(self.netcnnlip(faces.to(self.dtype)).flatten(1).float()))

    def forward(self, cepstra: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors of sound and of lips, [B, 1024] each."""
        return self.embed_sound(cepstra), self.embed_lips(faces)


class _Unit(nn.Module):
    """Convolution and batch norm, then the input if it is residual, then ReLU."""

    def __init__(self, in_channels: int, stage: _Stage, *, residual: bool) -> None:
        super().__init__()
        conv = nn.Conv2d(in_channels, stage.channels, stage.kernel, stage.stride, stage.padding)
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(stage.channels))
        self._residual = residual

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_block(x)
        return functional.relu(h + x if self._residual else h)


def _encoder(in_channels: int, stages: Sequence[_Stage], size: Size, width: int) -> nn.Sequential:
    """The stages, then one kernel as large as the map they leave, then 1 x 1: [B, 16 width, 1, 1]."""
    last = [_Stage(_VECTOR, _size_after(stages, size), padding=0), _Stage(_VECTOR, (1, 1), padding=0)]
    wide = [stage._replace(channels=stage.channels * width) for stage in (*stages, *last)]
    return nn.Sequential(*_units(in_channels, wide))


def _units(in_channels: int, stages: Sequence[_Stage]) -> Iterator[_Unit]:
    for stage in stages:
        yield _Unit(in_channels, stage, residual=False)
        in_channels = stage.channels
        for _ in range(stage.residuals):
            yield _Unit(in_channels, _Stage(in_channels, (3, 3)), residual=True)


def _size_after(stages: Sequence[_Stage], size: Size) -> Size:
    height, width = size
    for stage in stages:
        height = (height + 2 * stage.padding - stage.kernel[0]) // stage.stride[0] + 1
        width = (width + 2 * stage.padding - stage.kernel[1]) // stage.stride[1] + 1
    return height, width


def _judge_sound_map() -> nn.Sequential:
    """[B, 1, 13, 20] to [B, 512, 1, 1]; the pool of 1 x 1 at index 3 changes nothing and keeps the published names."""
    layers: list[nn.Module] = [*_judge_unit(nn.Conv2d(1, 64, 3, padding=1)), nn.MaxPool2d(1)]
    layers += [*_judge_unit(nn.Conv2d(64, 192, 3, padding=1)), nn.MaxPool2d(3, (1, 2))]  # [B, 192, 11, 9]
    for in_channels, out_channels in ((192, 384), (384, 256), (256, 256)):
        layers += _judge_unit(nn.Conv2d(in_channels, out_channels, 3, padding=1))
    layers += [nn.MaxPool2d(3, 2), *_judge_unit(nn.Conv2d(256, 512, (5, 4)))]  # [B, 256, 5, 4] -> [B, 512, 1, 1]
    return nn.Sequential(*layers)


def _judge_lip_map() -> nn.Sequential:
    """[B, 3, 5, 224, 224] to [B, 512, 1, 1, 1]; the first convolution takes the five frames together."""
    pool, half = (1, 3, 3), (1, 2, 2)
    layers: list[nn.Module] = [*_judge_unit(nn.Conv3d(3, 96, (5, 7, 7), half)), nn.MaxPool3d(pool, half)]
    layers += _judge_unit(nn.Conv3d(96, 256, (1, 5, 5), half, (0, 1, 1)))  # [B, 256, 1, 26, 26]
    layers += [nn.MaxPool3d(pool, half, (0, 1, 1))]
    for _ in range(3):
        layers += _judge_unit(nn.Conv3d(256, 256, pool, padding=(0, 1, 1)))
    layers += [nn.MaxPool3d(pool, half), *_judge_unit(nn.Conv3d(256, 512, (1, 6, 6)))]
    return nn.Sequential(*layers)


def _judge_unit(conv: nn.Conv2d | nn.Conv3d) -> list[nn.Module]:
    channels = conv.out_channels
    return [conv, nn.BatchNorm2d(channels) if isinstance(conv, nn.Conv2d) else nn.BatchNorm3d(channels), nn.ReLU()]


def _judge_head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


def _require(tensor: Tensor, shape: tuple[int, ...], what: str) -> None:
    if tuple(tensor.shape[1:]) != shape:
        raise ValueError(f"{what} must be [B, {', '.join(map(str, shape))}], got {list(tensor.shape)}")
