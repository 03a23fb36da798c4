"""Cover images: of Matroska they are files that are attached, which FFmpeg reads as pictures of one packet each."""

from pathlib import Path

from av.stream import Disposition, Stream

from pipelines.media.container import FILM_FORMATS, UndecodableError, open_media

KINDS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}  # Matroska names all of its own
OTHER_KIND = ("cover", "application/octet-stream")


def is_cover(stream: Stream) -> bool:
    """Whether a stream is an image that stands for the film."""
    return bool(stream.disposition & Disposition.attached_pic)


def is_attached_in(suffix: str) -> bool:
    """Whether a container, by its suffix with or without the dot, has covers as attached files."""
    return suffix.lstrip(".") == "mkv"


def cover_images(path: Path) -> dict[int, bytes]:
    """The bytes of each cover of a film, by the index of its stream.

    Raises:
        UndecodableError: a cover has no bytes, or the file is no film.
    """
    with open_media(path, FILM_FORMATS) as film:
        covers = [stream for stream in film.streams if is_cover(stream)]
        found: dict[int, bytes] = {}
        for packet in film.demux(covers) if covers else ():
            found.setdefault(packet.stream.index, bytes(packet))
            if len(found) == len(covers):
                break
        if not all(found.get(stream.index) for stream in covers):
            raise UndecodableError(f"{path.name} has a cover without an image")
        return found


def file_of(cover: Stream) -> tuple[str, str]:
    """Name and MIME type of the file that a cover is attached as."""
    codec = cover.codec_context.codec.canonical_name if cover.codec_context else ""
    name, kind = KINDS.get(codec, OTHER_KIND)
    return cover.metadata.get("filename", name), cover.metadata.get("mimetype", kind)
