"""A file that is refused, and what can be said of it without a decoder."""

import stat
from collections.abc import Iterator
from pathlib import Path

from schemas.reason import Refusal

HEAD_BYTES = 512
PLAYLIST_MARKS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<MPD", b"<SmoothStreamingMedia")


class MediaRefusedError(ValueError):
    """A film or dub that is not begun, and why."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(f"{refusal.value}: {detail}")
        self.refusal = refusal
        self.detail = detail


def check_file(path: Path) -> None:
    """Refuse what is no file with bytes in it.

    Raises:
        MediaRefusedError: it is missing, a folder, a device, a pipe, or empty.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise MediaRefusedError(Refusal.MISSING_FILE, f"there is no file {path}") from error
    if not stat.S_ISREG(facts.st_mode):
        raise MediaRefusedError(Refusal.NOT_REGULAR, f"{path} is a folder, a device or a pipe")
    if not facts.st_size:
        raise MediaRefusedError(Refusal.EMPTY, f"{path} has no bytes")


def refusal_of_unopened(path: Path, detail: str) -> MediaRefusedError:
    """Why a file that no demuxer takes is refused: by its first bytes."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \r\n\t")
    if head.startswith(PLAYLIST_MARKS) or any(mark in head for mark in PLAYLIST_MARKS[3:]):
        return MediaRefusedError(Refusal.PLAYLIST, "it is a text that names other files; give the film itself")
    if head[4:8] == b"ftyp" and b"moov" not in _boxes(path):
        return MediaRefusedError(Refusal.TRUNCATED, "its index (moov) is missing; copy the file again")
    if head.lower().startswith((b"<!doctype", b"<html")):
        return MediaRefusedError(Refusal.NOT_MEDIA, "it looks like an HTML page")
    return MediaRefusedError(Refusal.NOT_MEDIA, detail)


def _boxes(path: Path) -> list[bytes]:
    """Names of the top-level boxes of an MP4 or MOV file, as far as they can be walked."""
    return list(_walk(path))


def _walk(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        place = 0
        while place + 8 <= size:
            file.seek(place)
            length, name = int.from_bytes(file.read(4)), file.read(4)
            if length == 1:
                length = int.from_bytes(file.read(8))
            if length < 8:
                return
            if place + length <= size:
                yield name
            place += length
