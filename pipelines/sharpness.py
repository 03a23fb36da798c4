"""How sharp a painted crop is to be: as sharp as its film, which no crop of few pixels is by itself.

What a crop loses is measured where it is known: on the filmed crop beside the film itself, so that neither what the
mouth says nor how well it is painted has a say in it. An unsharp mask gives that much back, to both crops alike.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.grain import ROUNDING_VARIANCE, Grain

ROUNDED = 20 * ROUNDING_VARIANCE  # mean square of the Laplacian of what whole codes round off
SPREAD_PX = 1.0  # crop px: finer is what a crop has lost, coarser is what it shows

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def fine_detail(crop_image: Floats) -> Floats:
    """[S, S, 1] what of the brightness of a crop [S, S, 3] is finer than its pixels show well; colours have none."""
    brightness = crop_image.mean(-1)
    return np.asarray((brightness - cv2.GaussianBlur(brightness, (0, 0), SPREAD_PX))[..., None], np.float32)


def sharpened(crop_image: Floats, amount: float) -> Floats:
    """A crop [S, S, 3] with that much of its fine detail added; 0 leaves it as it is."""
    return crop_image + np.float32(amount) * fine_detail(crop_image) if amount else crop_image


class DetailLoss:
    """Sums over frames, of the Laplacian of luma: the film's, that of its crop brought back, and of fine detail."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._samples = 0
        self._film, self._crop, self._both, self._fine = 0.0, 0.0, 0.0, 0.0

    def see(self, film: NDArray[np.generic], crop: Floats, finer: Floats, where: Bools) -> None:
        """Take in a frame.

        Args:
            film: [H, W] its luma codes.
            crop: [H, W] those of the filmed crop, resampled to film pixels.
            finer: [H, W] those of the crop once sharpened by 1.
            where: [H, W] the samples that count.
        """
        filmed, brought_back = _laplacian(film.astype(np.float32), where), _laplacian(crop, where)
        fine = _laplacian(finer - crop, where)
        self._samples += len(filmed)
        self._film += float(filmed @ filmed)
        self._crop += float(brought_back @ brought_back)
        self._both += float(brought_back @ fine)
        self._fine += float(fine @ fine)

    def sharpening(self, grain: Grain) -> float:
        """The amount by which a sharpened crop has the detail of the film without its grain; 0 where it has enough.

        Sharpened by a, the mean square of the Laplacian is that of the crop plus 2 a times its product with the fine
        detail plus a^2 times that of the fine detail: a quadratic equation for a.

        Args:
            grain: of the film's luma, which is drawn anew and not sharpened for.
        """
        noise = self._samples * max(grain.laplacian_variance, ROUNDED)
        missing = self._film - noise - self._crop
        if missing <= 0 or not self._fine:
            return 0.0
        return (math.sqrt(self._both**2 + self._fine * missing) - self._both) / self._fine


def _laplacian(luma: Floats, where: Bools) -> NDArray[np.float64]:
    """[N] of some samples."""
    return np.asarray(cv2.Laplacian(luma, cv2.CV_32F)[where], np.float64)
