"""Whether what was seen for a moment, after which the picture came back, was a shot of its own and no flash."""

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.camera_move import share_of_forms

SHORTEST_S = Fraction(19, 100)  # what is seen for less is no shot that anybody takes in
HELD = 0.3  # of the jump: so little changes from its first picture to its last, not what passes before the camera
FORMS = 0.3  # of the places with texture; in another light 0.46 and more of them show the same, of others 0.2 at most

Bytes = NDArray[np.uint8]


def is_cutaway(before: Bytes, first: Bytes, last: Bytes) -> bool:
    """Whether another picture was held: one of other forms, not the picture before in another light.

    Args:
        before: the picture that came back, [H, W, 3] BGR.
        first: what was seen first in its place, the same size.
        last: what was seen last before it came back, the same size.
    """
    is_held = cv2.absdiff(first, last).mean() < HELD * cv2.absdiff(before, first).mean()
    return bool(is_held) and all(share_of_forms(before, seen) < FORMS for seen in (first, last))
