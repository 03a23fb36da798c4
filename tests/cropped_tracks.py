"""The crops of whole face tracks, as painting would find them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.crops import cropped_frames
from pipelines.track_frames import TrackFrames


def crops_of(row: dict[str, Any], size_px: int, track_index: int = 0) -> NDArray[np.uint8]:
    """[F, S, S, 3] of every frame of a track of a TRACKED_SHOT row."""
    wanted = {track_index: TrackFrames(row["tracks_uri"], track_index).pts}
    crops = [np.frombuffer(frame["crop"], np.uint8) for frame in cropped_frames(row, wanted, size_px)]
    return np.stack(crops).reshape(-1, size_px, size_px, 3)
