"""A film that starts late has its dub on its sample, however coarse the film's clock is."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.sound import sound_blocks, write_wav
from tests.pipelines.test_stitch import stitched
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

HZ, AT = 48_000, 20_001
SILENT = FilmSpec(start_frame=7, languages=(), subtitle=None, chapters=False)


def coarse(film: SyntheticFilm, target: Path) -> SyntheticFilm:
    """The same film with a clock that ticks once a frame."""
    with av.open(str(film.path)) as source, av.open(str(target), "w", options={"video_track_timescale": "25"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    ticks = Fraction(25) * film.time_base
    pts, cuts = (tuple(int(at * ticks) for at in places) for places in (film.pts, film.cuts))
    coarse_base, end_pts = Fraction(1, 25), int(film.end_pts * ticks)
    return replace(film, path=target, time_base=coarse_base, pts=pts, cuts=cuts, end_pts=end_pts)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
@pytest.mark.parametrize("rate_hz", [44_100, HZ])
def test_an_impulse_of_the_dub_of_a_late_silent_film_is_delivered_on_its_sample(
    tmp_path: Path, suffix: str, rate_hz: int
) -> None:
    film = coarse(make_film(tmp_path / f"fine.{suffix}", SILENT), tmp_path / f"film.{suffix}")
    with av.open(str(film.path)) as made:
        assert made.streams.video[0].time_base == film.time_base
    dub = np.zeros((1, 2 * rate_hz), np.float32)
    dub[0, AT - 1 : AT + 2] = 0.2, 0.9, 0.2
    write_wav(tmp_path / "stem.wav", dub, rate_hz)

    row = stitched(tmp_path, film, dub=tmp_path / "stem.wav")

    assert row["failure"] is None
    start_s = film.pts[0] * film.time_base
    heard = np.concatenate(list(sound_blocks(Path(row["delivered_uri"]), rate_hz, "mono", start_s)), axis=1)[0]
    assert start_s == Fraction(7, 25)
    assert int(np.abs(heard).argmax()) == AT
