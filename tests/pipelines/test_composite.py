"""Only masked samples change; equal crops change nothing; colours land where RGB says, at every depth."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines import row_table
from pipelines.blend import BlendConfig
from pipelines.composite import CompositeShot
from pipelines.face_frame import crop_affine
from pipelines.mask import MaskConfig
from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames, rgb_frames
from pipelines.media.siting import Siting
from pipelines.patch import chroma_blocks, patch_of, window
from pipelines.storage import ObjectStore, read_table
from schemas.frames import PAINTED_FRAME
from schemas.reason import Reason, Verdict
from schemas.shot import COMPOSITED_SHOT, PAINTED_SHOT
from tests.film_rows import painted_shot
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.synthetic import FilmSpec, SyntheticFilm, make_film
from tests.wide_colours import BT2020, HLG, PQ, SDR, SKIN, wide_codes, wide_rgb

CROP = CropConfig(size_px=64)
WHOLE = MaskConfig(least_cover=1)  # what is drawn here is no face, nor before one
CLEAN = BlendConfig(grain=0)  # of a colour that is to be found again
CENTRE, EYES_PX = (80.0, 40.0), 44.0
ODD: dict[str, Any] = {"num_frames": 6, "cuts": (), "height_px": 121}
CODINGS = [
    pytest.param(FilmSpec(num_frames=6, cuts=()), id="8 bit 4:2:0"),
    pytest.param(FilmSpec(num_frames=6, cuts=(), pixel_format="yuv420p10le"), id="10 bit 4:2:0"),
    pytest.param(FilmSpec(num_frames=6, cuts=(), pixel_format="yuv422p10le", colour=(9, 9, 14, 1)), id="10 bit 4:2:2"),
    pytest.param(FilmSpec(num_frames=6, cuts=(), pixel_format="yuv444p", colour=(5, 5, 6, 2)), id="4:4:4 full"),
    pytest.param(FilmSpec(num_frames=6, cuts=(), pixel_format="yuv420p10le", colour=(9, 9, 16, 1)), id="10 bit PQ"),
    pytest.param(FilmSpec(num_frames=6, cuts=(), pixel_format="yuv420p10le", colour=(9, 9, 18, 1)), id="10 bit HLG"),
    pytest.param(FilmSpec(**ODD, width_px=161, pixel_format="yuv444p"), id="odd 4:4:4"),
    pytest.param(FilmSpec(**ODD, pixel_format="yuv422p"), id="odd height in 4:2:2"),
]


def crops_of(film: SyntheticFilm, affine: NDArray[np.float64]) -> list[NDArray[np.uint8]]:
    """Source crops by a plain bilinear look-up, independent of the code under test."""
    inverse = np.linalg.inv(np.vstack([affine, (0, 0, 1)]))
    v, u = np.mgrid[: CROP.size_px, : CROP.size_px]
    x, y, _ = np.einsum("ij,jhw->ihw", inverse, np.stack([u, v, np.ones_like(u)]).astype(float))
    columns, rows = x.round().astype(int).clip(0, 159), y.round().astype(int).clip(0, 119)
    return [rgb[rows, columns] for _, rgb in rgb_frames(film.path, film.pts[0], film.end_pts)]


def painted_row(
    film: SyntheticFilm, store: ObjectStore, painted: list[Any], verdict: Verdict, weight: float = 1
) -> dict:
    landmarks = drawn_landmarks(CENTRE, EYES_PX, 0.1)
    affine = crop_affine(landmarks, CROP)
    rows = [
        {
            "pts": pts,
            "affine": affine.ravel().tolist(),
            "weight": weight,
            "landmarks": landmarks.ravel().tolist(),
            "source": source.tobytes(),
            "crop": crop.tobytes(),
        }
        for pts, source, crop in zip(film.pts, crops_of(film, affine), painted, strict=True)
    ]
    uri = store.put_table(
        f"{hash((film.path.name, verdict, weight)):x}", pa.Table.from_pylist(rows, schema=PAINTED_FRAME)
    )
    return painted_shot(film, uri, len(rows), verdict)


def own_crops(film: SyntheticFilm) -> list[NDArray[np.uint8]]:
    return crops_of(film, crop_affine(drawn_landmarks(CENTRE, EYES_PX, 0.1), CROP))


def with_dark_mouth(crops: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    changed = [crop.copy() for crop in crops]
    for crop in changed:
        crop[30:44, 20:44] = (60, 20, 20)
    return changed


def laid(film: SyntheticFilm, uri: str) -> list[tuple[list[Any], list[Any], Any, Coding]]:
    """Before, after with all samples of the patch, mask of the whole frame, coding: for each patched frame."""
    patches = {row["pts"]: row for row in read_table(uri).to_pylist()}
    found = []
    for pts, planes, coding in coded_frames(film.path, film.pts[0], film.end_pts):
        if pts in patches:
            patch = patch_of(patches[pts], coding)
            after = [plane.copy() for plane in planes]
            for view, fresh in zip(window(after, patch.rect, coding), patch.planes, strict=True):
                view[:] = fresh
            mask = np.zeros(planes[0].shape, bool)
            window([mask], patch.rect, coding)[0][:] = patch.mask
            found.append((planes, after, mask, coding))
    return found


@pytest.mark.parametrize("spec", CODINGS)
def test_samples_off_the_mask_are_equal_and_the_mouth_takes_the_painted_colour(tmp_path: Path, spec: FilmSpec) -> None:
    film, store = make_film(tmp_path / "film.mp4", spec), ObjectStore(str(tmp_path))
    row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.DUB)

    facts = CompositeShot(str(tmp_path), CROP, WHOLE, blend=CLEAN).facts(row)

    frames = laid(film, facts["patch_uri"])
    assert len(frames) == facts["num_frames_changed"] == 6
    for before, after, mask, coding in frames:
        masks = [mask, chroma_blocks(mask, coding), chroma_blocks(mask, coding)]
        for old, new, where in zip(before, after, masks, strict=True):
            assert np.array_equal(old[~where], new[~where])
        centre_y, centre_x = round(CENTRE[1] + 0.8 * EYES_PX), round(CENTRE[0] - 0.08 * EYES_PX)
        wanted = coding.yuv(np.float32([[[60, 20, 20]]]))[0, 0]
        found = [after[0][centre_y, centre_x]]
        found += [plane[centre_y // coding.chroma_y, centre_x // coding.chroma_x] for plane in after[1:]]
        assert np.abs(np.array(found, float) - wanted).max() <= 4 << (coding.bits - 8)


@pytest.mark.parametrize("transfer", [SDR, PQ, HLG])
def test_skin_in_bt_2020_is_seen_as_it_looks_and_a_mouth_gets_the_codes_of_its_colour(
    tmp_path: Path, transfer: int
) -> None:
    """All in the film's own codes, by formulas of the standards that the code under test does not use."""
    colour = (BT2020, BT2020, transfer, 1)
    spec = FilmSpec(num_frames=2, cuts=(), languages=(), pixel_format="yuv420p10le", colour=colour)
    pale = np.broadcast_to(np.rint(255 * wide_rgb(np.array(SKIN[1]), transfer)), (120, 160, 3)).astype(np.uint8)
    film, store = make_film(tmp_path / "film.mp4", spec, lambda index: pale), ObjectStore(str(tmp_path))
    crops, lips = own_crops(film), (150, 70, 75)
    assert np.abs(crops[0].astype(int) - SKIN[1]).max() <= 5  # 8-bit codes of PQ are coarse

    for crop in (painted := [crop.copy() for crop in crops]):
        crop[30:44, 20:44] = lips
    facts = CompositeShot(str(tmp_path), CROP, WHOLE, blend=CLEAN).facts(
        painted_row(film, store, painted, Verdict.DUB)
    )

    y, x = round(CENTRE[1] + 0.8 * EYES_PX), round(CENTRE[0] - 0.08 * EYES_PX)
    for before, after, mask, coding in laid(film, facts["patch_uri"]):
        for old, new, where in zip(before, after, [mask, *[chroma_blocks(mask, coding)] * 2], strict=True):
            assert np.array_equal(old[~where], new[~where])
        codes = np.array([after[0][y, x], after[1][y // 2, x // 2], after[2][y // 2, x // 2]], float)
        assert np.abs(codes - wide_codes(np.array(lips), transfer)).max() <= 4  # one code of 8 bits


def test_the_colours_of_a_mouth_lie_where_the_films_chroma_lies(tmp_path: Path) -> None:
    across = np.arange(64)[None, :, None] * np.array([3, 0, 0]) + np.array([30, 90, 90])
    ramp = np.broadcast_to(across, (64, 64, 3)).astype(np.uint8)
    reds = []
    for siting in (Siting.LEFT, Siting.CENTRE):
        encoder = (("crf", "12"), ("x264-params", f"chromaloc={int(siting)}"))
        spec = FilmSpec(num_frames=1, cuts=(), encoder=encoder, subtitle=None, chapters=False)
        film = make_film(tmp_path / f"{siting}.mp4", spec)
        store = ObjectStore(str(tmp_path))
        facts = CompositeShot(str(tmp_path), CROP, WHOLE, blend=CLEAN).facts(
            painted_row(film, store, [ramp], Verdict.DUB) | {"film_id": str(siting)}
        )
        ((_, after, _, coding),) = laid(film, facts["patch_uri"])
        assert coding.siting is siting
        y, x = round((CENTRE[1] + 0.8 * EYES_PX) / 2), round((CENTRE[0] - 0.08 * EYES_PX) / 2)
        reds.append(after[2][y - 2 : y + 3, x - 6 : x + 7].astype(float))

    slope = np.diff(reds[0], axis=1).mean() / 2  # codes a luma column
    assert slope > 1
    assert (reds[1] - reds[0]).mean() == pytest.approx(slope / 2, abs=0.15)  # half a column to the right


@pytest.mark.parametrize("spec", CODINGS)
def test_a_painted_crop_equal_to_the_source_changes_nothing(tmp_path: Path, spec: FilmSpec) -> None:
    film, store = make_film(tmp_path / "film.mp4", spec), ObjectStore(str(tmp_path))
    row = painted_row(film, store, own_crops(film), Verdict.DUB)

    facts = CompositeShot(str(tmp_path), CROP, WHOLE).facts(row)

    assert (facts["patch_uri"], facts["num_frames_changed"]) == (None, 0)
    assert facts["seam_ratio"] == pytest.approx(1)


def test_the_films_grain_stays_on_skin_that_changes_little(tmp_path: Path) -> None:
    film, store = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=3, cuts=())), ObjectStore(str(tmp_path))
    darker = [
        np.where(np.arange(64)[:, None, None] >= 52, crop - 4, crop).astype(np.uint8) for crop in own_crops(film)
    ]

    facts = CompositeShot(str(tmp_path), CROP, WHOLE).facts(painted_row(film, store, darker, Verdict.DUB))

    for before, after, _, _ in laid(film, facts["patch_uri"]):
        change = after[0].astype(int) - before[0]
        chin = change[round(CENTRE[1] + 1.1 * EYES_PX) :][:10, 70:90]
        assert np.abs(chin).max() <= 5
        assert np.abs(np.diff(chin, axis=1)).max() <= 2  # a shift, not another texture: the noise spans 12 codes


def test_a_track_in_review_is_painted_and_not_delivered(tmp_path: Path) -> None:
    film, store = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=3, cuts=())), ObjectStore(str(tmp_path))
    row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.REVIEW)

    facts = CompositeShot(str(tmp_path), CROP, WHOLE).facts(row)

    assert facts["patch_uri"] is None
    assert facts["num_frames_changed"] == 0
    assert read_table(facts["review_patch_uri"]).num_rows == 3


