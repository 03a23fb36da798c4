"""The proof holds for a true delivery, and each kind of damage is seen by the check that is there for it."""

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipelines.media.coding import Coding
from pipelines.media.container import UndecodableError
from pipelines.media.encode import EncodeConfig
from pipelines.media.ledger import read_ledger
from pipelines.mouth_signature import rect_of, signed
from pipelines.picture_difference import PictureDifference, Shown, picture_difference
from pipelines.shot_patches import ShotPatches
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import picture, verify_films
from tests.pipelines.deliveries import RECT, film_row, shot_rows, vouched
from tests.pipelines.test_splice import moving
from tests.pipelines.test_survival import remuxed
from tests.synthetic import FilmSpec, make_film

Keep = Callable[[av.Packet, int, int], bool]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Source and delivered film: two languages, subtitles, chapters, no B-frames so that a packet is a frame."""
    folder = tmp_path_factory.mktemp("verify")
    film = make_film(folder / "film.mp4", FilmSpec(languages=("eng", "fra")))
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), 1)
    config = EncodeConfig(preset="ultrafast")  # ultrafast has no B-frames
    return film.path, Path(stitch_film(row, shots, str(folder / "out"), encode=config).film["delivered_uri"])


def rewritten(
    source: Path,
    target: Path,
    keep: Keep = lambda packet, stream, index: True,
    skip_stream: int | None = None,
    retag: Callable[[int, Any], None] = lambda stream, copy: None,
    chapters: bool = True,
) -> Path:
    """The delivered film muxed again, with one thing about it changed."""
    options = {"video_track_timescale": "12800", "movie_timescale": "192000"}
    with av.open(str(source)) as film, av.open(str(target), "w", options=options) as out:
        copies = {}
        for stream in film.streams:
            if stream.type != "data" and stream.index != skip_stream:
                copies[stream.index] = out.add_stream_from_template(stream)
                copies[stream.index].metadata.update(stream.metadata)
                copies[stream.index].disposition = stream.disposition
                retag(stream.index, copies[stream.index])
        out.metadata.update({"title": film.metadata["title"]})
        if chapters:
            out.set_chapters(film.chapters())
        counts = dict.fromkeys(copies, 0)
        for packet in film.demux():
            index = packet.stream.index
            if packet.dts is None or index not in copies:
                continue
            if keep(packet, index, counts[index]):
                packet.stream = copies[index]
                out.mux(packet)
            counts[index] += 1
    return vouched(target, source.with_name("manifest.json"))


def failed(source: Path, broken: Path) -> set[str]:
    return {check.name for check in verify_films(source, broken).failures}


def test_a_true_delivery_holds(delivered: tuple[Path, Path]) -> None:
    proof = verify_films(*delivered)

    assert proof.failures == []
    assert proof.holds
    assert json.loads(proof.to_json())["holds"] is True
    assert proof.facts["picture"]["psnr_db_min"] > 38


def test_another_film_than_that_of_the_manifest_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    source, made = delivered
    other = rewritten(made, tmp_path / "film.mp4")
    shutil.copy(made.with_name("manifest.json"), tmp_path)

    assert failed(source, other) == {"film_digest"}


def test_another_dub_than_that_of_the_manifest_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    source, made = delivered
    dub = source.with_name("dub.wav")
    (tmp_path / "other.wav").write_bytes(dub.read_bytes() + bytes(2))  # behind its last chunk: it sounds the same

    assert verify_films(source, made, dub).verdict == "every proof holds"
    assert {check.name for check in verify_films(source, made, tmp_path / "other.wav").failures} == {"dub_digest"}


def test_what_was_not_compared_is_said_in_place_of_that_every_proof_holds(
    delivered: tuple[Path, Path], tmp_path: Path
) -> None:
    source, made = delivered
    assert verify_films(source, made).verdict == "every proof holds"  # the manifest says that the dub was compared

    unproved = rewritten(made, tmp_path / "film.mp4")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"proof": {}}))

    proof = verify_films(source, unproved)
    assert proof.holds
    assert proof.verdict.startswith("what was compared holds; NOT COMPARED: the sound of the dub")
    (tmp_path / "manifest.json").unlink()
    assert len(verify_films(source, unproved, source.with_name("dub.wav")).not_compared) == 1


def test_muxing_again_without_a_change_still_holds(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "same.mp4")) == set()


def test_a_dropped_frame_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    broken = rewritten(delivered[1], tmp_path / "b.mp4", lambda packet, stream, index: (stream, index) != (0, 49))

    assert failed(delivered[0], broken) == {"frame_count", "frame_pts", "film_length"}


def test_a_moved_frame_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    def move(packet: av.Packet, stream: int, index: int) -> bool:
        if (stream, index) == (0, 30):
            packet.pts, packet.dts = packet.pts + 1, packet.dts + 1
        return True

    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "b.mp4", move)) == {"frame_pts"}


def test_a_dropped_subtitle_track_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    with av.open(str(delivered[1])) as film:
        subtitle = film.streams.subtitles[0].index

    broken = rewritten(delivered[1], tmp_path / "b.mp4", skip_stream=subtitle)

    assert failed(delivered[0], broken) == {"tracks", "languages", "dispositions", "copied_packets"}


def test_a_film_without_its_dub_is_seen(delivered: tuple[Path, Path]) -> None:
    assert "dub_track" in failed(delivered[0], delivered[0])


def test_shifted_original_sound_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    def shift(packet: av.Packet, stream: int, index: int) -> bool:
        if stream == 2:
            packet.pts, packet.dts = packet.pts + 1920, packet.dts + 1920  # 40 ms
        return True

    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "b.mp4", shift)) == {"copied_times"}


def test_a_shifted_dub_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    def shift(packet: av.Packet, stream: int, index: int) -> bool:
        if stream == 1:
            packet.pts, packet.dts = packet.pts + 9600, packet.dts + 9600  # 200 ms
        return True

    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "b.mp4", shift)) == {"dub_span"}


def test_other_sound_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    broken = rewritten(delivered[1], tmp_path / "b.mp4", lambda packet, stream, index: (stream, index) != (3, 40))

    assert failed(delivered[0], broken) == {"copied_packets", "copied_times"}


def test_a_lost_language_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    def retag(stream: int, copy: Any) -> None:
        if stream == 3:
            copy.metadata["language"] = "ita"

    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "b.mp4", retag=retag)) == {"languages"}


def test_a_wrong_role_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    def retag(stream: int, copy: Any) -> None:
        if stream == 3:
            copy.disposition = av.stream.Disposition.comment

    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "b.mp4", retag=retag)) == {"dispositions"}


def test_lost_chapters_are_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    assert failed(delivered[0], rewritten(delivered[1], tmp_path / "b.mp4", chapters=False)) == {"chapters"}


def test_other_colour_tags_are_seen(tmp_path: Path) -> None:
    source = make_film(tmp_path / "source.mp4", FilmSpec(colour=(1, 1, 1, 1)))
    other = make_film(tmp_path / "other.mp4", FilmSpec(colour=(5, 1, 1, 1)))

    assert "picture_tags" in failed(source.path, other.path)


def with_bytes(source: Path, target: Path, old: bytes, new: bytes) -> Path:
    """The delivered file with one stretch of bytes changed."""
    data = source.read_bytes()
    assert data.count(old) == 1
    target.write_bytes(data.replace(old, new))
    return vouched(target, source.with_name("manifest.json"))


def test_colours_that_the_container_alone_tells_otherwise_are_seen(
    delivered: tuple[Path, Path], tmp_path: Path
) -> None:
    source, made = delivered
    wide = b"colrnclx" + struct.pack(">3HB", 9, 16, 9, 0x80)

    broken = with_bytes(made, tmp_path / "film.mp4", b"colrnclx" + struct.pack(">3HB", 1, 1, 1, 0), wide)

    assert failed(source, broken) == {"picture_tags"}


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A source with a timecode, named tracks and tags of its camera, and its delivery."""
    folder = tmp_path_factory.mktemp("master")
    film = make_film(folder / "film.mov", FilmSpec(languages=("eng", "fra"), chapters=False, subtitle=None))

    def retag(out: av.container.OutputContainer, copies: dict[int, Any]) -> None:
        copies[0].metadata.update({"timecode": "10:00:00:00", "reel_name": "A001"})
        for index, title in enumerate(("Main", "Commentary"), start=1):
            copies[index].metadata.update({"title": title, "language": "eng"})
        out.metadata.update({"title": "Master", "comment": "graded"})

    film = remuxed(film, "master.mov", options={"movie_timescale": "192000"}, retag=retag)
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), 1)
    config = EncodeConfig(preset="ultrafast")
    return film.path, Path(stitch_film(row, shots, str(folder / "out"), encode=config).film["delivered_uri"])


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        (b"Commentary", b"Description", "titles"),
        (b"graded", b"shaded", "tags"),
        (b"A001", b"B002", "tags"),
    ],
)
def test_another_name_of_a_track_or_a_film_is_seen(
    master: tuple[Path, Path], tmp_path: Path, old: bytes, new: bytes, seen: str
) -> None:
    source, made = master
    assert verify_films(source, made).holds
    assert json.loads(made.with_name("manifest.json").read_text())["left_out"] == []
    data = made.read_bytes()
    assert data.count(old) >= 1
    broken = tmp_path / "film.mov"
    broken.write_bytes(data.replace(old, new[: len(old)].ljust(len(old), b"s")))
    vouched(broken, made.with_name("manifest.json"))

    assert failed(source, broken) == {seen}


