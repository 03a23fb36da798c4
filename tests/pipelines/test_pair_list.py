"""Lists of pairs are read whole, and what is no pair is named."""

from pathlib import Path

import pytest

from pipelines.pair_list import Pair, PairListError, read_pairs


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_pairs_come_in_the_order_of_the_list(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path / "list.txt", "id1/v/0001 id2/w/0002\n\nid3/x/1 id3/x/1\n"))

    assert pairs == [Pair("id1/v/0001", "id2/w/0002"), Pair("id3/x/1", "id3/x/1")]
    assert pairs[0].name == "id1.v.0001_id2.w.0002"
    assert pairs[0].files(Path("root")) == (Path("root/id1/v/0001.mp4"), Path("root/id2/w/0002.mp4"))


def test_every_line_that_is_no_pair_is_named(tmp_path: Path) -> None:
    text = "one\na b\na b c\n/etc/a b\n../a b\n"

    with pytest.raises(PairListError, match=r"not so in line 1, 3, 4, 5$"):
        read_pairs(write(tmp_path / "list.txt", text))


@pytest.mark.parametrize("text", ["", "\n  \n"])
def test_an_empty_list_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(PairListError, match="holds no pairs"):
        read_pairs(write(tmp_path / "list.txt", text))


def test_a_list_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PairListError, match="there is no list"):
        read_pairs(tmp_path / "gone.txt")
    with pytest.raises(PairListError, match="not UTF-8"):
        read_pairs(tmp_path / "binary")
