"""How much of a mask is taken out is told; a face of which hardly anything is left is not painted, and says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.composite import CompositeShot
from pipelines.cover_mask import SIDE
from pipelines.mask import MaskConfig
from pipelines.storage import ObjectStore, read_table
from schemas.reason import Reason, Verdict
from tests.pipelines.test_composite import CROP, own_crops, painted_row, with_dark_mouth
from tests.pipelines.test_cover_mask import NOTHING, KnownThings
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

NUM_FRAMES = 6
Bools = NDArray[np.bool_]
ALL = np.ones((SIDE, SIDE), bool)
LEFT = np.broadcast_to(np.arange(SIDE) < SIDE // 2, (SIDE, SIDE))
HIDDEN = {"verdict": "leave", "reason": "mouth_hidden"}


@pytest.fixture
def film(tmp_path: Path) -> SyntheticFilm:
    return make_film(tmp_path / "film.mp4", FilmSpec(num_frames=NUM_FRAMES, cuts=()))


def composited(film: SyntheticFilm, things: list[Bools], verdicts: list[Verdict], **mask: float) -> dict[str, Any]:
    """A shot of faces in one place, each with a dark mouth, and before each another thing in every frame."""
    store = ObjectStore(str(film.path.parent))
    row = painted_row(film, store, with_dark_mouth(own_crops(film)), Verdict.DUB)
    row["painted"] = [row["painted"][0] | {"track_index": index} for index in range(len(things))]
    row["verdicts"] = [
        {"track_index": index, "verdict": one.value, "reason": None} for index, one in enumerate(verdicts)
    ]
    stage = CompositeShot(store.root_uri, CROP, MaskConfig(**mask))
    stage._covers = KnownThings([thing for thing in things for _ in range(NUM_FRAMES)])
    return row | stage.facts(row)


def test_a_thing_before_half_of_a_mouth_takes_half_of_its_mask(film: SyntheticFilm) -> None:
    shot = composited(film, [LEFT], [Verdict.DUB])

    assert shot["covered_share"] == pytest.approx(0.53, abs=0.03)  # with its margin and half of its feather
    assert shot["num_frames_changed"] == NUM_FRAMES
    assert (shot["reason"], shot["verdicts"][0]["verdict"]) == (None, "dub")


def test_nothing_before_a_mouth_takes_nothing_of_its_mask(film: SyntheticFilm) -> None:
    assert composited(film, [NOTHING], [Verdict.DUB])["covered_share"] == 0


@pytest.mark.parametrize("verdict", [Verdict.DUB, Verdict.REVIEW])
def test_a_mouth_that_is_all_hidden_is_not_painted_and_says_why(film: SyntheticFilm, verdict: Verdict) -> None:
    shot = composited(film, [ALL], [verdict])

    assert (shot["patch_uri"], shot["review_patch_uri"], shot["num_frames_changed"]) == (None, None, 0)
    assert (shot["reason"], shot["covered_share"]) == (Reason.MOUTH_HIDDEN, 1)
    assert shot["verdicts"] == [{"track_index": 0} | HIDDEN]
    assert (shot["seam_ratio"], shot["flicker_ratio"]) == (None, None)


def test_a_face_beside_one_that_is_hidden_is_painted(film: SyntheticFilm) -> None:
    shot = composited(film, [ALL, NOTHING], [Verdict.DUB, Verdict.DUB])

    assert (shot["reason"], shot["covered_share"]) == (None, 1)
    assert [one["verdict"] for one in shot["verdicts"]] == ["leave", "dub"]
    assert shot["hidden_tracks"] == [0]
    assert set(read_table(shot["patch_uri"]).column("track_index").to_pylist()) == {1}


def test_a_face_that_waits_for_a_person_still_does_beside_one_that_is_hidden(film: SyntheticFilm) -> None:
    shot = composited(film, [ALL, NOTHING], [Verdict.DUB, Verdict.REVIEW])

    assert (shot["reason"], shot["patch_uri"]) == (None, None)
    assert [one["verdict"] for one in shot["verdicts"]] == ["leave", "review"]
    assert read_table(shot["review_patch_uri"]).num_rows == NUM_FRAMES


def test_how_little_may_be_left_is_a_setting(film: SyntheticFilm) -> None:
    assert composited(film, [LEFT], [Verdict.DUB], max_covered_share=0.4)["reason"] == Reason.MOUTH_HIDDEN
    with pytest.raises(ValueError, match="max_covered_share"):
        MaskConfig(max_covered_share=1.2)


def test_what_is_painted_under_a_thing_changes_nothing_beside_it(tmp_path: Path) -> None:
    """Neither the colour match nor what the film looks like is measured there."""
    film, tables = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=NUM_FRAMES, cuts=())), []
    rough = np.random.default_rng(0).integers(0, 13, (CROP.size_px, CROP.size_px, 1))
    for change in (0, 18):
        painted = [(crop - np.minimum(crop, rough)).astype(np.uint8) for crop in own_crops(film)]
        for crop in painted:
            crop[:, :26] -= np.minimum(crop[:, :26], change)
        store = ObjectStore(str(tmp_path / str(change)))
        stage = CompositeShot(store.root_uri, CROP)
        stage._covers = KnownThings([LEFT] * NUM_FRAMES)
        tables.append(read_table(stage.facts(painted_row(film, store, painted, Verdict.DUB))["patch_uri"]))

    assert tables[0].num_rows == NUM_FRAMES
    assert tables[0].equals(tables[1])
