"""The picture as it is shown: upright and with square pixels. Films may be coded lying, upside down, or squeezed.

Faces are looked for in the view, for no detector knows them upside down; what is painted goes back into the film's own
samples, which are turned and stretched by nobody but the player.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.picture import frames, shrunk_size

Pixels = NDArray[np.uint8]  # [H, W, 3]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """How a film's own pixels are shown.

    Attributes:
        width_px: of the film's own picture.
        height_px: of it.
        aspect: width over height of one of its pixels.
        quarter_turns: to the left, after pixels were made square.
    """

    width_px: int
    height_px: int
    aspect: Fraction = Fraction(1)
    quarter_turns: int = 0

    @property
    def square_width_px(self) -> int:
        """Width of the picture with square pixels."""
        return max(1, round(self.width_px * self.aspect))

    @property
    def to_film(self) -> Floats:
        """The [2, 3] affine from pixels of the view to the film's own. Pixel centres lie at integers."""
        right, low = self.square_width_px - 1, self.height_px - 1
        turned = (
            [[1, 0, 0], [0, 1, 0]],
            [[0, -1, right], [1, 0, 0]],
            [[-1, 0, right], [0, -1, low]],
            [[0, 1, 0], [-1, 0, low]],
        )[self.quarter_turns]
        affine, scale = np.array(turned, np.float64), self.width_px / self.square_width_px
        affine[0] *= scale
        affine[0, 2] += (scale - 1) / 2
        return affine

    def shrunk(self, max_side_px: int) -> "View":
        """The view of the film's picture when its long side is at most so long (`picture.shrunk_size`)."""
        width, height = shrunk_size(self.width_px, self.height_px, max_side_px)
        return replace(self, width_px=width, height_px=height)

    @property
    def size(self) -> Floats:
        """[2] width and height of what is shown."""
        shown = (self.square_width_px, self.height_px)
        return np.array(shown[::-1] if self.quarter_turns % 2 else shown, np.float64)

    def of(self, picture: Pixels) -> Pixels:
        """The film's picture as it is shown."""
        if self.square_width_px != self.width_px:
            size = self.square_width_px, self.height_px
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        return np.ascontiguousarray(np.rot90(picture, self.quarter_turns)) if self.quarter_turns else picture

    def boxes_in_film(self, boxes: Floats) -> Floats:
        """Boxes [F, 4] of the view in the film's own pixels."""
        affine = self.to_film
        corners = boxes.reshape(-1, 2, 2) @ affine[:, :2].T + affine[:, 2]
        return np.concatenate([corners.min(1), corners.max(1)], 1)


def display_view(path: Path, start_pts: int) -> View:
    """How the film is shown, by its side data and the shape of its pixels.

    Raises:
        UndecodableError: the file cannot be decoded at that frame.
    """
    _, frame = next(frames(path, start_pts, start_pts + 1), (start_pts, None))
    with open_media(path, FILM_FORMATS) as container:
        stream = picture_stream(container)
        return View(
            width_px=frame.width if frame else stream.width,
            height_px=frame.height if frame else stream.height,
            aspect=stream.sample_aspect_ratio or Fraction(1),
            quarter_turns=round(frame.rotation / 90) % 4 if frame else 0,
        )
