"""Stretches become shots: the frame shown then, sound in sync, one size, the same bytes every time."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.concat import FilmFormat, Stretch, TimedText, concat
from pipelines.media.container import UndecodableError
from pipelines.media.picture import rgb_frames
from pipelines.media.sound import read_mono
from pipelines.storage import file_digest
from tests.synthetic import FILM_24, NTSC_30, TICK_EVERY_S, FilmSpec, frame_number, make_film

FORMAT = FilmFormat(width_px=160, height_px=120, title="Joined")


@pytest.mark.parametrize("rate", [FILM_24, NTSC_30, Fraction(12)])
def test_at_every_moment_the_frame_is_shown_that_the_clip_shows_then(tmp_path: Path, rate: Fraction) -> None:
    clip = make_film(tmp_path / "clip.mp4", FilmSpec(num_frames=60, frame_rate=rate))
    start_s = Fraction(7, 10)

    time_base = concat([Stretch(path=clip.path, start_s=start_s, num_frames=25)], tmp_path / "film.mp4", FORMAT)

    shown = list(rgb_frames(tmp_path / "film.mp4", 0, 1 << 40))
    assert [pts * time_base for pts, _ in shown] == [Fraction(index, 25) for index in range(25)]
    assert [frame_number(rgb) for _, rgb in shown] == [int((start_s + Fraction(i, 25)) * rate) for i in range(25)]


def test_sound_stays_in_sync_across_a_cut(tmp_path: Path) -> None:
    clip = make_film(tmp_path / "clip.mp4", FilmSpec(num_frames=75, sample_rate_hz=44_100))
    stretches = [
        Stretch(path=clip.path, start_s=Fraction(1, 4), num_frames=25),
        Stretch(path=clip.path, start_s=Fraction(4, 5), num_frames=30, gain=0.5),
    ]

    concat(stretches, tmp_path / "film.mp4", FORMAT)

    sound = np.abs(read_mono(tmp_path / "film.mp4", 48_000))
    ticks_s = [Fraction(1, 4), Fraction(3, 4), Fraction(6, 5), Fraction(17, 10)]
    loud = np.flatnonzero(sound > 0.1) / 48_000
    starts = [at for at, before in zip(loud, [-1.0, *loud[:-1]], strict=True) if at - before > float(TICK_EVERY_S) / 4]
    assert starts == pytest.approx([float(at) for at in ticks_s], abs=0.003)  # an AAC attack is soft
    assert sound[:48_000].max() > 1.5 * sound[48_000:].max()


def test_the_film_carries_language_chapters_and_subtitles(tmp_path: Path) -> None:
    clip = make_film(tmp_path / "clip.mp4")
    half, whole = Fraction(1, 2), Fraction(1)
    chapters = [TimedText(start_s=Fraction(0), end_s=half, text="A"), TimedText(start_s=half, end_s=whole, text="B")]
    lines = [TimedText(start_s=Fraction(1, 5), end_s=half, text="hello")]

    concat(
        [Stretch(path=clip.path, start_s=Fraction(0), num_frames=25)], tmp_path / "film.mp4", FORMAT, chapters, lines
    )

    with av.open(str(tmp_path / "film.mp4")) as film:
        assert film.metadata["title"] == "Joined"
        assert [chapter["metadata"]["title"] for chapter in film.chapters()] == ["A", "B"]
        kinds = {stream.type: stream.metadata["language"] for stream in film.streams if stream.type != "data"}
        assert kinds == {"video": "eng", "audio": "eng", "subtitle": "eng"}
        said = [bytes(packet)[2:] for packet in film.demux(film.streams.subtitles[0]) if packet.size > 2]
        assert said == [b"hello"]


def test_a_wide_clip_covers_the_frame_and_keeps_its_middle(tmp_path: Path) -> None:
    def striped(_: int) -> np.ndarray:
        picture = np.zeros((120, 320, 3), np.uint8)
        picture[:, 80:240] = 200  # what is left when 320x120 is cropped to 160x120
        return picture

    clip = make_film(tmp_path / "clip.mp4", FilmSpec(num_frames=10, cuts=(), width_px=320), striped)

    concat([Stretch(path=clip.path, start_s=Fraction(0), num_frames=10)], tmp_path / "film.mp4", FORMAT)

    _, first = next(rgb_frames(tmp_path / "film.mp4", 0, 1 << 40))
    assert first.shape == (120, 160, 3)
    assert np.abs(first[:, 8:-8].astype(int) - 200).max() <= 8


def test_the_same_clips_give_the_same_bytes(tmp_path: Path) -> None:
    clip = make_film(tmp_path / "clip.mp4")
    stretch = Stretch(path=clip.path, start_s=Fraction(0), num_frames=25)

    digests = set()
    for index in range(5):
        concat([stretch], tmp_path / f"{index}.mp4", FORMAT)
        digests.add(file_digest(tmp_path / f"{index}.mp4"))

    assert len(digests) == 1


def test_a_clip_that_is_too_short_is_refused(tmp_path: Path) -> None:
    clip = make_film(tmp_path / "clip.mp4", FilmSpec(num_frames=20, cuts=()))

    with pytest.raises(UndecodableError, match=r"clip.mp4 ends before"):
        concat([Stretch(path=clip.path, start_s=Fraction(1, 5), num_frames=25)], tmp_path / "film.mp4", FORMAT)
