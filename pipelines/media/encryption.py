"""Whether a stream of a file is encrypted, found before anything of it is decoded."""

from collections.abc import Collection, Iterator
from pathlib import Path

from av.container import InputContainer

from pipelines.media.boxes import boxes_in, find_boxes
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal

PATH = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")  # within moov: what a track is coded as
STSD_HEAD_BYTES = 8
ENTRIES = {  # ISO/IEC 14496-12, 8.12, and those of a shop's older films
    b"encv": "picture",
    b"drmi": "picture",
    b"enca": "sound",
    b"drms": "sound",
    b"enct": "text",
    b"encs": "text",
}
KINDS = {"video": "picture", "audio": "sound", "subtitle": "text"}
KEY_TAG = "enc_key_id"  # FFmpeg's word for a key that an encrypted track of Matroska or WebM names


def check_clear(container: InputContainer, path: Path, needed: Collection[str] = (*KINDS.values(),)) -> None:
    """Refuse a file of which a stream is encrypted that is needed.

    Args:
        container: the file, open.
        path: where it is.
        needed: picture, sound, text; all of a film, for what is copied would be encrypted still.

    Raises:
        MediaRefusedError: names what is encrypted.
    """
    kinds = [kind for kind in encrypted_kinds(container, path) if kind in needed]
    if kinds:
        detail = f"a key is needed for its {' and '.join(kinds)}; give a copy without protection"
        raise MediaRefusedError(Refusal.ENCRYPTED, detail)


def encrypted_kinds(container: InputContainer, path: Path) -> list[str]:
    """What of an MP4, MOV, MKV or WebM is encrypted: picture, sound, text; nothing of other containers."""
    found = _of_movie(path) if "mov" in container.format.name else _of_matroska(container)
    return sorted({*found})


def _of_matroska(container: InputContainer) -> Iterator[str]:
    return (KINDS[one.type] for one in container.streams if KEY_TAG in one.metadata and one.type in KINDS)


def _of_movie(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        spans = find_boxes(file, (0, path.stat().st_size), b"moov")
        for name in PATH:
            spans = [inner for span in spans for inner in find_boxes(file, span, name)]
        for begin, end in spans:
            for entry, _, _ in boxes_in(file, (begin + STSD_HEAD_BYTES, end)):
                if entry in ENTRIES:
                    yield ENTRIES[entry]
