"""How well the patches of a shot sit in it: the seam in each frame, the flicker between frames."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Plane = NDArray[Any]

SEAM_FLOOR = 0.5  # 8-bit codes: below it a gradient is noise
FLICKER_FLOOR = 0.25  # 8-bit codes of mean luma: below it nobody sees a change


class PatchMeter:
    """Sums over the frames of a shot from which its seam and flicker follow."""

    def __init__(self) -> None:
        self._gradients: list[tuple[float, float]] = []
        self._means: list[tuple[int, float, float]] = []

    def see(self, pts: int, before: Plane, after: Plane, mask: Floats, scale: int, seam: Floats | None = None) -> None:
        """Take in one frame's rectangle.

        Args:
            pts: the frame.
            before: [H, W] luma of the film.
            after: [H, W] luma with the patch.
            mask: [H, W] the feathered mask.
            scale: codes per 8-bit code.
            seam: [H, W] the mask where its feather is a seam, else 0: not beside what lies before the face, whose edge
                is the film's own; None is the whole mask.
        """
        old, new = (luma.astype(np.float32) / np.float32(scale) for luma in (before, after))
        edge = mask if seam is None else seam
        contour = (edge > 0) & (edge < 1)
        if contour.any():
            self._gradients.append((_gradient(old, contour), _gradient(new, contour)))
        total = float(mask.sum())
        if total > 0:
            self._means.append((pts, float((old * mask).sum()) / total, float((new * mask).sum()) / total))

    @property
    def seam_ratio(self) -> float | None:
        """Mean gradient across the feather of the mask, painted over original; 1 = as smooth as it was."""
        if not self._gradients:
            return None
        old, new = np.mean(self._gradients, 0)
        return float((new + SEAM_FLOOR) / (old + SEAM_FLOOR))

    @property
    def flicker_ratio(self) -> float | None:
        """Frame-to-frame jitter of mean luma in the mask, painted over original; null below three frames.

        Jitter is the mean absolute second difference: a mouth that opens steadily has none.
        """
        means = np.array([mean[1:] for mean in sorted(self._means)])
        if len(means) < 3:
            return None
        old, new = np.abs(np.diff(means, n=2, axis=0)).mean(0)
        return float((new + FLICKER_FLOOR) / (old + FLICKER_FLOOR))


def _gradient(luma: Floats, where: NDArray[np.bool_]) -> float:
    down, right = np.gradient(luma)
    return float(np.hypot(down, right)[where].mean())
