"""The demo is what it says it is: cuts, streams, and lines that lie where their speaker is seen."""

import csv
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from jobs.demo_film import SHOTS, DemoFilm, build_demo, dialogue_stem, line_span_s, shot_edges_s
from jobs.demo_lines import LINES, TAKES
from pipelines.assets import AssetUnavailableError
from pipelines.media.picture import rgb_frames
from pipelines.media.sound import read_mono
from pipelines.shots import ShotConfig, detect_shots
from pipelines.storage import file_digest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoFilm:
    try:
        return build_demo(tmp_path_factory.mktemp("demo"))
    except AssetUnavailableError as error:
        pytest.skip(str(error))


def test_lines_lie_in_the_shot_of_a_speaker_and_apart_from_each_other() -> None:
    edges = shot_edges_s()
    spans = [line_span_s(line) for line in LINES]

    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    for line, (start, end) in zip(LINES, spans, strict=True):
        assert SHOTS[line.shot_index].speaks
        assert edges[line.shot_index] <= start < end <= edges[line.shot_index + 1]


def test_the_stem_is_as_long_as_the_film_and_silent_between_its_lines() -> None:
    stem = dialogue_stem()

    assert len(stem) == shot_edges_s()[-1] * 48_000
    heard = np.zeros(len(stem), bool)
    for start, end in map(line_span_s, LINES):
        part = slice(round(start * 48_000), round(end * 48_000))
        heard[part] = True
        assert np.abs(stem[part]).max() > 0.3
    assert not stem[~heard].any()


def test_every_take_is_the_one_that_its_provenance_describes() -> None:
    provenance = (TAKES / "PROVENANCE.md").read_text(encoding="utf-8")

    for line in LINES:
        [row] = [row for row in provenance.splitlines() if row.startswith(f"| `{line.take.name}` |")]
        assert file_digest(line.take) in row
        assert line.voice in row
        assert line.spoken in row


@pytest.mark.assets
def test_the_cuts_are_found_where_they_were_put(demo: DemoFilm) -> None:
    frames = rgb_frames(demo.film, 0, demo.end_pts)

    shots = detect_shots(frames, demo.end_pts, demo.time_base, ShotConfig())

    assert tuple(shot["shot_start_pts"] for shot in shots) == (0, *demo.cut_pts)
    assert [shot["shot_num_frames"] for shot in shots] == [shot.num_frames for shot in demo.shots]
    assert shots[-1]["shot_end_pts"] == demo.end_pts


@pytest.mark.assets
def test_what_must_survive_is_there(demo: DemoFilm) -> None:
    with av.open(str(demo.film)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (picture.width, picture.height, picture.average_rate) == (640, 480, Fraction(25))
        assert picture.frames == sum(shot.num_frames for shot in demo.shots)
        assert sound.metadata["language"] == "eng"
        assert film.streams.subtitles[0].metadata["language"] == "eng"
        assert len(film.chapters()) == 3


@pytest.mark.assets
def test_the_catalog_names_the_film_and_a_dub_of_its_length(demo: DemoFilm) -> None:
    with demo.catalog.open(encoding="utf-8") as file:
        [row] = csv.DictReader(file)

    assert demo.catalog.parent / row["film"] == demo.film
    assert demo.catalog.parent / row["dub_stem"] == demo.dub
    assert row["language"] == demo.language
    film_s = demo.end_pts * demo.time_base
    assert Fraction(len(read_mono(demo.dub, 48_000)), 48_000) == film_s
    assert abs(len(read_mono(demo.film, 48_000)) / 48_000 - film_s) < Fraction(1024, 48_000)


@pytest.mark.assets
def test_it_is_built_whole_and_the_same_each_time(demo: DemoFilm, tmp_path: Path) -> None:
    again = build_demo(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in demo.film.parent.iterdir())
    assert [file_digest(path) for path in (again.film, again.dub, again.catalog)] == [
        file_digest(path) for path in (demo.film, demo.dub, demo.catalog)
    ]
