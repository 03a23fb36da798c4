"""What is cut out of the frames of a shot for its face tracks.

The crops, chips by which a face is recognised, and mouths to see what hides them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.face_crop import crop_frame, shown_box
from pipelines.face_descriptor import CHIP_PX, chip_affine, face_chip
from pipelines.face_tracks import SmoothTrack
from pipelines.head_pose import pitch_deg, yaw_deg
from pipelines.media.display import View
from pipelines.media.picture_part import Part, part_around
from pipelines.mouth_cover import CoverView, cover_cut, cover_places, cover_view

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Floats = NDArray[np.float64]

NUM_CHIPS = 3  # a tenth of a second each; one alone may have its eyes shut


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackPicture:
    """What is cut out of one frame for one track."""

    track_index: int
    place: int  # of the frame in its track
    crop: bytes  # RGB
    chip: Pixels | None  # of a few frames: to recognise the face
    mouth: CoverView | None  # of every third frame: to see what hides it


def track_pictures(
    frames: Iterable[tuple[int, Pixels]], tracks: Sequence[SmoothTrack], size_px: int
) -> Iterator[TrackPicture]:
    """Cut out of each frame what its tracks want of it; nothing is held.

    Args:
        frames: pts and picture of the shot, in order of time.
        tracks: of the shot.
        size_px: side of a crop.

    Yields:
        The pictures of each frame, track after track.
    """
    wanted: dict[int, list[tuple[int, int]]] = defaultdict(list)  # track and place in it, by pts
    for index, track in enumerate(tracks):
        for place, pts in enumerate(track.pts):
            wanted[pts].append((index, place))
    shown = [set(chip_places(track)) for track in tracks]
    looked_at = [cover_places(track) for track in tracks]
    for pts, frame in frames:
        for index, place in wanted[pts]:
            landmarks = tracks[index].landmarks[place]
            yield TrackPicture(
                track_index=index,
                place=place,
                crop=crop_frame(frame, tracks[index].affines[place], size_px).tobytes(),
                chip=face_chip(frame, landmarks) if place in shown[index] else None,
                mouth=cover_view(pts, frame, landmarks) if place in looked_at[index] else None,
            )


def shown_parts(tracks: Sequence[SmoothTrack], size_px: int, view: View) -> dict[int, list[Part]]:
    """What of each frame `track_pictures` looks at, by pts.

    Args:
        tracks: of a shot, as seen in the view.
        size_px: side of a crop.
        view: of the film's own pixels.
    """
    parts: dict[int, list[Part]] = defaultdict(list)
    for track in tracks:
        boxes = np.stack([_shown_box(track, place, size_px) for place in range(len(track.pts))])
        for pts, box in zip(track.pts, view.boxes_in_film(boxes), strict=True):
            parts[pts].append(part_around(box, view.width_px, view.height_px))
    return parts


def _shown_box(track: SmoothTrack, place: int, size_px: int) -> Floats:
    """[4] around all that is cut out of a frame."""
    landmarks = track.landmarks[place]
    cuts = (track.affines[place], size_px), (chip_affine(landmarks), CHIP_PX), cover_cut(landmarks)
    boxes = np.stack([shown_box(affine, side_px) for affine, side_px in cuts])
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])


def chip_places(track: SmoothTrack) -> list[int]:
    """The frames that show best who it is: of each third of those where it was seen the one that looks ahead most."""
    seen = np.flatnonzero(track.detected)
    parts = [part for part in np.array_split(seen, NUM_CHIPS) if len(part)]
    return [min(part.tolist(), key=lambda place: _turned(track, place)) for part in parts]


def _turned(track: SmoothTrack, place: int) -> float:
    landmarks = track.landmarks[place]
    return float(np.hypot(yaw_deg(landmarks), pitch_deg(landmarks)))
