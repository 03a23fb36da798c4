"""How much of a mask is taken out for what lies before the mouth; a face with hardly any left is not painted."""

from collections.abc import Collection, Sequence

import numpy as np

from diff2lip.config import CropConfig
from pipelines.cover_mask import CoverMasks
from pipelines.face_frame import apply
from pipelines.mask import MaskConfig, Rect, mouth_mask
from pipelines.row_table import read_rows
from pipelines.stage import Row
from schemas.reason import Reason, Verdict

COLUMNS = ("pts", "affine", "weight", "landmarks")


def covered_share(painted_uri: str, covers: CoverMasks, crop: CropConfig, mask: MaskConfig) -> float:
    """Share of the mask of a track that stays as it was filmed, 0..1: of all frames together, as they are weighted.

    Args:
        painted_uri: PAINTED_FRAME rows of the track.
        covers: has seen all its frames.
        crop: geometry of the crops.
        mask: shape of the mask.
    """
    if not covers.found:
        return 0.0
    whole, of_mask, out = Rect(0, 0, crop.size_px, crop.size_px), 0.0, 0.0
    for row in read_rows(painted_uri, COLUMNS):
        landmarks, affine = np.reshape(row["landmarks"], (-1, 2)), np.reshape(row["affine"], (2, 3))
        face = mouth_mask(apply(affine, landmarks), np.eye(2, 3), whole, crop, mask) * row["weight"]
        of_mask += float(face.sum())
        out += float((face * (1 - covers.free_crop(row["pts"]))).sum())
    return out / of_mask if of_mask else 0.0


def with_hidden(verdicts: Sequence[Row], hidden: Collection[int]) -> list[Row]:
    """What is said of each face of a shot when some are found to be hidden: those are left, as `mouth_hidden`.

    Args:
        verdicts: TRACK_VERDICT of each face.
        hidden: `track_index` of those of which hardly anything was left to paint.
    """
    left = {"verdict": Verdict.LEAVE.value, "reason": Reason.MOUTH_HIDDEN.value}
    return [one | left if one["track_index"] in hidden else one for one in verdicts]
