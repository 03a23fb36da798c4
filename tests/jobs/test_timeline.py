"""The timeline is a picture that can be read back: colours lie where verdicts, speech and hidden mouths are."""

from typing import Any

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from jobs.timeline import COLOURS, DPI, HEARD, HIDDEN, MOST_PEOPLE, STRIP_S, WIDTH_INCH, film_timeline
from schemas.reason import Verdict
from tests.planned_rows import TICKS_PER_FRAME, shot, track

FRAMES = 100


def planned(
    place: int, num_shots: int, verdicts: dict[int, tuple[Verdict, str | None]], **changes: Any
) -> dict[str, Any]:
    """A shot of 100 frames, one after the other; a face for each verdict."""
    start = place * FRAMES * TICKS_PER_FRAME
    end = start + FRAMES * TICKS_PER_FRAME
    tracks = [track(index, start_pts=start, end_pts=end, **changes) for index in verdicts]
    rows = [
        {"track_index": index, "verdict": verdict, "reason": None, "person": person}
        for index, (verdict, person) in verdicts.items()
    ]
    return shot(*tracks, shot_index=place, num_shots=num_shots, shot_start_pts=start, shot_end_pts=end, verdicts=rows)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB), np.int16)


def where(picture: np.ndarray, colour: str) -> np.ndarray:
    """Columns with a bar of a colour, below the legend; letters are narrower."""
    near = np.abs(picture - np.array(to_rgb(colour)) * 255).max(-1) < 6
    return np.flatnonzero(near[40:].sum(0) >= 5)


def test_each_verdict_has_its_colour_where_its_shot_is() -> None:
    verdicts = [Verdict.DUB, Verdict.REVIEW, Verdict.LEAVE]
    shots = [planned(place, 3, {0: (verdict, "Ana")}) for place, verdict in enumerate(verdicts)]

    picture = pixels(film_timeline(shots))

    middles = [float(where(picture, COLOURS[verdict]).mean()) for verdict in verdicts]
    assert middles == sorted(middles)
    assert middles[2] - middles[1] == pytest.approx(middles[1] - middles[0], rel=0.05)
    assert picture.shape[1] == WIDTH_INCH * DPI


def test_it_shows_where_a_face_is_heard_and_where_its_mouth_is_hidden() -> None:
    hand = [{"start_pts": 70 * TICKS_PER_FRAME, "end_pts": 80 * TICKS_PER_FRAME, "kind": "thing"}]
    speaks = planned(0, 1, {0: (Verdict.DUB, "Ana")}, covers=hand)
    listens = planned(0, 1, {0: (Verdict.LEAVE, "Ana")}, speaking_score=0.1)

    picture = pixels(film_timeline([speaks]))

    face, heard, hidden = (where(picture, colour) for colour in (COLOURS[Verdict.DUB], HEARD, HIDDEN))
    width = face[-1] - face[0]
    assert (heard[0] - face[0]) / width == pytest.approx(0.2, abs=0.02)  # frames 20 to 60 of 100
    assert (heard[-1] - face[0]) / width == pytest.approx(0.6, abs=0.02)
    assert (hidden[0] - face[0]) / width == pytest.approx(0.7, abs=0.02)
    assert len(where(pixels(film_timeline([listens])), HEARD)) == 0


def test_a_long_film_has_a_strip_for_every_four_minutes() -> None:
    num_shots = int(STRIP_S / 4 * 2.5)  # of four seconds each
    long = [planned(place, num_shots, {0: (Verdict.DUB, "Ana")}) for place in range(num_shots)]
    short = film_timeline(long[:10])

    assert pixels(film_timeline(long)).shape[0] > 2.3 * pixels(short).shape[0]


def test_a_crowd_shares_a_row_and_no_face_needs_none() -> None:
    crowd = planned(0, 1, {index: (Verdict.LEAVE, f"person {index}") for index in range(3 * MOST_PEOPLE)})
    few = planned(0, 1, {index: (Verdict.LEAVE, f"person {index}") for index in range(MOST_PEOPLE + 1)})

    assert pixels(film_timeline([crowd])).shape == pixels(film_timeline([few])).shape
    assert film_timeline([planned(0, 1, {})])


def test_the_same_shots_give_the_same_bytes() -> None:
    shots = [planned(0, 1, {0: (Verdict.DUB, None)})]
    assert film_timeline(shots) == film_timeline(shots)


def test_bars_are_few_artists_however_many_shots_a_strip_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each bar made long films' pictures take minutes."""
    drawn: list[int] = []

    def count(figure: Figure, *args: object, **options: object) -> None:
        drawn.extend(len(axes.collections) + len(axes.lines) + len(axes.patches) for axes in figure.axes)

    monkeypatch.setattr(Figure, "savefig", count)
    for num_shots in (2, 50):
        film_timeline([planned(place, num_shots, {0: (Verdict.DUB, "Ana")}) for place in range(num_shots)])

    few, many = drawn
    assert few == many


def test_where_two_faces_share_a_row_the_later_is_drawn_over_the_former() -> None:
    """So what one shot shows does not depend on the colours of others."""
    both = planned(0, 1, {0: (Verdict.LEAVE, None), 1: (Verdict.DUB, None)}, speaking_score=0.1)
    picture = pixels(film_timeline([both]))

    assert len(where(picture, COLOURS[Verdict.LEAVE])) < 0.1 * len(where(picture, COLOURS[Verdict.DUB]))


def test_a_name_that_fills_the_picture_leaves_half_of_it_to_the_strips() -> None:
    picture = pixels(film_timeline([planned(0, 1, {0: (Verdict.DUB, "$" * 400)})]))

    face = where(picture, COLOURS[Verdict.DUB])
    assert face[0] >= 0.49 * WIDTH_INCH * DPI
    assert face[-1] - face[0] > 0.18 * WIDTH_INCH * DPI  # four of the ten seconds of the strip
