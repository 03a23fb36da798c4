"""What hides the mouth of a face track, look by look; a face that passes in front is told from a hand."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from pipelines.cover_network import KINDS
from pipelines.detection import overlap
from pipelines.face_sight import LOOK_EVERY, HiddenMouth
from pipelines.face_tracks import SmoothTrack
from schemas.reason import Cover

Floats = NDArray[np.float64]

HIDERS = (*KINDS, Cover.FACE)
MOUTH = np.array([0.2, 0.55, 0.8, 1.0])  # of a face's box, in its widths and heights
HEAD = np.array([-0.3, -0.3, 1.3, 1.1])  # with hair and ears, around a face's box
THING, FACE = HIDERS.index(Cover.THING), HIDERS.index(Cover.FACE)


def hidden_looks(
    track: SmoothTrack, looks: Sequence[HiddenMouth], beside: Sequence[SmoothTrack]
) -> tuple[list[int], Floats]:
    """How much of a mouth each of `HIDERS` hides at each look.

    Where the face was not found something hides it whole. Whatever hides it while another head reaches the mouth, or
    at the look before or after, is that head.

    Args:
        track: whose mouth.
        looks: at its mouth, where the face was found.
        beside: the other tracks of the shot.

    Returns:
        The N pts of all looks, ascending, and [N, 3] shares 0..1.
    """
    found = [(look.pts, look.shares) for look in looks]
    hidden = sorted([*found, *_unseen(track)], key=lambda look: look[0])
    pts = [at for at, _ in hidden]
    shares = np.zeros((len(hidden), len(HIDERS)))
    shares[:, : len(KINDS)] = np.array([of_kinds for _, of_kinds in hidden]).reshape(-1, len(KINDS))
    touched = maximum_filter1d(np.array([_is_touched(track, at, beside) for at in pts], bool), 3)
    shares[touched, FACE], shares[touched, THING] = shares[touched, THING], 0.0
    return pts, shares


def _unseen(track: SmoothTrack) -> list[tuple[int, Floats]]:
    """Looks at a face that was not found for a while."""
    unseen = [pts for pts, is_seen in zip(track.pts, track.detected, strict=True) if not is_seen]
    return [(pts, np.eye(len(KINDS))[THING]) for pts in unseen[::LOOK_EVERY]]


def _is_touched(track: SmoothTrack, pts: int, beside: Sequence[SmoothTrack]) -> bool:
    """Whether another face, which is found in this frame, or its hair reaches the mouth of this one."""
    mouth = _part(track.boxes[bisect_left(track.pts, pts)], MOUTH)
    places = [(other, bisect_left(other.pts, pts)) for other in beside]
    return any(
        other.pts[place : place + 1] == [pts]
        and other.detected[place]
        and overlap(_part(other.boxes[place], HEAD), mouth) > 0
        for other, place in places
    )


def _part(box: Floats, part: Floats) -> Floats:
    """A box that lies in a face's box as said in its widths and heights."""
    size = box[2:] - box[:2]
    return np.concatenate([box[:2] + part[:2] * size, box[:2] + part[2:] * size])
