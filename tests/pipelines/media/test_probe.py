"""A film's facts are those it was made with; what is no film is refused for the right reason."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.probe import probe_film
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal
from tests.synthetic import FILM_24, NTSC_30, FilmSpec, make_film


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(FilmSpec(frame_rate=FILM_24), id="24000/1001"),
        pytest.param(FilmSpec(frame_rate=NTSC_30, start_frame=3), id="30000/1001 late"),
        pytest.param(FilmSpec(durations=(20, 40, 25, 25, 60) * 10), id="VFR"),
        pytest.param(FilmSpec(pixel_format="yuv422p10le", languages=("eng", "fra")), id="10 bit 4:2:2"),
    ],
)
def test_facts_are_those_the_film_was_made_with(tmp_path: Path, spec: FilmSpec) -> None:
    film = make_film(tmp_path / "film.mp4", spec)

    probe = probe_film(film.path)

    assert (probe.num_frames, probe.start_pts, probe.end_pts) == (50, film.pts[0], film.end_pts)
    assert (probe.time_base, probe.pixel_format, probe.video_codec) == (film.time_base, spec.pixel_format, "h264")
    assert (probe.width_px, probe.height_px, probe.num_chapters) == (160, 120, 2)
    assert [sound.language for sound in probe.of_kind("audio")] == list(spec.languages)
    if not spec.durations:
        assert probe.frame_rate == spec.frame_rate


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mov"])
def test_other_containers_are_whole_too(tmp_path: Path, suffix: str) -> None:
    film = make_film(tmp_path / f"film.{suffix}")

    assert probe_film(film.path).num_frames == 50


def test_sound_longer_than_the_picture_is_no_truncation(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(sound_start_s=Fraction(3)))

    assert probe_film(film.path).num_frames == 50


def refusal_of(path: Path) -> Refusal:
    with pytest.raises(MediaRefusedError) as caught:
        probe_film(path)
    assert caught.value.detail
    return caught.value.refusal


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", Refusal.EMPTY),
        (b"just a text", Refusal.NOT_MEDIA),
        (b"<!DOCTYPE html><html>404", Refusal.NOT_MEDIA),
        (np.random.default_rng(0).bytes(50_000), Refusal.NOT_MEDIA),
        (b"#EXTM3U\n#EXTINF:1,\nother.ts\n", Refusal.PLAYLIST),
        (b"ffconcat version 1.0\nfile other.mp4\n", Refusal.PLAYLIST),
    ],
)
def test_what_is_no_media_says_what_it_is(tmp_path: Path, content: bytes, refusal: Refusal) -> None:
    (tmp_path / "film.mp4").write_bytes(content)

    assert refusal_of(tmp_path / "film.mp4") == refusal


def test_a_missing_film_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "film.mp4") == Refusal.MISSING_FILE
    assert refusal_of(tmp_path) == Refusal.NOT_REGULAR


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_film_cut_short_is_truncated(tmp_path: Path, suffix: str) -> None:
    film = make_film(tmp_path / f"film.{suffix}")
    whole = film.path.read_bytes()
    film.path.write_bytes(whole[: len(whole) * 6 // 10])

    assert refusal_of(film.path) == Refusal.TRUNCATED


def test_a_film_whose_index_is_lost_is_truncated(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(extra={"movflags": "0"}))
    whole = film.path.read_bytes()
    film.path.write_bytes(whole[: len(whole) * 6 // 10])

    assert refusal_of(film.path) == Refusal.TRUNCATED


def test_flipped_bytes_are_damage(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=(), subtitle=None))
    data = bytearray(film.path.read_bytes())
    for place in range(data.index(b"mdat") + 3000, len(data), 700):
        data[place] ^= 0x55
    film.path.write_bytes(data)

    assert refusal_of(film.path) is Refusal.DAMAGED


def test_sound_alone_and_sound_with_a_cover_are_no_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=48_000, layout="stereo")
        for packet in stream.encode(silence()):
            out.mux(packet)
        out.mux(stream.encode(None))

    assert refusal_of(tmp_path / "sound.mp4") == Refusal.NO_VIDEO


def silence() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
    frame.sample_rate, frame.pts = 48_000, 0
    return frame


def with_cover(film: Path, target: Path) -> None:
    """The film again with a cover, and the cover's box before the film's track, so that it becomes stream 0."""
    with av.open(str(film)) as source, av.open(str(target), "w") as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        out.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        out.mux(cover.encode(None))
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    data = target.read_bytes()
    head, track, tags = (data.index(name) - 4 for name in (b"mvhd", b"trak", b"udta"))
    assert head < track < tags
    length = int.from_bytes(data[tags : tags + 4])
    moved = data[:track] + data[tags : tags + length] + data[track:tags] + data[tags + length :]
    target.write_bytes(moved)


def test_cover_art_as_stream_0_is_not_taken_for_the_film(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=(), subtitle=None, chapters=False))
    with_cover(film.path, tmp_path / "cover.mp4")

    with av.open(str(tmp_path / "cover.mp4")) as made:
        assert made.streams.video[0].codec_context.name == "mjpeg"
    assert probe_film(tmp_path / "cover.mp4").num_frames == 50


def test_an_interlaced_film_is_refused(tmp_path: Path) -> None:
    encoder = (("x264-params", "tff=1"), ("threads", "1"))
    film = make_film(tmp_path / "film.mp4", FilmSpec(encoder=encoder))

    assert refusal_of(film.path) == Refusal.INTERLACED


def remuxed(film: Path, target: Path, change: Callable[[av.Packet, int], bool]) -> Path:
    """The film's picture again, its packets changed; those are dropped for which `change` says False."""
    with av.open(str(film)) as source, av.open(str(target), "w") as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(source.streams.video[0]) if packet.dts is not None]
        for index, packet in enumerate(packets):
            if change(packet, index):
                packet.stream = copy
                out.mux(packet)
    return target


