"""How a camera moved between two pictures, where the second is the first one moved."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MOVE_SIDE_PX = 128  # longer side of what is compared
SCALES = (1.0, 1 / 1.1, 1.1, 1 / 1.2, 1.2)  # of a zoom from one frame to the next; phases still agree 5 % beside each
TURNS = (6.0, -6.0, 12.0, -12.0)  # degrees of a roll from one frame to the next; phases still agree some 4 beside each
BLOCK_PX = 16
STEP_PX = BLOCK_PX // 2
TEXTURE = 4.0  # standard deviation of a block in codes: less is grain
ALIKE = 0.6  # correlation of two blocks that show the same
MOST = 0.5  # of the blocks with texture: the rest is what moves before the camera
SURE = 0.9  # of the blocks: no other zoom fits better
LIKELY = 0.3  # of the blocks: worth a better fit
ENDS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-3)  # steps of the fit
FEWEST = 1 / 8  # of all blocks: fewer say nothing
STILL_PX = 2.0  # a move of less is none
REST = 0.75  # of the difference is left when a move is undone behind a person whom the camera follows
MORE, GRAIN = 1.5, 3.0  # times, and codes: so much more is left where another person stands before the same place
SAME_WAY = 0.7  # cosine of two moves, one after the other
SUDDEN = 3.0  # times: a camera that goes on does not go so much faster or slower from one frame to the next

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CameraMove:
    """What a camera did between two pictures.

    Attributes:
        corners_px: how far the four corners of the picture went, right and down, [8].
        rest: mean difference of what both pictures show when the move is undone, in codes.
        unmoved: the same of these places, when it is not undone.
    """

    corners_px: Floats
    rest: float
    unmoved: float

    @property
    def explains(self) -> bool:
        """Whether the pictures differ because the camera moved."""
        return self.size_px > STILL_PX and self.rest < REST * self.unmoved

    @property
    def size_px(self) -> float:
        """How far a corner went, in the mean."""
        return float(np.linalg.norm(self.corners_px)) / 2

    def goes_on(self, other: "CameraMove", longer: float = 1.0) -> bool:
        """Whether two moves, one after the other, are those of one camera that keeps moving.

        Args:
            other: the move before or after this one.
            longer: so many times as long as this one the other took, where frames come unevenly.
        """
        slow, fast = sorted((self.size_px, other.size_px))
        cosine = float(self.corners_px @ other.corners_px) / max(4 * slow * fast, 1e-6)
        is_as_like = self.rest < MORE * other.rest + GRAIN
        return slow > STILL_PX / 2 and self._is_as_fast(other, longer) and cosine > SAME_WAY and is_as_like

    def _is_as_fast(self, other: "CameraMove", longer: float) -> bool:
        """By time, or frame by frame: pts that jitter tell no speed."""
        paces = [sorted((self.size_px * times, other.size_px)) for times in (1.0, longer)]
        return any(fast < SUDDEN * slow for slow, fast in paces)


def move_between(one: Bytes, other: Bytes) -> CameraMove | None:
    """The move after which the first picture is the second one; None: it is another picture.

    Args:
        one: [H, W, 3] BGR.
        other: the same size.
    """
    before, after = _luma(one), _luma(other)
    if min(before.shape) < 2 * BLOCK_PX:
        return None  # too small to tell
    shares = {}
    for scale, turn in (*((scale, 0.0) for scale in SCALES), *((1.0, turn) for turn in TURNS)):
        matrix = _matrix(before, after, scale, turn)
        shares[_share_alike(*_undone(before, matrix), after)] = matrix
        if max(shares) > SURE:
            break
    if max(shares) < LIKELY:
        return None
    matrix = _refined(before, after, shares[max(shares)])
    moved, seen = _undone(before, matrix)
    if _share_alike(moved, seen, after) < MOST:
        return None
    rest, unmoved = (float(np.abs(picture - after)[seen].mean()) for picture in (moved, before))
    return CameraMove(_corners(matrix, before.shape), rest, unmoved)


def share_of_forms(one: Bytes, other: Bytes) -> float:
    """Share of the places with texture in both pictures where one goes with the other, in any light, moved or not.

    From 0 to 1: 1 of a picture and its negative, some 0.1 of two pictures; 1 too where too little texture tells.

    Args:
        one: [H, W, 3] BGR.
        other: the same size.
    """
    before, after = _luma(one), _luma(other)
    if min(before.shape) < 2 * BLOCK_PX:
        return 1.0
    still = np.eye(2, 3, dtype=np.float32)
    moves = (still, _matrix(before, after, 1.0))
    return max(_share_together(*_undone(before, matrix), after) for matrix in moves)


def _luma(picture: Bytes) -> Floats:
    height, width = picture.shape[:2]
    scale = min(1.0, MOVE_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)


def _matrix(before: Floats, after: Floats, scale: float, turn: float = 0.0) -> Floats:
    """Of a zoom and a turn in degrees about the middle, and the shift after it, [2, 3], by correlation of phases."""
    height, width = before.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, scale)
    zoomed = cv2.warpAffine(before, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    shift, _ = cv2.phaseCorrelate(zoomed, after.copy(), window)  # it spoils the pictures that it is given
    matrix[:, 2] += shift
    return np.asarray(matrix, np.float32)


def _refined(before: Floats, after: Floats, matrix: Floats) -> Floats:
    """The move as it fits best, also with a turn; the one that was given where none is found."""
    try:
        _, back = cv2.findTransformECC(
            after, before, cv2.invertAffineTransform(matrix), cv2.MOTION_AFFINE, ENDS, None, 5
        )
    except cv2.error:
        return matrix
    return np.asarray(cv2.invertAffineTransform(back), np.float32)


def _undone(before: Floats, matrix: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The first picture where the second has it, and the places that both show."""
    size = before.shape[::-1]
    seen = cv2.warpAffine(np.ones_like(before), matrix, size) > 0.99
    return np.asarray(cv2.warpAffine(before, matrix, size), np.float32), seen


