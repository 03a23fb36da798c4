"""What a decoder that is none of ours shows otherwise is told; a film that it does not know does not fail."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]

from pipelines.media import outside_decoder
from pipelines.media.ledger import read_ledger
from pipelines.media.picture import plane_frames
from pipelines.proof import Check
from pipelines.second_decoder import LEFT, second_decoder
from pipelines.verify import verify_films
from tests.pipelines.test_recoloured import HD, SD, changed_across, joined
from tests.pipelines.test_splice import WHOLE_FILM, X265, film_of
from tests.pipelines.test_splice_proof import delivered, failed, muxed

Films = tuple[Path, Path]
Change = Callable[[list[str]], list[str]]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """A film of four GOPs, and its delivery with a mouth on frames 40 to 59, so that the second and third changed."""
    folder = tmp_path_factory.mktemp("twice")
    film = film_of(folder / "film.mp4", cuts=(40, 60))
    delivered(folder, film)
    return film.path, folder / "out/one/pt-BR/film.mp4"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An FFmpeg that PyAV does not bring: the one of this machine, else that of a package."""
    if shutil.which("ffmpeg") is None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "ffmpeg").symlink_to(get_ffmpeg_exe())
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


def seen(source: Path, made: Path) -> Check | str:
    manifest = made.with_name("manifest.json")
    said = json.loads(manifest.read_text()) if manifest.is_file() else {}
    return second_decoder(source, made, read_ledger(source), read_ledger(made), said)


def told_of(path: Path) -> list[str]:
    """What a decoder tells of the frames that it shows, in the words of FFmpeg."""
    shown = ((pts, b"".join(plane.tobytes() for plane in planes)) for pts, planes in plane_frames(path, *WHOLE_FILM))
    return [f"0, {pts}, {pts}, 1, {len(data)}, {hashlib.md5(data).hexdigest()}\n" for pts, data in shown]


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program in the place of FFmpeg, alone on the PATH but for the shell's own."""
    path = folder / "bin" / "ffmpeg"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/bin:/usr/bin")


def telling(folder: Path, monkeypatch: pytest.MonkeyPatch, own: list[str], made: list[str]) -> None:
    """A program that tells this of the source and that of its delivery."""
    for name, lines in (("own", own), ("made", made)):
        (folder / name).write_text("#software: none\n" + "".join(lines))
    program(
        folder, monkeypatch, f'case "$*" in *long*) ;; */out/*) cat "{folder}/made";; *) cat "{folder}/own";; esac'
    )


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("codec", [{}, {"codec": "libx265", "encoder": X265, "pixel_format": "yuv420p10le"}])
def test_the_installed_decoder_shows_a_true_delivery_as_it_is(tmp_path: Path, codec: dict[str, object]) -> None:
    film = film_of(tmp_path / "film.mp4", cuts=(40, 60), start_frame=7, **codec)
    delivered(tmp_path, film)

    found = seen(film.path, tmp_path / "out/one/pt-BR/film.mp4")

    told = "48 frames are the source's, 48 of changed GOPs are as the first shows them"
    assert found == Check("second_decoder", True, told)


@pytest.mark.usefixtures("installed")
def test_a_decoder_that_would_turn_colours_into_the_first_ones_is_told_not_to(tmp_path: Path) -> None:
    film = changed_across(joined(tmp_path, {"colour": HD}, {"colour": SD}))

    delivered(tmp_path, film)

    found = seen(film.path, tmp_path / "out/one/pt-BR/film.mp4")
    assert isinstance(found, Check)
    assert found.ok, found.detail


@pytest.mark.usefixtures("installed")
def test_the_installed_decoder_sees_another_frame_outside_of_changed_gops(films: Films, tmp_path: Path) -> None:
    source, made = films
    with av.open(str(made)) as film:
        packets = {packet.pts: bytes(packet) for packet in film.demux(film.streams.video[0]) if packet.size}
    later = sorted(packets)[72]  # the IDR of the last GOP, which is a copy

    swapped = muxed(made, tmp_path / "swap.mp4", swap={later: packets[0]})

    found = seen(source, swapped)
    assert isinstance(found, Check)
    assert not found.ok
    assert "outside of changed GOPs are not the source's, frame 72 first" in found.detail


def drop_last(lines: list[str]) -> list[str]:
    return lines[:-1]


def moved(lines: list[str]) -> list[str]:
    return [*lines[:5], lines[5].replace(", ", ", 1", 2), *lines[6:]]


def swapped_at(place: int) -> Change:
    """Another frame's digest at a place."""
    return lambda lines: [
        line.rsplit(", ", 1)[0] + ", " + lines[0].rsplit(", ", 1)[1] if at == place else line
        for at, line in enumerate(lines)
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (swapped_at(10), "1 frames outside of changed GOPs are not the source's, frame 10 first"),
        (swapped_at(50), "1 of changed GOPs are not what the first decoder shows, frame 50 first"),
        (drop_last, "95 frames are shown, not the same 96 moments"),
        (moved, "96 frames are shown, not the same 96 moments"),
    ],
)
def test_what_another_decoder_shows_otherwise_is_seen(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, told: str
) -> None:
    own, made = (told_of(path) for path in films)
    telling(tmp_path, monkeypatch, own, change(made))

    assert seen(*films) == Check("second_decoder", False, told)


def test_the_proof_fails_by_the_second_decoder_alone(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, made = (told_of(path) for path in films)
    telling(tmp_path, monkeypatch, own, swapped_at(50)(made))

    assert failed(verify_films(*films, decode_twice=True)) == {"second_decoder"}
    assert failed(verify_films(*films)) == set()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo Unknown decoder >&2; exit 1", "ffmpeg does not decode the source: Unknown decoder"),
        ("kill -9 $$", "ffmpeg does not decode the source: it was ended by signal 9"),
        ("echo no frames", "ffmpeg does not decode the source: it told something else than a frame: no frames"),
        ("exit 0", "ffmpeg shows 0 frames of the source, not those of the same 96 moments"),
    ],
)
def test_a_film_of_which_another_decoder_makes_nothing_is_told_as_not_compared(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    program(tmp_path, monkeypatch, f'case "$*" in *long*) exit 0;; esac\n{script}')

    proof = verify_films(*films, decode_twice=True)

    assert proof.holds
    assert proof.not_compared == (LEFT + why,)


def test_where_none_is_installed_nothing_is_missed(films: Films, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    proof = verify_films(*films, decode_twice=True)

    assert proof.verdict == "every proof holds"
    assert proof.facts["second_decoder"] == "none, as no ffmpeg is on the PATH"


def test_a_program_that_hangs_is_ended(films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = told_of(films[0])
    (tmp_path / "own").write_text("".join(own))
    script = f'case "$*" in *long*) ;; */out/*) exec sleep 60;; *) cat "{tmp_path}/own";; esac'
    program(tmp_path, monkeypatch, script)
    monkeypatch.setattr(outside_decoder, "LIMIT_S", 1.0)
    monkeypatch.setattr(outside_decoder, "LIMIT_S_PER_FRAME", 0.0)

    assert str(seen(*films)).endswith("it was not done after 1 s")
