"""A painted frame is the source's frame with other samples, and nothing the decoder still needs is written to."""

from pathlib import Path

import av
import numpy as np

from pipelines.media.encode import with_planes
from pipelines.media.picture import planes_of
from tests.synthetic import make_film


def test_a_painted_frame_keeps_its_side_data_and_harms_no_other(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    with av.open(str(film.path)) as source:
        plain = [(frame.pts, planes_of(frame)[0]) for frame in source.decode(video=0)]

    with av.open(str(film.path)) as source:
        for index, frame in enumerate(source.decode(video=0)):
            num_kept = len(frame.side_data)
            assert np.array_equal(planes_of(frame)[0], plain[index][1])
            painted = with_planes([np.full_like(plane, 77) for plane in planes_of(frame)], frame)
            assert len(painted.side_data) == num_kept
            assert (painted.pts, int(planes_of(painted)[0].max()), num_kept > 0) == (plain[index][0], 77, index == 0)
