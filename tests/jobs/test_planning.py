"""Films are planned, and what a person's plan asks for in vain is said."""

from typing import Any, cast

import pyarrow as pa

from jobs.passes import DubPipeline
from jobs.planning import plan_films
from pipelines.analysis import Analysis
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from schemas.film import FILM
from schemas.shot import PLAN, TRACKED_SHOT
from tests.planned_rows import shot, track


class OneShot:
    """Passes that find one shot in a film."""

    def __init__(self, row: dict[str, Any]) -> None:
        self._row = row

    def analyse(self, films: pa.Table, listener: object) -> Analysis:
        return Analysis(pa.Table.from_pylist([self._row], schema=TRACKED_SHOT), [])

    plan = staticmethod(plan_shots)
    plan_table = staticmethod(plan_table)
    edit = staticmethod(apply_edits)

    def shared_lines(self, planned: pa.Table) -> list[str]:
        return []


def notices(row: dict[str, Any]) -> list[str]:
    """What is said of shots of a film of one shot whose first face a person sets to dub."""
    films = pa.Table.from_pylist([row], schema=FILM)
    lines = plan_table(plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT))).to_pylist()
    edits = pa.Table.from_pylist([lines[0] | {"verdict": "dub"}], schema=PLAN)
    told = plan_films(cast(DubPipeline, OneShot(row)), films, lambda event: None, edits).notices
    return [notice for notice in told if "shot 0" in notice]


def test_a_face_that_a_person_dubs_in_vain_is_told_with_its_cause() -> None:
    (told,) = notices(shot(track(), dub_speech=[], original_speech=[]))

    assert told.startswith("film es: shot 0 at 00:00:00.000: dub of face 0 changes no picture: ")
    assert told.endswith("nothing to paint: no speech while it is seen")


def test_a_face_that_is_painted_needs_no_word() -> None:
    assert notices(shot(track())) == []
    assert notices(shot(track(speaking_score=0.1))) == []
