"""What lies before a painted mouth stays as filmed: things drawn before real faces, known to the pixel, and none."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.composite import CompositeShot
from pipelines.cover_mask import SIDE, SURE_PX, CoverMasks, believed, hidden_pixels
from pipelines.cover_network import COVER_CROP
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import apply, compose, crop_affine, face_affine, face_to_crop, invert
from pipelines.face_mesh import FaceMesh
from pipelines.mask import MaskConfig, Rect, mask_rect, mouth_mask
from pipelines.media.picture import rgb_frames
from pipelines.mouth_cover import CoverMeter
from pipelines.painted_frame import PaintedFrame
from pipelines.storage import ObjectStore
from schemas.frames import PAINTED_FRAME
from tests.film_rows import painted_shot
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.pipelines.test_composite import laid
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

Pixels = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Draw = Callable[[Pixels, Floats, int], Floats]  # into a frame, by its face frame, at a place in time; its alpha

CROP, MASK = CropConfig(), MaskConfig()
ALL_PTS = 10**12
NUM_FRAMES = 10
LANDMARKS = drawn_landmarks((SIDE / 2, 2.0), 38.0)  # lips about row 32, chin about row 53
LIPS, CHIN = (32, 32), (46, 32)
NOTHING = np.zeros((SIDE, SIDE), bool)


def blob(row: int, column: int, radius: int = 4) -> Bools:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray(np.hypot(rows - row, columns - column) <= radius)


def told(*parts: tuple[Bools, float]) -> NDArray[np.float32]:
    probability = np.zeros((SIDE, SIDE), np.float32)
    for where, value in parts:
        probability[where] = value
    return probability


def test_a_thing_that_is_sure_somewhere_is_taken_as_far_as_it_goes() -> None:
    sure, thing = blob(*CHIN, 2), blob(*CHIN, 6)
    assert sure.sum() >= SURE_PX

    assert np.array_equal(hidden_pixels(told((thing, 0.2), (sure, 0.9)), LANDMARKS, 0.7), thing)


def test_what_is_sure_nowhere_is_skin() -> None:
    assert not hidden_pixels(told((blob(*CHIN, 6), 0.6)), LANDMARKS, 0.7).any()
    assert not hidden_pixels(told((blob(*CHIN, 1), 0.9)), LANDMARKS, 0.7).any()  # five pixels


def test_on_lips_a_doubt_does_not_hide() -> None:
    near = told((blob(*LIPS, 8), 0.3), (blob(LIPS[0] + 8, LIPS[1], 3), 0.9))

    hidden = hidden_pixels(near, LANDMARKS, 0.7)

    assert not hidden[LIPS]
    assert hidden[LIPS[0] + 7, LIPS[1]]


def test_a_thing_beside_the_face_alone_is_none_before_it() -> None:
    assert not hidden_pixels(told((blob(58, 4, 4), 0.9)), LANDMARKS, 0.7).any()


def test_a_glimpse_of_one_frame_is_not_believed_and_a_thing_that_moves_is() -> None:
    thing = blob(*CHIN)

    assert not believed([NOTHING], thing, [NOTHING]).any()
    assert np.array_equal(believed([blob(CHIN[0], CHIN[1] - 8)], thing, [NOTHING]), thing)
    assert np.array_equal(believed([NOTHING], thing | blob(10, 10), [blob(*CHIN)]), thing)


def test_what_is_there_before_and_after_is_not_missing_between() -> None:
    thing = blob(*CHIN)

    assert np.array_equal(believed([NOTHING, thing], NOTHING, [thing, NOTHING]), thing)
    assert not believed([thing, thing], NOTHING, [NOTHING, NOTHING]).any()


class KnownThings(CoverMeter):
    """In its place: of the frames in turn, and of their mirror images, what is said to lie before them."""

    def __init__(self, things: list[Bools]) -> None:
        self._left = iter(things)

    def probabilities(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        things = list(islice(self._left, len(pictures) // 2))
        told = np.stack([*things, *(thing[:, ::-1] for thing in things)])[:, None].astype(np.float32)
        return np.repeat(told, 2, 1)


def taken_out(pts: list[int], hidden: set[int], time_base: Fraction = Fraction(1, 25)) -> dict[int, float]:
    """How much of the chin is taken out of each frame, where a thing lies before it at some of these pts."""
    side = CROP.size_px
    covers = CoverMasks(
        KnownThings([blob(*CHIN) if at in hidden else NOTHING for at in pts]), CROP, MASK, time_base, (side, side)
    )
    to_cover = compose(face_to_crop(COVER_CROP), invert(face_to_crop(CROP)))
    landmarks, blank = apply(invert(to_cover), LANDMARKS), np.zeros((side, side, 3), np.uint8)
    covers.see((at, PaintedFrame(1.0, landmarks, np.eye(2, 3), blank, blank)) for at in pts)
    column, row = apply(invert(to_cover), np.array([CHIN[::-1]], np.float64))[0].round().astype(int)
    whole = Rect(0, 0, side, side)
    return {at: round(1 - float(covers.free(at, np.eye(2, 3), whole)[row, column]), 2) for at in pts}


def test_a_thing_is_taken_out_where_it_is_and_softly_beside() -> None:
    out = taken_out(list(range(12)), {5, 6, 7})

    assert [at for at, share in out.items() if share == 1] == [5, 6, 7]
    assert out[4] == out[8] == 0.25
    assert sum(out.values()) == 3.5


def test_what_lies_in_another_run_of_painted_frames_says_nothing() -> None:
    out = taken_out([*range(6), *range(1000, 1006)], {4, 5, 1003, 1004, 1005})

    assert [out[at] for at in (4, 5, 1000, 1001, 1003)] == [1, 1, 0, 0, 1]


@pytest.mark.parametrize("pts", [[3], [3, 4, 5], [1, 2, 3]])
def test_a_glimpse_in_the_first_or_last_frame_is_not_believed_either(pts: list[int]) -> None:
    assert set(taken_out(pts, {3}).values()) == {0}


@pytest.mark.parametrize(("rate", "bridged"), [(25, 4), (120, 20), (12, 2)])
def test_a_gap_of_a_sixth_of_a_second_is_bridged_at_any_rate(rate: int, bridged: int) -> None:
    for hole in (bridged, bridged + 1):
        after = {3 + hole, 4 + hole, 5 + hole}
        out = taken_out(list(range(6 + hole)), {0, 1, 2} | after, Fraction(1, rate))
        assert set(list(out.values())[4 : 2 + hole]) <= ({1} if hole == bridged else {0})
        assert out[3] == (1 if hole == bridged else 0.25)


def test_nothing_is_seen_beyond_the_film() -> None:
    covers = CoverMasks(CoverMeter(), CROP, MASK, Fraction(1, 25), (CROP.size_px, CROP.size_px // 2))

    seen = covers._is_seen(np.eye(2, 3))

    assert seen.any()
    assert not seen[SIDE // 2 :].any()


def filmed(clip: str, every: int = 1) -> Iterator[tuple[Pixels, Floats]]:
    """Frames of a real clip, and the landmarks of its first face."""
    detector, mesh = FaceDetector(), FaceMesh()
    for index, (_, frame) in enumerate(rgb_frames(real_asset(clip), -ALL_PTS, ALL_PTS)):
        if index % every == 0:
            face = max(detector.detect(frame[None])[0], key=lambda one: one.score)
            yield frame, mesh.found(frame, face.box, face.points[:2]).landmarks


def free_masks(frames: list[tuple[Pixels, Floats]]) -> list[NDArray[np.float32]]:
    """What of each crop is free, in its pixels."""
    affines = [crop_affine(landmarks, CROP) for _, landmarks in frames]
    crops = [crop_frame(frame, affine, CROP.size_px) for (frame, _), affine in zip(frames, affines, strict=True)]
    height, width = frames[0][0].shape[:2]
    covers = CoverMasks(CoverMeter(), CROP, MASK, Fraction(1, 25), (width, height))
    seen = (
        (pts, PaintedFrame(1.0, landmarks, affine, crop, crop))
        for pts, ((_, landmarks), affine, crop) in enumerate(zip(frames, affines, crops, strict=True))
    )
    covers.see(seen)
    whole = Rect(0, 0, CROP.size_px, CROP.size_px)
    return [covers.free(pts, np.eye(2, 3), whole) for pts in range(len(frames))]


@pytest.mark.parametrize("clip", ["clip-test-movie", "clip-jwp-intro", "clip-single-face", "clip-obama-speech"])
def test_the_mask_of_a_face_with_nothing_before_it_stays_as_it_is(clip: str) -> None:
    """Two beards, teeth, open mouths, a clip of 240 lines."""
    masks = free_masks(list(filmed(clip, every=6)))

    assert len(masks) >= 12
    assert all((mask == 1).all() for mask in masks)


def disc(frame: Pixels, face: Floats, at: tuple[float, float], radius: float) -> Floats:
    """[H, W] how much of each pixel a disc of the face frame covers."""
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    away = np.linalg.norm(apply(face, np.stack([columns, rows], -1).astype(float)) - at, axis=-1)
    unit_px = 1 / np.sqrt(abs(np.linalg.det(face[:, :2])))
    return np.asarray(((radius - away) * unit_px + 0.5).clip(0, 1))


def rod(frame: Pixels, face: Floats, ends: tuple[tuple[float, float], ...], width: float) -> Floats:
    """[H, W] how much of each pixel a rod of the face frame covers."""
    first, last = apply(invert(face), np.array(ends))
    alpha = np.zeros(frame.shape[:2], np.uint8)
    thick = round(width / np.sqrt(abs(np.linalg.det(face[:, :2]))))
    cv2.line(alpha, tuple(first.round().astype(int).tolist()), tuple(last.round().astype(int).tolist()), 255, thick)
    return alpha / 255.0


def lay_over(frame: Pixels, alpha: Floats, colour: Any) -> None:
    frame[:] = (frame * (1 - alpha[..., None]) + np.asarray(colour) * alpha[..., None]).round().clip(0, 255)


def microphone_edge(frame: Pixels, face: Floats, _: int) -> Floats:
    """The upper edge of a dark ball before the chin."""
    alpha = disc(frame, face, (0.1, 1.35), 0.28)
    lay_over(frame, alpha, (38, 36, 40))
    return alpha


def passing_ball(frame: Pixels, face: Floats, place: int) -> Floats:
    """A grey ball that goes across the cheek and past the mouth's corner."""
    alpha = disc(frame, face, (0.7 - 0.05 * place, 1.0), 0.22)
    lay_over(frame, alpha, (110, 110, 118))
    return alpha