def test_a_leap_of_an_hour_is_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(gop=10, b_frames=0, languages=(), subtitle=None, chapters=False))

    def leap(packet: av.Packet, index: int) -> bool:
        if index >= 20:
            packet.pts, packet.dts = packet.pts + 3600 * 12_800, packet.dts + 3600 * 12_800
        return True

    assert refusal_of(remuxed(film.path, tmp_path / "leap.mp4", leap)) == Refusal.TIMING


def test_lost_packets_of_a_broadcast_are_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.ts")
    data = film.path.read_bytes()
    packets = [data[place : place + 188] for place in range(0, len(data), 188)]
    film.path.write_bytes(b"".join(packet for index, packet in enumerate(packets) if index < 20 or index % 10))

    assert refusal_of(film.path) is Refusal.DAMAGED


def test_time_that_starts_again_is_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.ts")
    film.path.write_bytes(film.path.read_bytes() * 2)

    assert refusal_of(film.path) == Refusal.TIMING


def test_a_raw_stream_without_time_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.h264"), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(10):
            frame = av.VideoFrame(160, 120, "yuv420p")
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    assert refusal_of(tmp_path / "film.h264") == Refusal.NO_TIMESTAMPS


def test_a_picture_beyond_all_screens_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mov"), "w") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 12_000, 12_000, "gray"
        out.mux(stream.encode(av.VideoFrame(12_000, 12_000, "gray")))
        out.mux(stream.encode(None))

    assert refusal_of(tmp_path / "film.mov") == Refusal.DIMENSIONS


def test_a_codec_off_the_list_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mov"), "w") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        out.mux(stream.encode(av.VideoFrame(64, 64, "rgb24")))
        out.mux(stream.encode(None))

    assert refusal_of(tmp_path / "film.mov") == Refusal.CODEC


def test_a_sound_that_the_delivered_container_cannot_keep_is_refused(tmp_path: Path) -> None:
    spec = FilmSpec(b_frames=0, colour=None, languages=(), subtitle=None, chapters=False, codec="mpeg4", encoder=())
    film = make_film(tmp_path / "film.avi", spec)
    with av.open(str(film.path)) as source, av.open(str(tmp_path / "u8.avi"), "w") as out:
        copy = out.add_stream_from_template(source.streams.video[0])
        sound = out.add_stream("pcm_u8", rate=8000, layout="mono")
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
        frame = av.AudioFrame.from_ndarray(np.full((1, 8000), 128, np.uint8), "u8", "mono")
        frame.sample_rate = 8000
        out.mux([*sound.encode(frame), *sound.encode(None)])

    assert refusal_of(tmp_path / "u8.avi") == Refusal.CODEC


def test_what_the_encoders_cannot_write_is_refused(tmp_path: Path) -> None:
    odd = FilmSpec(num_frames=5, cuts=(), width_px=161, height_px=121, codec="ffv1", encoder=(), subtitle=None)
    deep = FilmSpec(num_frames=5, cuts=(), pixel_format="yuv420p12le", codec="ffv1", encoder=(), subtitle=None)

    assert refusal_of(make_film(tmp_path / "odd.mkv", odd).path) == Refusal.DIMENSIONS
    assert refusal_of(make_film(tmp_path / "deep.mkv", deep).path) == Refusal.PIXEL_FORMAT
