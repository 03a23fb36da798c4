"""Phone times are read as the aligner writes them, or refused line by line."""

from pathlib import Path

import pytest

from diff2lip.metrics import Phone
from pipelines.phone_file import PhoneFileError, read_phones

HEAD = "Begin,End,Label,Type,Speaker\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "clip.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_phones_are_read_and_words_are_not(tmp_path: Path) -> None:
    path = written(
        tmp_path, HEAD + "0.0,0.3,map,words,a\n0.0,0.08,m,phones,a\n0.08,0.2,AE1,phones,a\n0.2,0.3,p\u02b0,phones,a\n"
    )

    phones = read_phones(path)

    assert phones == [Phone("m", 0.0, 0.08), Phone("AE1", 0.08, 0.2), Phone("p\u02b0", 0.2, 0.3)]
    assert [phone.bilabial for phone in phones] == [True, False, True]


def test_wrong_lines_are_named_together(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "0.0,0.1,m,phones,a\nx,0.2,p,phones,a\n0.4,0.3,b,phones,a\n")

    with pytest.raises(PhoneFileError, match=r"clip\.csv: no times, or an end before its begin, in line 3, 4"):
        read_phones(path)


def test_another_table_is_refused_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(PhoneFileError, match="no column Label, Type"):
        read_phones(written(tmp_path, "Begin,End,text\n"))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.csv").write_bytes(HEAD.encode() + b"\xff\xfe")

    with pytest.raises(PhoneFileError, match="not UTF-8"):
        read_phones(tmp_path / "clip.csv")
