"""Grey frames in which a real face stands at a known place: the astronaut of scikit-image (NASA, public domain)."""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.data import astronaut

Pixels = NDArray[np.uint8]


def portrait() -> Pixels:
    """A real face of about 100 px on 160 x 160."""
    picture: Pixels = cv2.resize(astronaut()[:200, 130:330], (160, 160), interpolation=cv2.INTER_AREA)
    return picture


def frame_with(x: int | None, second_x: int | None = None) -> Pixels:
    """240 x 320, with a face of 160 px from each x on."""
    frame = np.full((240, 320, 3), 90, np.uint8)
    for place in (x, second_x):
        if place is not None:
            frame[40:200, place : place + 160] = portrait()
    return frame
