"""Cuts lie where they were put, to the frame; the shots tile the film."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cuts import transnet_cuts, with_context
from pipelines.shots import DetectShots, ShotConfig, keep_apart
from tests.film_rows import film_row
from tests.synthetic import FILM_24, NTSC_30, FilmSpec, SyntheticFilm, make_film

CUTS = {"num_frames": 60, "cuts": (13, 25, 48)}
SPECS = [
    pytest.param(FilmSpec(frame_rate=FILM_24, **CUTS), id="24000/1001"),
    pytest.param(FilmSpec(**CUTS), id="25"),
    pytest.param(FilmSpec(frame_rate=NTSC_30, **CUTS), id="30000/1001"),
    pytest.param(FilmSpec(durations=(20, 40, 25, 25, 60) * 12, **CUTS), id="VFR"),
    pytest.param(FilmSpec(start_frame=7, **CUTS), id="late start"),
    pytest.param(FilmSpec(num_frames=20, cuts=()), id="one shot"),
]


def shots_of(film: SyntheticFilm, store: Path, config: ShotConfig | None = None, **changes: str) -> pa.Table:
    rows = pa.Table.from_pylist([film_row(film, **changes)], schema=DetectShots.consumes)
    return DetectShots(store_uri=str(store), config=config)(rows)


@pytest.mark.parametrize("spec", SPECS)
def test_cuts_are_found_to_the_frame_and_shots_tile_the_film(tmp_path: Path, spec: FilmSpec) -> None:
    film = make_film(tmp_path / "film.mp4", spec)

    shots = shots_of(film, tmp_path)

    rows = shots.to_pylist()
    edges = [film.pts[0], *film.cuts, film.end_pts]
    frames = [0, *spec.cuts, spec.num_frames]
    assert shots.schema == DetectShots.produces
    assert [(row["shot_start_pts"], row["shot_end_pts"]) for row in rows] == list(pairwise(edges))
    assert [row["shot_num_frames"] for row in rows] == [b - a for a, b in pairwise(frames)]
    assert [row["shot_index"] for row in rows] == list(range(len(rows)))
    assert {row["num_shots"] for row in rows} == {len(rows)}


def test_a_second_language_finds_the_shots_done(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    first = shots_of(film, tmp_path / "store").to_pylist()
    film.path.unlink()

    second = shots_of(film, tmp_path / "store", language="fr", dub_id="e" * 64).to_pylist()

    spans = [[(row["shot_start_pts"], row["shot_end_pts"]) for row in rows] for rows in (first, second)]
    assert spans[0] == spans[1]
    assert {row["language"] for row in second} == {"fr"}


def test_another_threshold_is_another_result(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")

    assert len(shots_of(film, tmp_path, ShotConfig(threshold=250.0))) == 1
    assert len(shots_of(film, tmp_path)) == 2


@pytest.mark.parametrize("wrong", [{"detector": "eye"}, {"min_shot_frames": 0}, {"threshold": 0.0}])
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ShotConfig(**wrong)  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 299), unique=True).map(sorted), st.integers(1, 40))
def test_cuts_that_are_kept_leave_no_short_shot(cuts: list[int], shortest: int) -> None:
    kept = keep_apart(cuts, 300, shortest)

    assert set(kept) <= set(cuts)
    if kept:
        assert min(b - a for a, b in pairwise([0, *kept, 300])) >= shortest


@given(num_frames=st.integers(0, 60), block=st.integers(1, 20), context=st.integers(0, 5))
def test_blocks_with_context_hold_each_frame_once(num_frames: int, block: int, context: int) -> None:
    frames = [np.array(index) for index in range(num_frames)]

    blocks = [(held[:], first, after) for held, first, after in with_context(frames, block, context)]

    assert [int(frame) for held, first, after in blocks for frame in held[first:after]] == list(range(num_frames))


def test_transnet_finds_hard_cuts_to_the_frame() -> None:
    generator = np.random.default_rng(3)
    pictures = [generator.integers(0, 256, (6, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1) for _ in range(3)]
    lengths = (40, 33, 27)
    frames = [
        np.roll(picture, step, axis=1)
        for picture, length in zip(pictures, lengths, strict=True)
        for step in range(length)
    ]

    assert transnet_cuts(enumerate(frames), None, Fraction(1, 25)) == [40, 73]