def stick(frame: Pixels, face: Floats, place: int, grey: int) -> Floats:
    """As wide as a finger, it swings across chin and mouth."""
    alpha = rod(frame, face, ((-0.9, 1.5), (0.35, 0.75 + 0.02 * place)), 0.18)
    lay_over(frame, alpha, grey)
    return alpha


def white_stick(frame: Pixels, face: Floats, place: int) -> Floats:
    return stick(frame, face, place, 230)


def dark_stick(frame: Pixels, face: Floats, place: int) -> Floats:
    return stick(frame, face, place, 30)


def finger(frame: Pixels, face: Floats, _: int) -> Floats:
    """Of the face's own skin, darker at its sides, on the chin."""
    cheek = apply(invert(face), np.array([(-0.3, 0.45), (0.3, 0.45)])).round().astype(int)
    skin = np.median([frame[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3).mean(0) for x, y in cheek], 0)
    alpha = rod(frame, face, ((-0.9, 1.6), (-0.1, 1.12)), 0.2)
    inner = cv2.GaussianBlur(alpha, (0, 0), 0.05 / np.sqrt(abs(np.linalg.det(face[:, :2]))))
    lay_over(frame, alpha, skin * (0.55 + 0.5 * inner[..., None]))
    return alpha


@pytest.mark.parametrize("draw", [microphone_edge, passing_ball, white_stick, dark_stick, finger])
@pytest.mark.parametrize("clip", ["clip-test-movie", "clip-single-face"])
def test_what_is_drawn_before_a_face_is_taken_out_of_its_mask(clip: str, draw: Draw) -> None:
    frames = [(frame.copy(), landmarks) for frame, landmarks in islice(filmed(clip), NUM_FRAMES)]
    drawn = [draw(frame, face_affine(landmarks), at) for at, (frame, landmarks) in enumerate(frames)]

    inside, out, skin = 0.0, 0.0, 0.0
    for (_, landmarks), alpha, free in zip(frames, drawn, free_masks(frames), strict=True):
        affine = crop_affine(landmarks, CROP)
        painted = mouth_mask(
            apply(affine, landmarks), np.eye(2, 3), Rect(0, 0, CROP.size_px, CROP.size_px), CROP, MASK
        )
        thing = cv2.warpAffine(alpha.astype(np.float32), affine, free.shape[::-1])
        inside += float(painted[thing > 0.5].sum())
        out += float((painted * (1 - free))[thing > 0.5].sum())
        skin += float((painted * (1 - free))[thing < 0.02].sum() / painted.sum() / len(frames))

    assert out >= 0.9 * inside > 0
    assert skin < 0.2  # its margin and feather, and what a dark stick cuts off


