"""Why a mix, or music and effects, stays where it lies is seen by whoever plans and whoever dubs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.delivered_sound import sound_section
from jobs.dub import run_dub
from jobs.plan_job import PlanRequest, run_plan
from jobs.result_table import show_notices
from pipelines.analysis import Analysis
from pipelines.progress import Listener
from schemas.film import CONFORM
from tests.jobs.test_dub import TwoShotPipeline, catalog, folder, request, store

__all__ = ["folder", "store"]

WHY = "not moved: its lag is not known, 3 of 9 stretches of the film agree, 6 contradict; see that"
UNSURE: dict[str, Any] = {field.name: None for field in CONFORM} | {"moved": False, "detail": WHY, "name": ""}
UNSURE |= {"lag_s": 0.5, "rate": 1.0, "num_windows": 9, "num_clear": 9, "num_agreeing": 3}


class UnsurePipeline(TwoShotPipeline):
    """As it is where a sound that is shared with the film is not surely found."""

    def __init__(self, out: Path, column: str) -> None:
        super().__init__(out)
        self._column = column

    def analyse(self, films: pa.Table, listener: Listener) -> Analysis:
        found = super().analyse(films, listener)
        rows = [row | {self._column: UNSURE} for row in found.shots.to_pylist()]
        return replace(found, shots=pa.Table.from_pylist(rows, schema=found.shots.schema))


@pytest.mark.parametrize(("column", "name"), [("conform", "mix"), ("me_conform", "me_stem")])
def test_why_a_sound_is_not_moved_is_seen_in_what_plan_and_dub_print(
    folder: Path, tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str], column: str, name: str
) -> None:
    rows = ("harbour.mp4,es,dub.wav",)

    planned = run_plan(PlanRequest(catalog=catalog(folder, *rows)), UnsurePipeline(tmp_path, column))
    dubbed = run_dub(request(folder, tmp_path, store, *rows), UnsurePipeline(tmp_path, column))

    for outcome in (planned, dubbed):
        show_notices(outcome.notices)
        assert f"diff2lip: harbour es: its {name} is {WHY}" in capsys.readouterr().err


@pytest.mark.parametrize(("column", "name"), [("conform", "mix"), ("me_conform", "me_stem")])
def test_why_a_sound_is_not_moved_is_seen_in_the_report(column: str, name: str) -> None:
    track = {"mix": "as_delivered", "layout": "stereo", "sample_rate_hz": 48_000, "codec": "aac", "peak": 0.5}
    manifest = {"conform": None, "me_conform": None, "sounds": [], "dub_track": track} | {column: UNSURE}

    assert f"Its {name} is {WHY}; as delivered its lag is not known." in sound_section(manifest)
