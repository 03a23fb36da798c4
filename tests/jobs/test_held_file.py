"""The held-out list of a folder stays as it is for all nights, unless nothing could be decided by it."""

import json
from pathlib import Path

import pytest

from jobs.held_file import LIST_NAME, Held, kept_held_list
from jobs.promotion import ChallengeSettings
from tests.stretch_rows import stretches

SETTINGS = ChallengeSettings(stretches=8, frames=10)


def people(held: Held) -> list[str]:
    return sorted(entry.identity for entry, _ in held)


def test_a_list_is_kept_when_the_data_grow(tmp_path: Path) -> None:
    names = [f"id{index}" for index in range(7)]
    first, _ = kept_held_list(tmp_path, stretches({name: [40] for name in names}), SETTINGS)
    grown = stretches({name: [40, 40] for name in [*names, "new", "newer"]})

    again, said = kept_held_list(tmp_path, grown, SETTINGS)

    assert people(again) == people(first) == names
    assert said == []


def test_entries_that_are_gone_are_named(tmp_path: Path) -> None:
    names = [f"id{index}" for index in range(8)]
    kept_held_list(tmp_path, stretches({name: [40] for name in names}), SETTINGS)

    left, said = kept_held_list(tmp_path, stretches({name: [40] for name in names[1:]}), SETTINGS)

    assert people(left) == names[1:]
    assert said == ["of the held-out list these are no longer in the data: id0/v/00000/0"]


@pytest.mark.parametrize("before", [{}, {"id0": [40], "id1": [40]}], ids=["nobody", "two people"])
def test_a_list_of_too_few_people_gives_way_to_one_of_more(tmp_path: Path, before: dict[str, list[int]]) -> None:
    kept_held_list(tmp_path, stretches(before), SETTINGS)
    names = [f"id{index}" for index in range(7)]

    held, said = kept_held_list(tmp_path, stretches({name: [40] for name in names}), SETTINGS)

    assert people(held) == names
    assert said == [f"the held-out list shows {len(before)} people, too few to decide anything: a new one shows 7"]
    assert len(json.loads((tmp_path / LIST_NAME).read_text())["held"]) == 7


def test_too_few_people_stay_where_the_data_have_no_more(tmp_path: Path) -> None:
    table = stretches({"id0": [40], "id1": [40]})
    first, _ = kept_held_list(tmp_path, table, SETTINGS)

    assert kept_held_list(tmp_path, table, SETTINGS) == (first, [])


def test_a_list_that_was_asked_for_otherwise_is_chosen_anew(tmp_path: Path) -> None:
    table = stretches({f"id{index}": [40] for index in range(9)})
    kept_held_list(tmp_path, table, SETTINGS)

    held, said = kept_held_list(tmp_path, table, ChallengeSettings(stretches=9, frames=12))

    assert [(len(held), entry.num_frames) for entry, _ in held] == [(9, 12)] * 9
    assert said == ["the held-out list was of 8 stretches of 10 frames: a new one is chosen"]


def test_a_list_of_a_version_before_is_chosen_anew(tmp_path: Path) -> None:
    (tmp_path / LIST_NAME).write_text("[]")

    held, _ = kept_held_list(tmp_path, stretches({"id0": [40]}), SETTINGS)

    assert people(held) == ["id0"]
