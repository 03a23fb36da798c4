"""Intermediates are found from every worker: a path is absolute, a uri is left as it is."""

from pathlib import Path

import pytest

from jobs.work_folder import forget_weights, seen_by_all, whole_place, work_uri
from pipelines.storage import UnknownStorageError


def test_a_relative_path_is_made_absolute_and_a_uri_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert work_uri("w", "out") == str(tmp_path / "w")
    assert work_uri(None, "out") == str(tmp_path / "out" / ".work")
    assert work_uri("memory://bucket/w", "out") == "memory://bucket/w"
    assert work_uri("/w", "out") == "/w"
    assert work_uri(None, "memory://bucket/vox2/") == "memory://bucket/vox2/.work"
    assert work_uri(None, "") == str(tmp_path / ".work")


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


@pytest.mark.parametrize("uri", ["nothing://bucket/w", "wrong://"])
def test_a_uri_that_nothing_here_can_read_is_refused(uri: str) -> None:
    with pytest.raises(UnknownStorageError, match="cannot be read or written"):
        whole_place(uri)
