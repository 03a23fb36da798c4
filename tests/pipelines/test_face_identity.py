"""The same man in two clips is one person, and another man is not."""

from itertools import islice

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.assets import asset_path
from pipelines.face_identity import ASSET, FaceIdentity
from pipelines.media.published_frames import published_frames

ONE_PERSON = 0.6  # of dlib's author
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module", name="identity")
def _identity() -> FaceIdentity:
    asset_path(ASSET)
    identity = FaceIdentity.known()
    assert identity is not None
    return identity


def frames(clip: str) -> list[Pixels]:
    """Two frames of a clip, a second apart."""
    return list(islice(published_frames(asset_path(clip)), 0, 26, 25))


def test_one_man_in_two_rooms_is_one_person_and_another_man_is_not(identity: FaceIdentity) -> None:
    lecturer, again = frames("clip-jwp-intro"), frames("clip-test-movie")
    other = np.asarray(cv2.imread(str(asset_path("still-obama")), cv2.IMREAD_COLOR_RGB), np.uint8)

    same, apart = identity.distance(lecturer, again), identity.distance(lecturer, [other, other])

    assert same is not None
    assert apart is not None
    assert same < ONE_PERSON < apart
    assert identity.distance(lecturer, lecturer) == 0


def test_a_picture_without_a_face_has_no_distance(identity: FaceIdentity) -> None:
    grey = np.full((200, 200, 3), 110, np.uint8)

    assert identity.distance([grey], [grey]) is None
