"""What is kept of the pictures of a track: of every second the best chip, of every look how the mouth was hidden."""

from collections.abc import Iterator
from weakref import ref

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.face_sight import LOOKS_A_CHIP, NUM_CHIPS, FaceSight, HiddenMouth, TrackSights
from pipelines.face_tracks import Face, FaceTrack, link_faces


def sight(place: int, turned_deg: float = 10.0) -> FaceSight:
    """Its chip says at which place of the track it was taken."""
    chip = np.full((1, 1, 3), place, np.uint8)
    return FaceSight(turned_deg=turned_deg, chip=lambda: chip, mouth=HiddenMouth(place))


def kept(*turned_deg: float) -> list[int]:
    """Places of the chips of a track that looks away so far at each look."""
    sights = TrackSights()
    for place, deg in enumerate(turned_deg):
        sights.add(sight(place, deg))
    assert [mouth.pts for mouth in sights.mouths] == list(range(len(turned_deg)))
    return [int(chip[0, 0, 0]) for chip in sights.chips()]


def test_a_track_that_was_looked_at_once_has_a_chip() -> None:
    assert kept(60.0) == [0]
    assert kept() == []


def test_of_each_third_the_chip_that_looks_ahead_most_is_taken() -> None:
    seconds = [30.0, 20.0, 5.0, 40.0, 6.0, 7.0]  # how far each second's best look is turned
    looks = [deg + (0 if place == 3 else 9) for deg in seconds for place in range(LOOKS_A_CHIP)]

    assert kept(*looks) == [LOOKS_A_CHIP * second + 3 for second in (1, 2, 4)]


@pytest.mark.parametrize("num_looks", [1, 100, 1000])
def test_a_track_however_long_keeps_a_chip_a_second_and_no_face_keeps_its_own(num_looks: int) -> None:
    track = FaceTrack()
    for place in range(num_looks):
        track.add(place, Face(np.zeros(4), 0.9, np.zeros((468, 2)), sight=sight(place % 256)))

    assert all(face.sight is None for face in track.faces)
    assert len(track.sights._chips) == (num_looks - 1) // LOOKS_A_CHIP
    assert len(track.sights.chips()) == min(NUM_CHIPS, -(-num_looks // LOOKS_A_CHIP))


def test_a_track_that_is_over_lets_its_frame_go() -> None:
    """People come and go in one take: what is in memory is of those who are still there."""

    def frames() -> Iterator[tuple[int, list[Face]]]:
        for pts in range(40):
            frame = np.zeros((4, 4, 3), np.uint8)
            held.append(ref(frame))
            looked = FaceSight(turned_deg=float(pts), chip=lambda frame=frame: frame.copy(), mouth=HiddenMouth(pts))
            place = 100.0 * (pts // 4)  # every four frames somebody else
            box = np.array([place, 0, place + 50, 50])
            yield pts, [Face(box, 0.9, np.zeros((468, 2)), sight=looked)]
            most.append(sum(one() is not None for one in held))

    held: list[ref[NDArray[np.uint8]]] = []
    most: list[int] = []
    tracks = link_faces(frames(), max_gap_pts=3, min_overlap=0.25)

    assert len(tracks) == 10
    assert max(most) <= 4
    assert all(len(track.sights.chips()) == 1 for track in tracks)