def test_half_the_weight_is_half_the_change(tmp_path: Path) -> None:
    film, store = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=2, cuts=())), ObjectStore(str(tmp_path))
    mouths = with_dark_mouth(own_crops(film))
    stage = CompositeShot(str(tmp_path), CROP, WHOLE, blend=CLEAN)

    whole, half = (
        laid(film, stage.facts(painted_row(film, store, mouths, Verdict.DUB, weight))["patch_uri"])
        for weight in (1, 0.5)
    )

    for (before, full, _, _), (_, faded, _, _) in zip(whole, half, strict=True):
        full_change, half_change = (after[0].astype(float) - before[0] for after in (full, faded))
        assert np.abs(half_change - full_change / 2).max() <= 1.0  # each is rounded once


def test_a_shot_that_cannot_be_decoded_keeps_its_picture_and_says_why(tmp_path: Path) -> None:
    film, store = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=2, cuts=())), ObjectStore(str(tmp_path))
    row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.DUB)
    film.path.write_bytes(b"gone")

    facts = CompositeShot(str(tmp_path), CROP, WHOLE).facts(row)

    assert (facts["patch_uri"], facts["reason"]) == (None, Reason.UNDECODABLE.value)


def test_the_patches_of_a_shot_are_the_same_however_few_are_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, tables = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=20, cuts=())), []
    for rows, group_bytes in ((1000, 1 << 30), (3, 1)):
        monkeypatch.setattr(row_table, "ROWS_AT_A_TIME", rows)
        monkeypatch.setattr(row_table, "ROW_GROUP_BYTES", group_bytes)
        folder = tmp_path / f"rows{rows}"
        row = painted_row(film, ObjectStore(str(folder)), with_dark_mouth(own_crops(film)), Verdict.DUB)
        tables.append(read_table(CompositeShot(str(folder), CROP, WHOLE).facts(row)["patch_uri"]))

    assert tables[0].num_rows == 20
    assert tables[0].equals(tables[1])


