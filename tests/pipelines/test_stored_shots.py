"""What was found while a shot was painted is known again when the shot comes from the store."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from pipelines import driver
from pipelines.covered_share import with_hidden
from pipelines.delivery_key import manifest_key
from pipelines.dub import DubConfig
from pipelines.eligibility import Eligibility
from pipelines.media.encode import EncodeConfig
from pipelines.plan import plan_shots
from pipelines.stage import Row
from pipelines.waves import untouched
from schemas.shot import PLANNED_SHOT, TRACKED_SHOT
from tests.planned_rows import shot, spans, track

LINES = spans(((5, 40), (60, 95)))


class Films:
    """Gives back the shots that it is given."""

    def __init__(self, *_: Any) -> None:
        pass

    def take(self, row: Row) -> Iterator[Row]:
        yield row

    def rest(self) -> Iterator[Row]:
        return iter(())


def two_heard() -> pa.Table:
    """A shot in which each of two faces says a line, as it is planned."""
    faces = [
        track(index, speech_scores=[line | {"score": 0.9 if index == at else 0.1} for at, line in enumerate(LINES)])
        for index in (0, 1)
    ]
    row = shot(*faces, dub_speech=LINES, original_speech=LINES, tracks_uri=None)
    return plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT))


def ran(planned: pa.Table, store: Path, monkeypatch: pytest.MonkeyPatch, hidden: list[int] | None) -> Row:
    """The shot of a run that finds these tracks hidden; None: of one that must not paint."""

    def paint(manifest: list[Row], *_: Any) -> Iterator[Row]:
        assert hidden is not None
        for row in manifest:
            found = {"reason": None, "hidden_tracks": hidden, "verdicts": with_hidden(row["verdicts"], hidden)}
            yield untouched(row, "") | found

    monkeypatch.setattr(driver, "painted_in_waves", paint)
    monkeypatch.setattr(driver, "FilmStitches", Films)
    monkeypatch.setattr(driver, "live_frames", nullcontext)
    facts: dict[str, Any] = {"eligibility": Eligibility(), "gate": SimpleNamespace(max_tries=1), "painting_facts": {}}
    config = cast(DubConfig, SimpleNamespace(store_uri=str(store), **facts))
    (row,) = driver.paint_and_stitch(planned, config, lambda event: None)
    return row


def delivered(row: Row) -> tuple[list[tuple[str, str | None]], str]:
    """What is said of each face of a shot, and what its film's delivery is known by."""
    said = [(one["verdict"], one["reason"]) for one in row["verdicts"]]
    return said, manifest_key(row, [row], EncodeConfig(), {})


def test_a_face_that_was_found_hidden_is_no_dub_when_its_shot_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = two_heard()
    assert [one["verdict"] for one in planned["verdicts"].to_pylist()[0]] == ["dub", "dub"]

    first = delivered(ran(planned, tmp_path, monkeypatch, [1]))
    again = delivered(ran(planned, tmp_path, monkeypatch, None))

    assert first[0] == [("dub", None), ("leave", "mouth_hidden")]
    assert again == first


def test_a_stored_shot_takes_the_names_of_the_plan_of_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = two_heard()
    ran(planned, tmp_path, monkeypatch, [1])
    row = planned.to_pylist()[0]
    named = [one | {"person": "Ana"} for one in row["verdicts"]]

    again = ran(pa.Table.from_pylist([row | {"verdicts": named}], schema=PLANNED_SHOT), tmp_path, monkeypatch, None)

    assert [(one["person"], one["verdict"]) for one in again["verdicts"]] == [("Ana", "dub"), ("Ana", "leave")]
