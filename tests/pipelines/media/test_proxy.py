"""A proxy shows both films side by side, plays for as long as its stretch, and is small."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.picture import rgb_frames
from pipelines.media.proxy import MAX_PROXY_BYTES, write_side_by_side
from tests.synthetic import FilmSpec, make_film
from tests.wide_colours import PQ, SKIN, wide_rgb


def test_the_left_half_is_the_source_and_the_right_half_the_delivered_film(tmp_path: Path) -> None:
    red = make_film(tmp_path / "red.mp4", FilmSpec(), lambda index: np.full((240, 320, 3), (200, 0, 0), np.uint8))
    blue = make_film(tmp_path / "blue.mp4", FilmSpec(), lambda index: np.full((240, 320, 3), (0, 0, 200), np.uint8))
    end_pts = red.pts[20]

    size = write_side_by_side(red.path, blue.path, tmp_path / "p.mp4", red.pts[5], end_pts, red.time_base)

    shown = [rgb for _, rgb in rgb_frames(tmp_path / "p.mp4", 0, 10**9)]
    assert len(shown) == 15
    height, width = shown[0].shape[:2]
    left, right = shown[0][:, : width // 2 - 8], shown[0][:, width // 2 + 8 :]
    assert left[..., 0].mean() > 150 > 60 > left[..., 2].mean()
    assert right[..., 2].mean() > 150 > 60 > right[..., 0].mean()
    assert 0 < size < MAX_PROXY_BYTES
    assert height % 2 == width % 2 == 0


def test_picture_and_sound_last_as_long_as_the_stretch(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    first, after = film.pts[2], film.pts[22]
    write_side_by_side(film.path, film.path, tmp_path / "p.mp4", first, after, film.time_base)

    with av.open(str(tmp_path / "p.mp4")) as proxy:
        lengths = [
            float(stream.duration * stream.time_base) for stream in (*proxy.streams.video, *proxy.streams.audio)
        ]
        codecs = [stream.codec_context.name for stream in (*proxy.streams.video, *proxy.streams.audio)]
    stretch_s = float((after - first) * film.time_base)
    # An AAC frame lasts 21 ms, a frame of the picture 40 ms, and the encoder's delay is another AAC frame.
    assert lengths == pytest.approx([stretch_s, stretch_s], abs=0.065)
    assert codecs == ["h264", "aac"]


def test_a_span_without_a_frame_is_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="no frame"):
        write_side_by_side(film.path, film.path, tmp_path / "p.mp4", 10**8, 10**8 + 5, film.time_base)


def test_a_film_in_pq_is_shown_as_on_an_ordinary_screen(tmp_path: Path) -> None:
    spec = FilmSpec(num_frames=3, cuts=(), pixel_format="yuv420p10le", colour=(9, 9, PQ, 1))
    codes = np.broadcast_to(np.rint(wide_rgb(np.array(SKIN[1]), PQ) * 255), (120, 160, 3)).astype(np.uint8)
    film = make_film(tmp_path / "film.mp4", spec, lambda index: codes)

    write_side_by_side(film.path, film.path, tmp_path / "p.mp4", 0, film.pts[-1], film.time_base)

    seen = next(rgb for _, rgb in rgb_frames(tmp_path / "p.mp4", 0, 10**9))
    # The browser's film has 8 bits of 4:2:0 and a small bit rate; the codes of PQ themselves are 30 apart.
    assert np.abs(seen.mean((0, 1)) - SKIN[1]).max() < 8
