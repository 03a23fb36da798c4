"""A film that needs a key is refused as that, whichever of its streams needs it; nothing of it is decoded."""

from pathlib import Path

import av
import pytest

from pipelines.media.dub_sound import probe_sound
from pipelines.media.probe import probe_film
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal
from tests.pipelines.test_splice import film_of
from tests.pipelines.test_survival import remuxed
from tests.synthetic import SyntheticFilm

KEY = "00112233445566778899aabbccddeeff"
CENC = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": KEY, "encryption_kid": KEY}
TRACK_NAME = b"\x53\x6e"  # of Matroska, with the length of its text after it


def film(path: Path) -> SyntheticFilm:
    return film_of(path, num_frames=24, cuts=(12,), languages=("eng",), subtitle=None, chapters=False)


def locked(folder: Path, kept: tuple[bytes, ...], **more: str) -> Path:
    """A film of which some streams are encrypted: of the others the box says so no longer."""
    path, clear = folder / "locked.mp4", {b"encv": b"avc1", b"enca": b"mp4a"}
    with av.open(str(film(folder / "film.mp4").path)) as source, av.open(str(path), "w", options=CENC | more) as out:
        copies = {one.index: out.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    data = path.read_bytes()
    for name, plain in clear.items():
        assert data.count(name) == 1
        data = data if name in kept else data.replace(name, plain)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("kept", "named"),
    [((b"encv", b"enca"), "picture and sound"), ((b"encv",), "picture"), ((b"enca",), "sound")],
)
@pytest.mark.parametrize("more", [{}, {"movflags": "frag_keyframe+empty_moov"}], ids=["whole", "in fragments"])
def test_an_encrypted_mp4_is_refused_as_that(
    tmp_path: Path, kept: tuple[bytes, ...], named: str, more: dict[str, str]
) -> None:
    with pytest.raises(MediaRefusedError) as caught:
        probe_film(locked(tmp_path, kept, **more))

    told = f"a key is needed for its {named}; give a copy without protection"
    assert (caught.value.refusal, caught.value.detail) == (Refusal.ENCRYPTED, told)


def test_an_encrypted_dub_is_refused_as_that(tmp_path: Path) -> None:
    with pytest.raises(MediaRefusedError) as caught:
        probe_sound(locked(tmp_path, (b"enca",)))

    assert caught.value.refusal is Refusal.ENCRYPTED


def test_a_dub_beside_an_encrypted_picture_is_heard(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4").path
    head, table, rest = path.read_bytes().partition(b"stsd")
    path.write_bytes(head + table + rest.replace(b"avc1", b"encv", 1))

    assert probe_sound(path).codec == "aac"
    with pytest.raises(MediaRefusedError, match="needed for its picture;"):
        probe_film(path)


def element(name: str, content: bytes) -> bytes:
    """Of Matroska (RFC 8794, 3)."""
    return bytes.fromhex(name) + bytes([0x80 | len(content)]) + content


def test_an_encrypted_track_of_matroska_is_refused_as_that(tmp_path: Path) -> None:
    encryption = element("5035", element("47e1", b"\x05") + element("47e2", bytes.fromhex(KEY)))  # AES, and its key
    encoded = element("6d80", element("6240", element("5033", b"\x01") + encryption))  # RFC 9559, 5.1.4.1.31
    text = "n" * (len(encoded) - len(TRACK_NAME) - 1)

    def name_it(out: av.container.OutputContainer, copies: dict[int, av.stream.Stream]) -> None:
        copies[0].metadata["title"] = text

    named = remuxed(film(tmp_path / "film.mp4"), "named.mkv", retag=name_it)
    assert probe_film(named.path).num_frames == 24
    data = named.path.read_bytes()
    old = element(TRACK_NAME.hex(), text.encode())
    assert data.count(old) == 1
    named.path.write_bytes(data.replace(old, encoded))

    with pytest.raises(MediaRefusedError, match="needed for its picture;") as caught:
        probe_film(named.path)

    assert caught.value.refusal is Refusal.ENCRYPTED