def test_another_timecode_is_seen(master: tuple[Path, Path], tmp_path: Path) -> None:
    source, made = master
    before, after = (25 * 3600 * hours for hours in (10, 23))
    data = made.read_bytes()
    assert data.count(before.to_bytes(4)) == 1
    (tmp_path / "film.mov").write_bytes(data.replace(before.to_bytes(4), after.to_bytes(4)))
    vouched(tmp_path / "film.mov", made.with_name("manifest.json"))

    assert failed(source, tmp_path / "film.mov") == {"tags"}


def test_a_tag_that_no_muxer_writes_is_named_and_one_that_is_missing_unnamed_is_seen(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mov", FilmSpec(chapters=False, subtitle=None))

    def retag(out: av.container.OutputContainer, copies: dict[int, Any]) -> None:
        out.metadata.update({"com.apple.quicktime.make": "Camera", "title": "Master"})

    options = {"movflags": "use_metadata_tags", "movie_timescale": "192000"}
    film = remuxed(film, "camera.mov", options=options, retag=retag)
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 1)

    made = Path(
        stitch_film(row, shots, str(tmp_path / "out"), encode=EncodeConfig(preset="ultrafast")).film["delivered_uri"]
    )

    manifest = json.loads(made.with_name("manifest.json").read_text())
    assert manifest["left_out"] == ["tag com.apple.quicktime.make"]
    made.with_name("manifest.json").write_text(json.dumps(manifest | {"left_out": []}))
    assert failed(film.path, made) == {"tags"}


