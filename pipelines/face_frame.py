"""The face frame: film pixels to a face's own coordinates, and crops as windows in them.

In the face frame the outer eye corners lie at (-0.5, 0) and (0.5, 0), y points to the chin;
the unit is therefore the distance of the outer eye corners. Only points that speech does not
move are used, so a crop does not nod with the jaw.
"""

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig

Floats = NDArray[np.float64]

# Indices of the 468-point face mesh, and where they lie on an average frontal face.
RIGID_INDICES = (33, 133, 362, 263, 168, 6, 197, 195, 4, 2)
RIGID_TEMPLATE: Floats = np.array(
    [
        (-0.5, 0.0),
        (-0.209, 0.009),
        (0.209, 0.009),
        (0.5, 0.0),
        (0.0, -0.068),
        (0.0, 0.021),
        (0.0, 0.105),
        (0.0, 0.180),
        (0.0, 0.352),
        (0.0, 0.535),
    ]
)
INNER_LIP_TOP, INNER_LIP_BOTTOM, MOUTH_LEFT, MOUTH_RIGHT = 13, 14, 78, 308


def face_affine(landmarks: Floats) -> Floats:
    """The similarity that takes film pixels to the face frame, over the points of `RIGID_INDICES`.

    Args:
        landmarks: [468, 2] face mesh in film pixels.

    Returns:
        [2, 3] affine.
    """
    return similarity(rigid_points(landmarks), RIGID_TEMPLATE)


def rigid_points(landmarks: Floats) -> Floats:
    """[..., 10, 2] the points of `RIGID_INDICES` of [..., 468, 2] landmarks."""
    return landmarks[..., list(RIGID_INDICES), :]


def similarity(source: Floats, target: Floats) -> Floats:
    """The [2, 3] turn, scale and shift that takes points [N, 2] nearest to others.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991), Eq. 40-42, in
    the plane: there they have this solution without a decomposition, and it never mirrors.
    """
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred, wanted = source - source_mean, target - target_mean
    (xx, xy), (yx, yy) = (wanted.T @ centred).tolist()
    size = float((centred**2).sum())
    along, across = (xx + yy) / size, (yx - xy) / size
    linear = np.array([[along, -across], [across, along]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


def crop_affine(landmarks: Floats, crop: CropConfig) -> Floats:
    """The affine from film pixels to crop pixels: [2, 3]. Pixel centres lie at integers."""
    return rigid_crop_affine(rigid_points(landmarks), crop)


def rigid_crop_affine(points: Floats, crop: CropConfig) -> Floats:
    """The same of a face of which only the [10, 2] `rigid_points` are known."""
    return compose(face_to_crop(crop), similarity(points, RIGID_TEMPLATE))


def face_to_crop(crop: CropConfig) -> Floats:
    """The affine from the face frame to crop pixels: [2, 3]. Pixel centres lie at integers."""
    scale = crop.size_px / crop.width
    return np.array([[scale, 0.0, -crop.left * scale - 0.5], [0.0, scale, -crop.top * scale - 0.5]])


def compose(outer: Floats, inner: Floats) -> Floats:
    """The [2, 3] affine that applies `inner` first, then `outer`."""
    both = outer[:, :2] @ inner
    both[:, 2] += outer[:, 2]
    return both


def invert(affine: Floats) -> Floats:
    """The [2, 3] affine that undoes `affine`."""
    (a, b, x), (c, d, y) = affine.tolist()
    det = a * d - b * c
    linear = ((d / det, -b / det), (-c / det, a / det))
    return np.array([[p, q, -(p * x + q * y)] for p, q in linear])


def apply(affine: Floats, points: Floats) -> Floats:
    """Points [..., 2] taken through a [2, 3] affine."""
    return points @ affine[:, :2].T + affine[:, 2]


def mouth_opening(landmarks: Floats) -> float:
    """Inner-lip gap over mouth width, 0 when closed."""
    gap = float(np.linalg.norm(landmarks[INNER_LIP_BOTTOM] - landmarks[INNER_LIP_TOP]))
    width = float(np.linalg.norm(landmarks[MOUTH_RIGHT] - landmarks[MOUTH_LEFT]))
    return gap / max(width, 1e-6)
