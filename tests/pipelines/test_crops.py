"""What the painter looks at is cut out after the plan: of the tracks and frames that it needs, to the bit."""

from collections.abc import Iterator
from dataclasses import replace
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
from pipelines import crops
from pipelines.crops import CutCrops, _cropped, cropped_frames
from pipelines.eligibility import Eligibility
from pipelines.face_crop import crop_frame
from pipelines.face_frame import compose, crop_affine, invert
from pipelines.media.display import display_view
from pipelines.media.picture import frames, rgb_frames
from pipelines.storage import ObjectStore, read_table
from schemas.frames import CROPPED_FRAME, TRACK_FRAME
from schemas.reason import FilmNote, Reason, Verdict
from schemas.shot import CROPPED_SHOT, PLANNED_SHOT
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

SIZE = 64
CROP = CropConfig(size_px=SIZE)
NUM_FRAMES = 40
HIDDEN = 22  # a frame in which no face was found
SPOKEN = (20, 30)
EXACT = Eligibility(paint_margin_s=Fraction(0))
SPEC = FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=320, height_px=240, subtitle=None, chapters=False)

Pixels = NDArray[np.uint8]


def noise(at: int) -> Pixels:
    small = np.random.default_rng(at).integers(0, 255, (24, 32, 3), np.uint8)
    return np.asarray(cv2.resize(small, (SPEC.width_px, SPEC.height_px), interpolation=cv2.INTER_CUBIC), np.uint8)


def affine_of(view_affine: NDArray[np.float64], film: SyntheticFilm) -> list[float]:
    view = display_view(film.path, film.pts[0])
    affine: list[float] = compose(view_affine, invert(view.to_film)).ravel().tolist()
    return affine


def view_affines(place: int) -> list[NDArray[np.float64]]:
    """Of two faces that drift, the second one at the picture's edge."""
    faces = (drawn_landmarks((x + place, 120), 80) for x in (90, 230))
    return [crop_affine(landmarks, CROP) for landmarks in faces]


def planned(folder: Path, film: SyntheticFilm, *verdicts: Verdict, **changes: Any) -> dict[str, Any]:
    """A shot with two tracks over all its frames; mouths are closed in every fifth."""
    rows = [
        {
            "track_index": index,
            "pts": pts,
            "detected": place != HIDDEN,
            "score": 0.9,
            "box": [0.0, 0.0, 9.0, 9.0],
            "landmarks": [0.0] * 936,
            "opening": 0.3 * (place % 5 != 0),
            "affine": affine_of(view_affines(place)[index], film),
        }
        for place, pts in enumerate(film.pts)
        for index in range(2)
    ]
    uri = ObjectStore(str(folder)).put_table("ab" * 32, pa.Table.from_pylist(rows, schema=TRACK_FRAME))
    tracks = [track(index, num_frames=NUM_FRAMES, end_pts=film.end_pts) for index in range(2)]
    said = [{"track_index": index, "verdict": verdict, "reason": None} for index, verdict in enumerate(verdicts)]
    heard = {"dub_speech": spans((SPOKEN,)), "original_speech": [], **changes}
    place = {"film_uri": str(film.path), "shot_end_pts": film.end_pts, "tracks_uri": uri}
    return shot(*tracks, **place, **heard, verdicts=said, reason=None)


@pytest.fixture
def film(tmp_path: Path) -> SyntheticFilm:
    made = make_film(tmp_path / "film.mp4", SPEC, noise)
    assert made.pts[1] - made.pts[0] == TICKS_PER_FRAME
    return made


def cut(folder: Path, row: dict[str, Any]) -> dict[str, Any]:
    table = CutCrops(str(folder), CROP, EXACT)(pa.Table.from_pylist([row], schema=PLANNED_SHOT))
    assert table.schema == CROPPED_SHOT
    found: dict[str, Any] = table.to_pylist()[0]
    return found