def test_a_damaged_picture_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    data = bytearray(delivered[1].read_bytes())
    start = data.index(b"mdat")
    for place in range(start + 2000, len(data) - 2000, 900):
        data[place] ^= 0xFF
    (tmp_path / "b.mp4").write_bytes(data)

    assert "decodes_clean" in failed(delivered[0], tmp_path / "b.mp4")


def test_what_is_no_film_is_an_error_that_names_it(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film")

    with pytest.raises(UndecodableError, match=r"text\.mp4"):
        verify_films(delivered[0], tmp_path / "text.mp4")
    with pytest.raises(FileNotFoundError):
        verify_films(delivered[0], tmp_path / "absent.mp4")


def test_a_late_sound_stream_stays_late(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(sound_start_s=Fraction(1, 4)))
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    made = stitch_film(row, shots, str(tmp_path / "out"), encode=EncodeConfig(preset="ultrafast")).film

    assert made["failure"] is None
    assert first_pts(Path(made["delivered_uri"]), 1) == first_pts(film.path, 0) > 10_000


def first_pts(path: Path, sound: int) -> int:
    with av.open(str(path)) as film:
        return min(packet.pts for packet in film.demux(film.streams.audio[sound]) if packet.pts is not None)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_what_is_drawn_into_a_corner_is_seen_though_the_frame_is_near_its_source(
    tmp_path: Path, pixel_format: str
) -> None:
    spec = FilmSpec(num_frames=4, cuts=(), width_px=320, height_px=240, pixel_format=pixel_format, languages=())
    draw = moving(spec)

    def with_logo(index: int) -> Any:
        picture = draw(index).copy()
        picture[200:208, 260:268] = 255 - picture[200:208, 260:268] // 2
        return picture

    finer = replace(spec, encoder=(("qp", "0"), ("preset", "veryfast"), ("threads", "1")))
    source = make_film(tmp_path / "source.mp4", finer, draw).path
    again, marked = (make_film(tmp_path / f"{one.__name__}.mp4", spec, one).path for one in (draw, with_logo))

    def shown(path: Path) -> Shown:
        film = read_ledger(path)
        return Shown(path, film.pts, film.digests)

    def differs(path: Path) -> PictureDifference:
        return picture_difference(shown(source), shown(path), [])

    assert differs(again).local_excess < 0.3
    found = differs(marked)
    assert found.psnr_db_min > 35
    assert not picture(found).ok
    assert "Y at 256, 192" in picture(found).detail


def test_a_mouth_that_is_not_the_one_that_was_composed_is_seen(delivered: tuple[Path, Path], tmp_path: Path) -> None:
    source, made = delivered
    broken = shutil.copy(made, tmp_path / "film.mp4")
    manifest = json.loads(made.with_name("manifest.json").read_text())
    runs = manifest["shots"][1]["changed"]
    assert [len(run["frames"]) for run in runs] == [run["num_frames"] for run in runs]
    rect = rect_of(runs[0]["frames"][5])
    other = [np.full(shape, 90, np.uint8) for shape in ((120, 160), (60, 80), (60, 80))]
    eight_bits = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)
    runs[0]["frames"][5] = signed(other, rect, eight_bits)  # of one frame alone
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    assert failed(source, broken) == {"picture"}


