"""Cast lists: real faces are recognised across clips, and everything that is wrong with a list is told at once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from pipelines.cast_list import CastListError, cast_list
from pipelines.face_descriptor import ASSET
from pipelines.media.published_frames import published_frames
from pipelines.people import ONE_PERSON
from pipelines.storage import file_digest
from schemas.reason import Verdict
from tests.real_assets import real_asset


@pytest.fixture(autouse=True)
def _models() -> None:
    for name in ("retinaface-mobilenet025", "face-mesh", ASSET):
        real_asset(name)


def listed(folder: Path, text: str) -> Path:
    path = folder / "cast.csv"
    path.write_text(text, encoding="utf-8")
    return path


def save(path: Path, picture: np.ndarray) -> None:
    cv2.imwrite(str(path), picture[..., ::-1])


def test_a_person_is_near_their_picture_in_another_clip_and_nobody_else_is(tmp_path: Path) -> None:
    intro, other = (next(published_frames(real_asset(name))) for name in ("clip-jwp-intro", "clip-test-movie"))
    for name, picture in (("jon", intro), ("jon2", other), ("eileen", astronaut())):
        save(tmp_path / f"{name}.png", picture)

    cast = cast_list(listed(tmp_path, "name,picture,verdict\nJon,jon.png,\nJon,jon2.png,\nEileen,eileen.png,leave\n"))

    jon, eileen = cast.descriptors["Jon"], cast.descriptors["Eileen"]
    assert jon.shape == (2, 128)
    assert np.linalg.norm(jon[0] - jon[1]) < ONE_PERSON < np.linalg.norm(jon - eileen, axis=1).min()
    assert cast.verdicts == {"Eileen": Verdict.LEAVE}


def test_every_wrong_line_is_told_at_once(tmp_path: Path) -> None:
    save(tmp_path / "grey.png", np.full((200, 200, 3), 110, np.uint8))
    save(tmp_path / "two.png", np.hstack([astronaut()[:260, 100:360]] * 2))
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    lines = [",grey.png,", "Ana,gone.png,", "Ben,grey.png,", "Cid,two.png,", "Dan,text.png,", "Eve,empty.png,"]
    lines += ["person 1,grey.png,", "Fay,grey.png,paint", "Gus,,"]

    with pytest.raises(CastListError) as error:
        cast_list(listed(tmp_path, "\n".join(["name,picture,verdict", *lines])))

    told = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in told] == [f"line {number}" for number in range(2, 11)]
    for line, words in zip(
        told,
        (
            "printable",
            "no picture",
            "0 are found",
            "2 are found",
            "can be read",
            "can be read",
            "person ",
            "paint",
            "is needed",
        ),
        strict=True,
    ):
        assert words in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns"),
        ("name;picture\nAna;a.png\n", "columns"),
        ("name,picture,colour\nAna,a.png,red\n", "columns"),
        ("name,picture\n", "names nobody"),
    ],
)
def test_what_is_no_cast_list_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CastListError, match=words):
        cast_list(listed(tmp_path, text))


def test_a_person_cannot_be_left_and_reviewed(tmp_path: Path) -> None:
    save(tmp_path / "a.png", astronaut())

    with pytest.raises(CastListError, match="leave in one line and review in another"):
        cast_list(listed(tmp_path, "name,picture,verdict\nAna,a.png,leave\nAna,a.png,review\n"))


def test_a_list_in_another_encoding_says_so(tmp_path: Path) -> None:
    (tmp_path / "cast.csv").write_bytes("name,picture\nJosé,a.png\n".encode("latin-1"))

    with pytest.raises(CastListError, match="UTF-8"):
        cast_list(tmp_path / "cast.csv")


def test_what_cannot_be_read_is_told_and_not_thrown(tmp_path: Path) -> None:
    with pytest.raises(CastListError, match="cannot be read"):
        cast_list(tmp_path)
    with pytest.raises(CastListError, match="line"):
        cast_list(listed(tmp_path, 'name,picture\n"Ana' + "x" * 200_000))


def test_the_list_that_the_job_began_with_counts(tmp_path: Path) -> None:
    save(tmp_path / "a.png", astronaut())
    path = listed(tmp_path, "name,picture\nAna,a.png\n")
    digest = file_digest(path)
    first = cast_list(path, digest)

    listed(tmp_path, "name,picture,verdict\nAna,a.png,leave\n")

    assert cast_list(path, digest) is first
    assert cast_list(path).verdicts == {"Ana": Verdict.LEAVE}
    cast_list.__globals__["_cast_list"].cache_clear()
    with pytest.raises(CastListError, match="has changed"):
        cast_list(path, digest)