def _share_alike(moved: Floats, seen: NDArray[np.bool_], after: Floats) -> float:
    """Share of the blocks with texture that show the same in both pictures."""
    whole, low, high, together = _compared(moved, seen, after)
    textured = whole & (high > TEXTURE)
    alike = textured & (together > ALIKE * low * high) & (low > 0.3 * high)
    num_textured = np.count_nonzero(textured)
    return np.count_nonzero(alike) / num_textured if num_textured >= FEWEST * textured.size else 0.0


def _share_together(moved: Floats, seen: NDArray[np.bool_], after: Floats) -> float:
    """Share of the blocks with texture in both pictures that correlate, either way."""
    whole, low, high, together = _compared(moved, seen, after)
    textured = whole & (low > TEXTURE)
    num_textured = np.count_nonzero(textured)
    num_together = np.count_nonzero(textured & (np.abs(together) > ALIKE * low * high))
    return num_together / num_textured if num_textured >= FEWEST * textured.size else 1.0


def _compared(
    moved: Floats, seen: NDArray[np.bool_], after: Floats
) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Of blocks: whether both show all of it, the lower and the higher standard deviation, and the covariance."""
    whole = _blocks(seen.astype(np.float32)) > 0.999
    means = _blocks(moved), _blocks(after)
    one, other = (
        np.sqrt(np.maximum(_blocks(picture**2) - mean**2, 0))
        for picture, mean in zip((moved, after), means, strict=True)
    )
    return whole, np.minimum(one, other), np.maximum(one, other), _blocks(moved * after) - means[0] * means[1]


def _blocks(picture: Floats) -> Floats:
    """Means of the blocks of a picture, which overlap by half."""
    means = cv2.boxFilter(picture, -1, (BLOCK_PX, BLOCK_PX))
    half, (height, width) = BLOCK_PX // 2, picture.shape
    return np.asarray(means[half : height - half + 1 : STEP_PX, half : width - half + 1 : STEP_PX], np.float32)


def _corners(matrix: Floats, shape: tuple[int, ...]) -> Floats:
    """How far the corners of a picture go."""
    height, width = shape
    corners = np.array([(x, y, 1) for y in (0, height - 1) for x in (0, width - 1)], np.float32)
    return (corners @ matrix.T - corners[:, :2]).ravel()