def checkered(planes: list[Any], own: list[Any]) -> list[Any]:
    odd = np.indices((RECT.height, RECT.width)).sum(0) % 2
    planes[0][RECT.y : RECT.y + RECT.height, RECT.x : RECT.x + RECT.width] += np.where(odd, 50, -50).astype(np.uint8)
    return planes


def purple(planes: list[Any], own: list[Any]) -> list[Any]:
    planes[2][RECT.y // 2 : (RECT.y + RECT.height) // 2, RECT.x // 2 : (RECT.x + RECT.width) // 2] += 30
    return planes


@pytest.mark.parametrize(
    ("spoil", "every"),
    [
        pytest.param(lambda planes, own: own, 25, id="the film's mouth on all frames but the first of each second"),
        pytest.param(checkered, 0, id="a pattern of the same means"),
        pytest.param(purple, 0, id="another colour as bright"),
    ],
)
def test_what_was_laid_but_not_written_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[list[Any], list[Any]], list[Any]], every: int
) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=(), subtitle=None, chapters=False, num_frames=60))
    right = ShotPatches.change

    def change(patches: ShotPatches, pts: int, planes_of: Callable[[], Any]) -> list[Any] | None:
        planes = right(patches, pts, planes_of)
        is_kept = planes is None or any(pts == run["first_pts"] for runs in patches.changed.values() for run in runs)
        return planes if planes is None or (every and is_kept) else spoil(planes, planes_of()[0])

    monkeypatch.setattr(ShotPatches, "change", change)
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 1)
    made = stitch_film(row, shots, str(tmp_path / "out"), encode=EncodeConfig(preset="ultrafast")).film

    assert "a painted mouth" in made["failure"]