def objects(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_frames_to_paint_and_references_of_painted_tracks_are_cut_and_no_others(
    tmp_path: Path, film: SyntheticFilm
) -> None:
    row = cut(tmp_path, planned(tmp_path, film, Verdict.LEAVE, Verdict.REVIEW))

    table = read_table(row["crops_uri"])
    assert table.schema == CROPPED_FRAME
    painted = {film.pts[place] for place in range(*SPOKEN) if place != HIDDEN}
    cut_pts = table["pts"].to_pylist()
    assert set(table["track_index"].to_pylist()) == {1}
    assert painted < set(cut_pts)
    others = [film.pts.index(pts) for pts in cut_pts if pts not in painted]
    assert others
    assert all(place % 5 == 0 for place in others)  # closed mouths
    assert cut_pts == sorted(cut_pts)


@pytest.mark.parametrize(
    "shape", [{}, *({"rotation": turn} for turn in (90, 180, -90)), {"sample_aspect_ratio": Fraction(16, 11)}]
)
def test_crops_are_those_of_whole_frames_to_the_bit(tmp_path: Path, shape: dict[str, Any]) -> None:
    film = make_film(tmp_path / ("film.mp4" if "rotation" in shape else "film.mkv"), replace(SPEC, **shape), noise)
    row = planned(tmp_path, film, Verdict.DUB, Verdict.DUB)

    found = list(cropped_frames(row, {0: film.pts, 1: film.pts[:3]}, SIZE))

    view = display_view(film.path, film.pts[0])
    shown = {pts: view.of(frame) for pts, frame in rgb_frames(film.path, film.pts[0], film.end_pts)}
    assert [(one["pts"], one["track_index"]) for one in found] == [
        (pts, index) for place, pts in enumerate(film.pts) for index in ((0, 1) if place < 3 else (0,))
    ]
    for one in found:
        affine = compose(np.reshape(one["affine"], (2, 3)), view.to_film)
        assert one["crop"] == crop_frame(shown[one["pts"]], affine, SIZE).tobytes()


@pytest.mark.parametrize("aspect", [Fraction(16, 11), Fraction(2), Fraction(64, 33), Fraction(8, 9)])
def test_a_squeezed_film_shows_nothing_of_what_was_not_converted(tmp_path: Path, aspect: Fraction) -> None:
    """Many places: the resize to square pixels reads beside what a crop shows."""
    film = make_film(tmp_path / "film.mkv", replace(SPEC, num_frames=1, sample_aspect_ratio=aspect), noise)
    view, rng = display_view(film.path, film.pts[0]), np.random.default_rng(0)
    (whole,) = [view.of(frame) for _, frame in rgb_frames(film.path, film.pts[0], film.end_pts)]
    (coded,) = [frame for _, frame in frames(film.path, film.pts[0], film.end_pts)]

    for _ in range(200):
        place = rng.uniform(0, view.size), rng.uniform(40, 120)
        affine = crop_affine(drawn_landmarks(tuple(place[0]), place[1]), CROP)
        row = {"affine": compose(affine, invert(view.to_film)).ravel().tolist()}
        (cut_out,) = _cropped(coded, view, [row], SIZE)
        found = np.frombuffer(cut_out["crop"], np.uint8).reshape(SIZE, SIZE, 3)
        back = compose(np.reshape(row["affine"], (2, 3)), view.to_film)
        assert np.array_equal(found, crop_frame(whole, back, SIZE))


def test_where_nothing_is_painted_nothing_is_cut_and_no_frame_is_decoded(tmp_path: Path, film: SyntheticFilm) -> None:
    silent = planned(tmp_path, film, Verdict.DUB, Verdict.LEAVE, dub_speech=[])
    listeners = planned(tmp_path, film, Verdict.LEAVE, Verdict.LEAVE)
    film.path.unlink()

    assert cut(tmp_path, silent)["crops_uri"] is None
    assert cut(tmp_path, listeners)["crops_uri"] is None


@pytest.mark.parametrize("woven", [True, False])
def test_a_shot_with_interlaced_frames_keeps_its_picture_and_the_others_of_its_film_are_cut(
    tmp_path: Path, woven: bool
) -> None:
    encoder = (*SPEC.encoder, ("x264-params", "tff=1")) if woven else SPEC.encoder
    film = make_film(tmp_path / "film.mp4", replace(SPEC, encoder=encoder), noise)
    noted = [{"note": FilmNote.INTERLACED_FRAMES.value, "detail": "40 of 4000"}]

    found = cut(tmp_path, planned(tmp_path, film, Verdict.DUB, Verdict.LEAVE, notes=noted))

    assert (found["crops_uri"] is None, found["reason"]) == (woven, Reason.INTERLACED if woven else None)


def test_a_second_run_finds_the_crops_done(tmp_path: Path, film: SyntheticFilm) -> None:
    row = planned(tmp_path, film, Verdict.LEAVE, Verdict.DUB)
    first = cut(tmp_path, row)
    film.path.unlink()

    assert cut(tmp_path, row) == first


def test_frames_that_cannot_be_decoded_again_leave_the_shot_as_filmed_and_no_table(
    tmp_path: Path, film: SyntheticFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = planned(tmp_path, film, Verdict.DUB, Verdict.LEAVE)
    before = objects(tmp_path)

    def fewer(*span: Any) -> Iterator[Any]:
        return islice(frames(*span), 5)

    monkeypatch.setattr(crops, "frames", fewer)
    found = cut(tmp_path, row)

    assert (found["crops_uri"], found["reason"]) == (None, Reason.UNDECODABLE)
    assert objects(tmp_path) == before
