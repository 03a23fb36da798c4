"""The model's configuration: architecture, crop geometry and sampler, as frozen dataclasses."""

from dataclasses import dataclass


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