def test_a_microphone_before_a_chin_is_delivered_as_it_was_filmed(tmp_path: Path) -> None:
    clip = [(frame.copy(), landmarks) for frame, landmarks in islice(filmed("clip-test-movie"), NUM_FRAMES)]
    drawn = [microphone_edge(frame, face_affine(landmarks), 0) for frame, landmarks in clip]
    height, width = clip[0][0].shape[:2]
    spec = FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=width, height_px=height)
    film = make_film(tmp_path / "film.mp4", spec, draw=lambda index: clip[index][0])
    row = painted_row(tmp_path, film, list(zip(film.pts, clip, strict=True)))

    changed = {
        least: [mask for _, _, mask, _ in laid(film, stage(tmp_path, least).facts(row)["patch_uri"])]
        for least in (MASK.least_cover, 1.0)
    }

    for kept, whole, alpha, (_, landmarks) in zip(changed[MASK.least_cover], changed[1.0], drawn, clip, strict=True):
        ball = alpha > 0.5
        assert (ball & whole).sum() > 300
        assert (ball & kept).sum() < 0.1 * (ball & whole).sum()
        y, x = landmarks[13, ::-1].round().astype(int)
        assert kept[y, x]  # the mouth itself is painted


def stage(folder: Path, least_cover: float) -> CompositeShot:
    return CompositeShot(str(folder), CROP, MaskConfig(least_cover=least_cover))


def painted_row(folder: Path, film: SyntheticFilm, frames: list[tuple[int, tuple[Pixels, Floats]]]) -> dict[str, Any]:
    """A track whose painted crops are darker than the filmed ones."""
    rows = []
    for pts, (frame, landmarks) in frames:
        affine = crop_affine(landmarks, CROP)
        assert mask_rect(affine, CROP, frame.shape[1], frame.shape[0]) is not None
        crop = crop_frame(frame, affine, CROP.size_px)
        numbers = {"affine": affine.ravel().tolist(), "landmarks": landmarks.ravel().tolist()}
        rows.append({"pts": pts, "weight": 1.0, "source": crop.tobytes(), "crop": (crop // 2).tobytes(), **numbers})
    uri = ObjectStore(str(folder)).put_table("painted", pa.Table.from_pylist(rows, schema=PAINTED_FRAME))
    return painted_shot(film, uri, len(rows))
