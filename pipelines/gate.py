"""The gate: what a painted shot must be to be delivered, and what is tried when it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from diff2lip.config import SamplerConfig
from pipelines.mask import MaskConfig

SMALLER_MASK = {"chin_drop": 0.4, "outline_margin": -2.0, "top_feather": 1.5}  # times what the mask has
Measures = Mapping[str, float | None]


class Try(StrEnum):
    """How a shot is painted, one after the other until one passes; what passes none stays as it was filmed."""

    FIRST = "first"
    OTHER_NOISE = "other_noise"
    SMALLER_MASK = "smaller_mask"


@dataclass(frozen=True, kw_only=True, slots=True)
class GateConfig:
    """The bounds of what is measured of a painted shot, each beside what the film has itself."""

    # 3: first, other noise, smaller mask. 0: nothing is judged, and all that is painted is delivered.
    max_tries: int = len(Try)
    # 1.3 times the film's own gradient across the feather of the mask: an edge begins to show.
    max_seam_ratio: float = 1.3
    # 3 times the film's own jitter of mean luma: mouths that speak where the film's rested have up to 1.5.
    max_flicker_ratio: float = 3.0
    # Of the film's own detail in the mouth: softer is a smear, sharper is noise.
    min_sharpness_ratio: float = 0.4
    max_sharpness_ratio: float = 2.5
    # 0.45 of dlib's descriptor: two pictures of one person lie below 0.6; a mouth alone changes far less.
    max_identity_distance: float = 0.45
    # 0.35 of a correlation: how much less the painted mouth may follow the dub than the filmed one its own sound.
    max_sync_loss: float = 0.35

    def __post_init__(self) -> None:
        if not 0 <= self.max_tries <= len(Try):
            raise ValueError(f"max_tries must be in 0..{len(Try)}, got {self.max_tries}")
        if not 0 <= self.min_sharpness_ratio < self.max_sharpness_ratio:
            raise ValueError("min_sharpness_ratio must be below max_sharpness_ratio, and not negative")
        for name in ("max_seam_ratio", "max_flicker_ratio", "max_identity_distance"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")

    def failed(self, measures: Measures) -> list[str]:
        """The measures of a shot that lie beyond their bounds; what could not be measured does not fail.

        Args:
            measures: fields of TRY.
        """
        bounds = {
            "seam_ratio": (0.0, self.max_seam_ratio),
            "flicker_ratio": (0.0, self.max_flicker_ratio),
            "sharpness_ratio": (self.min_sharpness_ratio, self.max_sharpness_ratio),
            "identity_distance": (0.0, self.max_identity_distance),
            "sync_loss": (-float("inf"), self.max_sync_loss),
            "outside_change": (0.0, 0.0),
        }
        values = {name: measures[name] for name in bounds}
        return [name for name, (low, high) in bounds.items() if not _is_within(values[name], low, high)]


def painted_as(how: Try, sampler: SamplerConfig, mask: MaskConfig) -> tuple[SamplerConfig, MaskConfig]:
    """With what noise and mask a try is made."""
    if how is Try.OTHER_NOISE:
        return replace(sampler, seed=sampler.seed + 1), mask
    if how is Try.SMALLER_MASK:
        return sampler, replace(mask, **{name: getattr(mask, name) * by for name, by in SMALLER_MASK.items()})
    return sampler, mask


def _is_within(value: float | None, low: float, high: float) -> bool:
    return value is None or low <= value <= high
