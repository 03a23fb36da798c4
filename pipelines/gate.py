"""The gate: what a painted shot must be to be delivered, and what is tried when it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from diff2lip.config import SamplerConfig
from pipelines.mask import MaskConfig

LESS_OUTLINE, LESS_CHIN, SOFTER_TOP = 0.06, 0.4, 1.5  # units of the face frame; times what the mask has, twice
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
    # Of the film's own detail on the lips: softer is a smear, sharper is noise.
    min_sharpness_ratio: float = 0.5
    max_sharpness_ratio: float = 1.8
    # 0.4 of how far the filmed mouth opens and closes in the same frames: one that is frozen has 0.27 and less.
    min_movement_ratio: float = 0.4
    # 0.36 of dlib's descriptor, in the worst of three frames: a lower face that is grey or black lies beyond, another
    # mouth of the same person at 0.1 to 0.3. Two pictures of one person lie below 0.6.
    max_identity_distance: float = 0.36
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
            "movement_ratio": (self.min_movement_ratio, float("inf")),
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
        outline = mask.outline_margin - LESS_OUTLINE
        top, chin = mask.top_feather * SOFTER_TOP, mask.chin_drop * LESS_CHIN
        return sampler, replace(mask, outline_margin=outline, top_feather=top, chin_drop=chin)
    return sampler, mask


def _is_within(value: float | None, low: float, high: float) -> bool:
    return value is None or low <= value <= high
