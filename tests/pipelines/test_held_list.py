"""The held-out list: over all people, whatever the order of the data, and found again in data that grew."""

from pipelines.held_list import choose_held, find_held, held_digest
from tests.stretch_rows import stretches


def test_everybody_comes_once_before_anybody_comes_twice() -> None:
    table = stretches({"a": [60] * 9, "b": [60], "c": [60, 60]})

    held = choose_held(table, 4, 25)

    assert sorted(one.identity for one in held[:3]) == ["a", "b", "c"]
    assert held[3].identity in ("a", "c")
    assert all((one.first, one.num_frames) == (17, 25) for one in held)


def test_the_order_of_the_data_changes_nothing() -> None:
    table = stretches({"a": [60] * 9, "b": [60], "c": [60, 60]})
    turned = table.take(list(reversed(range(len(table)))))

    assert held_digest(choose_held(table, 5, 25)) == held_digest(choose_held(turned, 5, 25))


def test_stretches_without_frames_for_references_are_left_out() -> None:
    assert [one.identity for one in choose_held(stretches({"a": [34], "b": [35]}), 4, 25)] == ["b"]


def test_entries_are_found_by_name_and_those_that_are_gone_are_named() -> None:
    held = choose_held(stretches({"a": [60], "b": [60]}), 4, 25)
    grown = stretches({"0": [60, 60], "a": [60]})

    found, gone = find_held(held, grown)

    assert [(one.identity, row["shard_uri"]) for one, row in found] == [("a", "a.parquet")]
    assert gone == ["b/v/00000/0"]
