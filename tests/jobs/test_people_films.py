"""Films of people of whom it is known who speaks: what is told of a shot is what it shows and sounds like."""

from pathlib import Path

import numpy as np
import pytest

from jobs.people_cast import idle_mouth, mixed
from jobs.people_films import actor_paths, frames_of, people_films, shot_truth
from jobs.people_scene import HEIGHT_PX, WIDTH_PX, Actor, StillHead, background, scene_frames
from jobs.people_shot import LEFT, RIGHT, UNSEEN, Doing, PeopleShot, Turn, people_shots
from jobs.portrait_clip import FRAME_RATE
from jobs.training_speech import SAMPLE_RATE_HZ, Utterance
from tests.jobs.test_portrait_clip import portrait

SHOT = PeopleShot(
    kind="left, then right",
    length_s=2.0,
    turns=(Turn(LEFT, 0.2, 1.0), Turn(RIGHT, 1.2, 1.8)),
    meanwhile=(Doing.RESTS, Doing.RESTS),
)


def said(length_s: float) -> Utterance:
    return Utterance("tone", np.full(round(length_s * SAMPLE_RATE_HZ), 0.1, np.float32), [("aa", length_s)])


def test_all_kinds_of_shots_come_twice_and_most_show_two_people() -> None:
    shots = people_shots()
    kinds = [shot.kind for shot in shots]

    assert all(kinds.count(kind) == 2 for kind in kinds)
    assert sum(len(shot.meanwhile) == 2 for shot in shots) >= 40
    assert {shot.kind for shot in shots if shot.talks_over} == {"both at once"}
    assert all(turn.end_s <= shot.length_s for shot in shots for turn in shot.turns)


def test_films_share_out_all_shots_and_are_told_apart_by_number() -> None:
    films = people_films(6, first=7)

    assert [film.title for film in films] == [f"people-{number}" for number in range(7, 13)]
    assert sorted(shot.kind for film in films for shot in film.shots) == sorted(shot.kind for shot in people_shots())


def test_what_is_heard_is_what_is_said_in_each_turn() -> None:
    wave = mixed([(turn, said(turn.end_s - turn.start_s)) for turn in SHOT.turns], SHOT.length_s)

    heard = wave.reshape(-1, SAMPLE_RATE_HZ // 10).mean(1) > 0.05
    assert np.flatnonzero(heard).tolist() == [*range(2, 10), *range(12, 18)]


def test_truth_names_who_speaks_when() -> None:
    truth = shot_truth(SHOT, (3, 1), actor_paths(SHOT, frames_of(SHOT), np.random.default_rng(0)))

    assert [person["speaks_s"] for person in truth["people"]] == [[[0.2, 1.0]], [[1.2, 1.8]]]
    assert [person["cast"] for person in truth["people"]] == [3, 1]
    assert truth["num_frames"] == 50


def test_two_who_cross_change_places_and_others_stay() -> None:
    crossing = PeopleShot(kind="", length_s=2.0, turns=(), meanwhile=SHOT.meanwhile, crosses=True)
    left, right = actor_paths(crossing, 50, np.random.default_rng(0))
    still, _ = actor_paths(SHOT, 50, np.random.default_rng(0))

    assert left[0, 0] < right[0, 0]
    assert left[-1, 0] > right[-1, 0]
    assert np.abs(np.diff(left[:, 0])).max() < 80
    assert np.ptp(still, axis=0).max() == 0


@pytest.mark.parametrize("doing", [Doing.RESTS, Doing.CHEWS, Doing.LAUGHS, Doing.MOUTHS_ALONG])
def test_a_silent_mouth_does_what_it_is_said_to_do(doing: Doing) -> None:
    heard = [(Turn(UNSEEN, 0.5, 3.0), said(2.5))]

    opening = idle_mouth(doing, 4 * FRAME_RATE, heard, np.random.default_rng(0))[:, 0]

    assert opening.min() >= 0
    assert opening.max() < 0.05 if doing is Doing.RESTS else opening.max() > 0.15
    if doing is Doing.MOUTHS_ALONG:
        assert opening[: FRAME_RATE - 3].max() < 0.1  # it comes half a second late


def test_heads_are_drawn_where_they_are_and_the_front_one_hides_the_other() -> None:
    room = background(np.random.default_rng(0))
    shapes, sways = np.zeros((1, 2), np.float32), np.zeros((1, 4))
    head = StillHead(portrait(), shapes, sways)
    places = [np.array([[300.0, 300.0, 80.0]]), np.array([[340.0, 300.0, 80.0]])]

    (both,) = scene_frames(room, [Actor(head, place) for place in places], 1)
    (front,) = scene_frames(room, [Actor(head, places[1])], 1)

    assert both.shape == (HEIGHT_PX, WIDTH_PX, 3)
    changed = np.argwhere((both != room).any(-1))
    assert changed[:, 1].min() > 300 - 1.5 * 80
    assert changed[:, 1].max() < 340 + 1.5 * 80
    assert np.array_equal(both[290:330, 330:350], front[290:330, 330:350])


def test_the_catalog_is_one_that_plan_reads(tmp_path: Path) -> None:
    from jobs.catalog_file import read_records
    from jobs.people_films import write_catalog

    write_catalog(tmp_path, ["people-1", "people-2"])

    (first, _) = read_records(tmp_path / "catalog.csv")
    assert first.cells == {
        "film": "people-1.mp4",
        "language": "es",
        "dub_mix": "people-1.es.wav",
        "title": "people-1",
    }
