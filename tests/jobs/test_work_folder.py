"""Intermediates are found from every worker: a path is absolute, a uri is left as it is."""

from pathlib import Path

import pytest

from jobs.work_folder import work_uri


def test_a_relative_path_is_made_absolute_and_a_uri_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert work_uri("w", Path("out")) == str(tmp_path / "w")
    assert work_uri(None, Path("out")) == str(tmp_path / "out" / ".work")
    assert work_uri("s3://bucket/w", Path("out")) == "s3://bucket/w"
    assert work_uri("/w", Path("out")) == "/w"
