"""What hides a mouth: spans by construction; the network on real faces, a real hand, a microphone and a subtitle."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.cover_network import COVER_CROP
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import MOUTH_LEFT, MOUTH_RIGHT
from pipelines.face_mesh import FaceMesh
from pipelines.media.picture import rgb_frames
from pipelines.mouth_cover import BATCH, CoverMeter, CoverQueue, CoverSpan, CoverView, cover_spans, cover_view
from tests.real_assets import real_asset

Pixels = NDArray[np.uint8]

ALL_PTS = 10**12
LEAST = 0.1
# Of clip-wolfgang, looked at frame by frame: a hand hides a part of the lips or the chin.
HAND = range(58, 229)
EVERY = 3


def viewed(*hidden: float) -> NDArray[np.float64]:
    """[N, 2] shares of which a thing hides so much, text nothing."""
    return np.stack([np.array(hidden), np.zeros(len(hidden))], 1)


def test_a_span_reaches_from_after_the_last_free_view_to_the_next_one() -> None:
    spans = cover_spans([0, 3, 6, 9, 12, 15], viewed(0, 0, 0.5, 0.5, 0, 0), LEAST, (0, 18))

    assert spans == [CoverSpan(4, 12, "thing")]


def test_what_hides_the_mouth_at_an_end_hides_it_to_that_end() -> None:
    assert cover_spans([0, 3, 6, 9], viewed(0.5, 0.5, 0, 0), LEAST, (0, 12)) == [CoverSpan(0, 6, "thing")]
    assert cover_spans([0, 3, 6, 9], viewed(0, 0, 0.5, 0.5), LEAST, (0, 12)) == [CoverSpan(4, 12, "thing")]
    assert cover_spans([3, 6], viewed(0.5, 0), LEAST, (1, 8)) == [CoverSpan(1, 6, "thing")]
    assert cover_spans([0], viewed(0.5), LEAST, (0, 1)) == [CoverSpan(0, 1, "thing")]


def test_one_view_that_differs_from_both_beside_it_is_not_believed() -> None:
    assert cover_spans([0, 3, 6, 9, 12], viewed(0, 0, 0.9, 0, 0), LEAST, (0, 15)) == []
    assert cover_spans([0, 3, 6, 9, 12], viewed(0.9, 0.9, 0, 0.9, 0.9), LEAST, (0, 15)) == [CoverSpan(0, 15, "thing")]


def test_a_mouth_that_was_never_viewed_is_not_hidden() -> None:
    assert cover_spans([], np.zeros((0, 2)), LEAST, (0, 2)) == []


def test_things_and_titles_are_told_apart() -> None:
    shares = np.array([[0, 0.3], [0.2, 0.3], [0.2, 0], [0, 0]])

    spans = cover_spans([0, 3, 6, 9], shares, LEAST, (0, 12))

    assert {span.kind for span in spans} == {"thing", "text"}


def views(clip: str, every: int = EVERY, change: object = None) -> Iterator[CoverView]:
    """The mouths of the first face of a clip; landmarks are those of the untouched picture."""
    detector, mesh = FaceDetector(), FaceMesh()
    for index, (_, frame) in enumerate(rgb_frames(real_asset(clip), -ALL_PTS, ALL_PTS)):
        if index % every:
            continue
        faces = detector.detect(frame[None])[0]
        if faces:
            best = max(faces, key=lambda face: face.score)
            landmarks = mesh.found(frame, best.box, best.points[:2]).landmarks
            drawn = change(frame.copy(), landmarks) if callable(change) else frame
            yield cover_view(index, drawn, landmarks)


def test_a_hand_is_noticed_as_a_person_sees_it() -> None:
    """Precision and recall of frames with a hand before the mouth: at least 0.9 each."""
    seen = list(views("clip-wolfgang"))

    found = {view.pts for view, share in zip(seen, CoverMeter().shares(seen), strict=True) if share.max() >= LEAST}
    true = {view.pts for view in seen if view.pts in HAND}

    assert len(true) > 50
    assert len(found & true) >= 0.9 * len(true)
    assert len(found & true) >= 0.9 * len(found)


@pytest.mark.parametrize("clip", ["clip-test-movie", "clip-jwp-intro", "clip-single-face", "clip-obama-speech"])
def test_talking_and_smiling_faces_are_free(clip: str) -> None:
    shares = CoverMeter().shares(list(views(clip, every=9)))

    assert len(shares) > 5
    assert np.mean(shares.max(1) >= LEAST) <= 0.1


def microphone(frame: Pixels, landmarks: NDArray[np.float64]) -> Pixels:
    """A dark ball with a bright rim before the lower lip, on a rod from below."""
    mouth = landmarks[[MOUTH_LEFT, MOUTH_RIGHT]]
    width = float(np.linalg.norm(mouth[1] - mouth[0]))
    x, y = (mouth.mean(0) + np.array([0, 0.25 * width])).round().astype(int).tolist()
    cv2.line(frame, (x, y), (x + int(width), frame.shape[0]), (25, 25, 28), int(0.5 * width))
    cv2.circle(frame, (x, y), int(0.55 * width), (38, 36, 40), -1, cv2.LINE_AA)
    cv2.circle(frame, (x, y), int(0.55 * width), (90, 90, 95), max(1, int(0.08 * width)), cv2.LINE_AA)
    return frame


def subtitle(frame: Pixels, landmarks: NDArray[np.float64]) -> Pixels:
    """A line in a font that the network was not fitted to, across the chin."""
    mouth = landmarks[[MOUTH_LEFT, MOUTH_RIGHT]]
    width = float(np.linalg.norm(mouth[1] - mouth[0]))
    x, y = (mouth.mean(0) + np.array([-4 * width, 0.9 * width])).round().astype(int).tolist()
    scale = width / 45
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        said = "He says that he will never come back to this town"
        cv2.putText(frame, said, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, max(1, round(thickness * scale)))
    return frame


@pytest.mark.parametrize("draw", [microphone, subtitle])
def test_a_microphone_and_a_subtitle_over_a_real_mouth_are_noticed(draw: object) -> None:
    covered = list(views("clip-test-movie", every=9, change=draw))

    shares = CoverMeter().shares(covered)

    assert np.mean(shares.max(1) >= LEAST) >= 0.9


def test_a_result_does_not_depend_on_what_else_is_looked_at() -> None:
    seen = list(views("clip-single-face", every=4))
    meter = CoverMeter()

    alone = np.concatenate([meter.shares([view]) for view in seen])

    assert (alone == meter.shares(seen)).all()
    assert meter.shares([]).shape == (0, 2)


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1])
def test_mouths_that_come_one_by_one_are_all_measured(count: int) -> None:
    seen = list(islice(views("clip-wolfgang", every=9), count))
    queue = CoverQueue(CoverMeter())

    mouths = [queue.add(view) for view in seen]
    assert [mouth.shares is not None for mouth in mouths] == [place < count // BATCH * BATCH for place in range(count)]
    queue.measure()

    assert len(seen) == count
    assert [mouth.pts for mouth in mouths] == [view.pts for view in seen]
    assert np.array_equal(np.stack([mouth.shares for mouth in mouths]), CoverMeter().shares(seen))  # type: ignore[misc]


def test_what_would_be_painted_is_the_lower_face() -> None:
    (view,) = list(views("clip-single-face", every=1000))
    rows = np.flatnonzero(view.painted.any(1))

    assert view.picture.shape == (COVER_CROP.size_px, COVER_CROP.size_px, 3)
    assert 0.2 < rows[0] / COVER_CROP.size_px < 0.35  # between nose and upper lip
    assert rows[-1] / COVER_CROP.size_px > 0.6


def test_the_shipped_weights_are_small() -> None:
    from pipelines.face_config import COVER_WEIGHTS

    assert Path(COVER_WEIGHTS).stat().st_size < 1_000_000
