"""The talking portrait is what it says it is."""

from pathlib import Path

import numpy as np

from pipelines.media.sound import read_mono
from tests.portraits import talking_portrait


def test_the_voice_is_loud_where_the_mouth_is_open(tmp_path: Path) -> None:
    portrait = talking_portrait(tmp_path / "portrait.mp4")
    sound = read_mono(portrait.film.path)
    per_frame = sound[: 640 * len(portrait.openings)].reshape(-1, 640).std(1)
    assert np.corrcoef(per_frame, portrait.openings)[0, 1] > 0.9
