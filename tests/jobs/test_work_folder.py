"""Intermediates are found from every worker: a path is absolute, a uri is left as it is."""

from pathlib import Path

import pytest

from jobs.work_folder import forget_weights, seen_by_all, work_uri


def test_a_relative_path_is_made_absolute_and_a_uri_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert work_uri("w", "out") == str(tmp_path / "w")
    assert work_uri(None, "out") == str(tmp_path / "out" / ".work")
    assert work_uri("s3://bucket/w", "out") == "s3://bucket/w"
    assert work_uri("/w", "out") == "/w"
    assert work_uri(None, "s3://bucket/vox2/") == "s3://bucket/vox2/.work"


def test_weights_are_copied_under_their_digest_once_and_forgotten(tmp_path: Path) -> None:
    fetched = tmp_path / "cache" / "fetched.pth"
    fetched.parent.mkdir()
    fetched.write_bytes(b"weights")

    seen = seen_by_all(fetched, tmp_path / "out")
    fetched.unlink()

    assert seen.parent.parent == tmp_path / "out"
    assert (seen.read_bytes(), seen.suffix, len(seen.stem)) == (b"weights", ".pth", 64)
    assert seen_by_all(seen, tmp_path / "out") == seen
    forget_weights(tmp_path / "out")
    assert not seen.exists()
