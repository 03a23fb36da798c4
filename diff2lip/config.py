"""The model's configuration: architecture, crop geometry and sampler, as frozen dataclasses."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from diff2lip.noise_levels import NUM_LEVELS, SPACINGS, Spacing


@dataclass(frozen=True, kw_only=True, slots=True)
class CropConfig:
    """The square window of the face frame that the model sees (unit: distance of the outer eye corners)."""

    size_px: int = 96
    left: float = -0.73  # the cheeks at mouth height end near +-0.7
    top: float = 0.02  # just under the eyes: the mouth gets the pixels
    width: float = 1.46  # down to 1.48: an open jaw ends near 1.4
    mask_top: float = 0.40  # share of the height above the mask: it starts between nose and upper lip

    def __post_init__(self) -> None:
        if self.size_px % 8 or self.size_px <= 0:
            raise ValueError(f"size_px must be a positive multiple of 8, got {self.size_px}")
        if self.width <= 0 or not 0 < self.mask_top < 1:
            raise ValueError(f"width must be positive and mask_top in (0, 1), got {self.width} and {self.mask_top}")

    @property
    def mask_row(self) -> int:
        """First crop row that is repainted."""
        return round(self.size_px * self.mask_top)


def whole_face(size_px: int) -> CropConfig:
    """Forehead to chin, the lower half painted, as published, but that there a detector's box is squashed square."""
    return CropConfig(size_px=size_px, left=-1.1, top=-0.75, width=2.2, mask_top=0.5)


class SoundWindow(StrEnum):
    """Where the 16 mel steps lie that a frame is heard with: a network must be given what it was trained on."""

    CENTRED = "centred"  # half of them before the frame's moment
    PUBLISHED = "published"  # from one frame of 25 fps before it on: 60 ms later than centred


