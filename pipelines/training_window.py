"""The squares that training pictures are cut from: with margin around what any model sees, or as published."""

from enum import StrEnum

from diff2lip.config import CropConfig


class TrainingCrop(StrEnum):
    """How the pictures of a training set are cut."""

    TRACKED = "tracked"  # after the face mesh, upright, with margin
    PUBLISHED = "published"  # the fixed box of VoxCeleb2, squashed


# whole_face() and the small model's window lie in it, 8 to 9 % of their size away from each edge: crops can be
# turned, moved and mirrored while training. A face of 128 px is 162 px here, so nothing of it is lost.
TRAINING_WINDOW = CropConfig(size_px=192, left=-1.3, top=-0.935, width=2.6)
PUBLISHED_SIZE_PX = 128  # as the published model sees it
