"""Grey frames in which a real face stands at a known place: the astronaut of scikit-image (NASA, public domain)."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

Pixels = NDArray[np.uint8]

WALL = 90  # code of what is behind the faces


def portrait() -> Pixels:
    """A real face of about 100 px on 160 x 160."""
    picture: Pixels = cv2.resize(astronaut()[:200, 130:330], (160, 160), interpolation=cv2.INTER_AREA)
    return picture


def frame_with(x: int | None, second_x: int | None = None, width_px: int = 320) -> Pixels:
    """240 high, with a picture of a face of 160 px from each x on; the second one is in front."""
    frame = np.full((240, width_px, 3), WALL, np.uint8)
    for place in (x, second_x):
        if place is not None:
            frame[40:200, place : place + 160] = portrait()
    return frame