class Prediction(StrEnum):
    """What the network's first three channels say."""

    EPS = "eps"  # the noise, as published
    V = "v"  # sqrt(a) eps - sqrt(1 - a) x_0: Salimans & Ho (2022), stable when few steps start from pure noise


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioEncoderConfig:
    """The encoder of a [80, 16] mel window; the defaults are the published ones."""

    height: int = 64  # rows that the 80 mel bands become
    channels: int = 32
    channel_mult: tuple[int, ...] = (1, 2, 3, 4)
    num_res_blocks: int = 2
    groups: int = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The denoiser; the defaults are the published Diff2Lip ("paper", 128 px)."""

    name: str = "paper"
    channels: int = 128
    channel_mult: tuple[int, ...] = (1, 1, 2, 3, 4)
    num_res_blocks: int = 2
    attention_factors: tuple[int, ...] = (4, 8, 16)  # where the picture is smaller by these factors
    head_channels: int = 64
    groups: int = 32  # of GroupNorm
    learned_variance: bool = True  # three more output channels
    prediction: Prediction = Prediction.EPS
    sound: SoundWindow = SoundWindow.PUBLISHED  # what each frame is heard with
    shared_noise: bool = True  # the noise in the masked crop is also x_T, as published; False: another
    audio: AudioEncoderConfig = field(default_factory=AudioEncoderConfig)
    crop: CropConfig = field(default_factory=lambda: whole_face(128))

    def __post_init__(self) -> None:
        shrink = 2 ** (len(self.channel_mult) - 1)
        if self.crop.size_px % shrink:
            raise ValueError(f"a crop of {self.crop.size_px} px cannot be halved {len(self.channel_mult) - 1} times")
        if any(self.channels * factor % self.groups for factor in self.channel_mult):
            raise ValueError(
                f"channels {self.channels} x {self.channel_mult} must be multiples of {self.groups} groups"
            )

    @property
    def out_channels(self) -> int:
        """Channels that the network returns."""
        return 6 if self.learned_variance else 3

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which `from_dict` makes an equal configuration."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ModelConfig":
        """The configuration that `to_dict` wrote.

        Raises:
            TypeError: a field is missing or unknown.
        """
        audio, crop = values["audio"], values["crop"]
        return cls(
            **values
            | {
                "channel_mult": tuple(values["channel_mult"]),
                "attention_factors": tuple(values["attention_factors"]),
                "prediction": Prediction(values["prediction"]),
                "sound": SoundWindow(values.get("sound", SoundWindow.CENTRED)),  # files that do not say were centred
                "audio": AudioEncoderConfig(**audio | {"channel_mult": tuple(audio["channel_mult"])}),
                "crop": CropConfig(**crop),
            }
        )


def paper_model() -> ModelConfig:
    """The published network: 128 px, 101,670,630 parameters, 157 GFLOP a step and frame."""
    return ModelConfig()


def parity_model() -> ModelConfig:
    """The published network in a small size, 64 px and 32 channels: what parity is quickly proved with."""
    return ModelConfig(
        name="parity",
        channels=32,
        channel_mult=(1, 2, 3, 4),
        attention_factors=(2, 4, 8),
        head_channels=32,
        crop=whole_face(64),
    )


def small_model() -> ModelConfig:
    """The network built for CPUs: 96 px of lower face, the same blocks, narrower."""
    return ModelConfig(
        name="small",
        channels=32,
        channel_mult=(1, 2, 3, 4),
        num_res_blocks=1,
        attention_factors=(8,),
        head_channels=32,
        groups=16,
        learned_variance=False,
        prediction=Prediction.V,
        sound=SoundWindow.CENTRED,
        shared_noise=False,  # a network of v reads x_0 off the difference of the two, and repeats its first guess
        audio=AudioEncoderConfig(groups=16),
        crop=CropConfig(),
    )


class Precision(StrEnum):
    """How exactly a network computes."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class Solver(StrEnum):
    """How the steps from noise to a crop are computed: `diff2lip/solver.py`."""

    DDIM = "ddim"  # as published
    DPM_SOLVER_PP = "dpm_solver_pp"
    UNIPC = "unipc"


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplerConfig:
    """How noise becomes a mouth."""

    steps: int = 6  # as near to 250 steps as the published 25 of DDIM: benchmarks/sampler.py
    solver: Solver = Solver.DPM_SOLVER_PP
    spacing: Spacing = Spacing.LOG_SNR
    guidance: float = 2.5  # above 1 strengthens the sound, with two calls a step; 1 is the published setting
    guided_from: int = 700  # only levels at least so noisy are guided: there the shape of a mouth is decided
    precision: Precision = Precision.FP32  # halves what the published code halves; bf16 where the machine has it
    frames_per_batch: int = 16  # fixed batch size; shorter batches are padded to it
    seed: int = 0  # beside the ids of film, shot and track: another one draws other noise

    def __post_init__(self) -> None:
        SPACINGS[self.spacing](self.steps)
        if not 0 <= self.guided_from <= NUM_LEVELS:
            raise ValueError(f"guided_from must be in [0, {NUM_LEVELS}], got {self.guided_from}")
        if self.guidance < 1:
            raise ValueError(f"guidance must be at least 1, got {self.guidance}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if self.frames_per_batch < 1:
            raise ValueError(f"frames_per_batch must be positive, got {self.frames_per_batch}")

    @property
    def levels(self) -> list[int]:
        """The noise levels visited, highest first."""
        return SPACINGS[self.spacing](self.steps)

    def is_guided(self, level: int) -> bool:
        """Whether the sound is strengthened at a noise level, by a second call of the network.

        Kynkaanniemi et al., "Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in
        Diffusion Models" (2024).
        """
        return self.guidance > 1 and level >= self.guided_from

    @property
    def calls(self) -> int:
        """Calls of the network for one painted frame."""
        return sum(1 + self.is_guided(level) for level in self.levels)


def published_sampler() -> SamplerConfig:
    """25 steps of DDIM without guidance."""
    return SamplerConfig(steps=25, solver=Solver.DDIM, spacing=Spacing.PUBLISHED, guidance=1.0)
