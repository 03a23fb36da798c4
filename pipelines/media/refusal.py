"""A file that is refused, and what can be said of it without a decoder."""

import stat
from pathlib import Path

from pipelines.media.boxes import boxes_in, find_boxes
from schemas.reason import Refusal

HEAD_BYTES = 512
PLAYLIST_MARKS = (b"#EXTM3U", b"ffconcat", b"[playlist]", b"<MPD", b"<SmoothStreamingMedia")
SAMPLES = (b"moof", b"mdat")  # the table of a fragment, and what its samples are in


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
    if head[4:8] == b"ftyp" and not _has_movie(path):
        return MediaRefusedError(Refusal.TRUNCATED, "its index (moov) is missing; copy the file again")
    if head.lower().startswith((b"<!doctype", b"<html")):
        return MediaRefusedError(Refusal.NOT_MEDIA, "it looks like an HTML page")
    return MediaRefusedError(Refusal.NOT_MEDIA, detail)


def _has_movie(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        return any(end <= size for _, end in find_boxes(file, (0, size), b"moov"))


def check_complete(path: Path) -> None:
    """Refuse a fragmented MP4 or MOV whose samples end beyond the file, by what its boxes say of their own size.

    One in a single piece is told by its index, which no fragment has.

    Raises:
        MediaRefusedError: its last box of samples is cut off, or missing.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        boxes = boxes_in(file, (0, size))
    if all(name != SAMPLES[0] for name, _, _ in boxes):
        return
    name, _, end = boxes[-1]
    if name in SAMPLES and end > size:
        detail = f"at least {end - size} bytes are missing at its end; copy the file again"
        raise MediaRefusedError(Refusal.TRUNCATED, detail)
    if name == SAMPLES[0]:
        raise MediaRefusedError(Refusal.TRUNCATED, "the samples of its last fragment are missing; copy the file again")