def test_a_longer_shot_needs_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_table, "ROWS_AT_A_TIME", 4)
    peaks = []
    for num_frames in (10, 20, 80):  # the first one warms up
        film = make_film(tmp_path / f"film{num_frames}.mp4", FilmSpec(num_frames=num_frames, cuts=()))
        store = ObjectStore(str(tmp_path / str(num_frames)))
        row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.DUB)
        tracemalloc.start()
        CompositeShot(store.root_uri, CROP).facts(row)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    patches_kib = 60 * 10  # of 60 frames more, about 10 KiB each
    assert peaks[2] - peaks[1] < patches_kib * 1024 / 3


def test_the_stage_adds_exactly_its_columns() -> None:
    added = {"patch_uri", "review_patch_uri", "num_frames_changed", "seam_ratio", "flicker_ratio", "covered_share"}
    added |= {"hidden_tracks"}

    assert {field.name for field in COMPOSITED_SHOT} - {field.name for field in PAINTED_SHOT} == added


def test_codes_of_known_colours_are_those_of_the_standard() -> None:
    limited = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)
    ten = Coding(bits=10, chroma_x=2, chroma_y=2, matrix=1, full_range=False)

    white, red = np.float32([[[255, 255, 255]]]), np.float32([[[255, 0, 0]]])

    assert limited.yuv(white).ravel().tolist() == pytest.approx([235, 128, 128], abs=0.01)
    assert limited.yuv(red).ravel().tolist() == pytest.approx([62.6, 102.3, 240], abs=0.1)  # BT.709 colour bars
    assert ten.yuv(white).ravel().tolist() == pytest.approx([940, 512, 512], abs=0.01)
