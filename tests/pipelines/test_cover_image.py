"""An image that stands for a film comes back with it, in Matroska as the attached file that it was."""

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import AttachmentStream

from tests.pipelines.test_splice import film_of
from tests.pipelines.test_survival import as_read, delivered
from tests.synthetic import SyntheticFilm

IMAGE = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
FONT = b"not a font, and copied all the same"


def with_attached(film: SyntheticFilm, name: str, mime_type: str, image: bytes) -> SyntheticFilm:
    """The film in Matroska with an image and a font beside it."""
    target = film.path.with_name("covered.mkv")
    with av.open(str(film.path)) as source, av.open(str(target), "w") as out:
        copies = {one.index: out.add_stream_from_template(one) for one in source.streams}
        out.add_attachment(name, mime_type, image)
        out.add_attachment("a.ttf", "font/ttf", FONT)
        for packet in source.demux():
            if packet.size and packet.pts is not None:
                packet.dts = packet.pts if packet.dts is None else packet.dts
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return as_read(replace(film, path=target))


@pytest.mark.parametrize("painted", [None, 1])
@pytest.mark.parametrize(("name", "mime_type"), [("poster.jpg", "image/jpeg"), ("poster.png", "image/png")])
def test_a_cover_of_matroska_comes_back_as_the_file_that_it_was(
    tmp_path: Path, name: str, mime_type: str, painted: int | None
) -> None:
    image = cv2.imencode(Path(name).suffix, IMAGE)[1].tobytes()
    film = with_attached(film_of(tmp_path / "film.mkv", b_frames=0, languages=("eng",)), name, mime_type, image)

    path, manifest = delivered(tmp_path, film, painted)

    with av.open(str(path)) as made:
        *_, cover, font = made.streams
        assert (cover.metadata["filename"], cover.metadata["mimetype"]) == (name, mime_type)
        assert isinstance(font, AttachmentStream)
        assert font.data == FONT
        assert bytes(next(made.demux(cover))) == image
    assert (manifest["picture"]["method"], manifest["left_out"]) == ("splice", [])
