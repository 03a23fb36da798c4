"""The passes of the dub as a job runs them: on Ray, with the settings that a person gave."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from diff2lip.checkpoint import read_lineage
from diff2lip.weights_file import Kind
from jobs.cluster import ray_cluster
from jobs.dub import DubOutcome, DubRequest, run_dub
from jobs.model_reference import resolve_model
from jobs.overrides import OverrideError, override, override_keys
from jobs.plan_cells import PlanUnreadableError
from jobs.progress import Display
from jobs.re_encoded import re_encoded_share
from jobs.work_folder import work_uri
from pipelines.analysis import Analysis
from pipelines.assets import cache_folder
from pipelines.cast_list import cast_list
from pipelines.ctc_words import fetch_aligners
from pipelines.cue_sheet import stored_lines
from pipelines.driver import analyse, paint_and_stitch
from pipelines.dub import DubConfig, plain
from pipelines.paint_rate import PaintRate
from pipelines.people_table import people_table
from pipelines.placement import placements
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from pipelines.progress import Listener
from pipelines.rate_meter import paint_rate
from pipelines.run_stage import check_cluster
from pipelines.shared_lines import shared_lines
from pipelines.spoken_lines import spoken_lines
from pipelines.stage import Row
from pipelines.stitch import Review
from pipelines.whisper_words import fetch_whisper

FIXED = ("store_uri", "out_dir", "model_path")  # said by options of their own, not by --set


class RayDubPipeline:
    """`pipelines/driver.py` behind the names that jobs use."""

    def __init__(self, config: DubConfig, address: str | None) -> None:
        self._config, self._address = config, address
        self.settings: dict[str, Any] = plain(config)
        self.model_digest = config.model_digest
        self.store_uri = config.store_uri

    @contextmanager
    def running(self) -> Iterator[None]:
        with ray_cluster(self._address):
            check_cluster(placements(self._config.detector.device))
            yield

    def analyse(self, films: pa.Table, listener: Listener) -> Analysis:
        if self._config.words.align and self._config.words.ctc:
            fetch_aligners(films["language"].to_pylist())
        if self._config.words.recognise:
            fetch_whisper()
        return analyse(films, self._config, listener)

    def plan(self, tracked: pa.Table) -> pa.Table:
        named = zip(tracked["cast_uri"].to_pylist(), tracked["cast_digest"].to_pylist(), strict=True)
        casts = {uri: cast_list(Path(uri), digest) for uri, digest in sorted({pair for pair in named if pair[0]})}
        places = sorted(set(tracked["lines_uri"].to_pylist()) - {None})
        sheets = {uri: stored_lines(uri) for uri in places}
        columns = ["lines_uri", "script_uri", "script_digest"]
        scripted = {tuple(row.values()) for row in tracked.select(columns).to_pylist()}
        scripts = {uri: spoken_lines(None, uri, digest) for sheet, uri, digest in scripted if uri and not sheet}
        return plan_shots(tracked, self._config.eligibility, casts, sheets, scripts)

    def plan_table(self, planned: pa.Table) -> pa.Table:
        return plan_table(planned, self._config.eligibility)

    def people_table(self, planned: pa.Table) -> pa.Table:
        return people_table(planned, self._config.eligibility)

    def paint_rate(self) -> PaintRate:
        return paint_rate(self._config)

    def re_encoded_share(self, planned: pa.Table) -> float:
        return re_encoded_share(planned.to_pylist(), self._config.eligibility)

    def edit(self, planned: pa.Table, edited: pa.Table) -> pa.Table:
        try:
            return apply_edits(planned, edited, self._config.eligibility)
        except ValueError as error:
            raise PlanUnreadableError(str(error)) from error

    def shared_lines(self, planned: pa.Table) -> list[str]:
        return list(shared_lines(planned.to_pylist(), self._config.eligibility))

    def paint_and_stitch(
        self, planned: pa.Table, listener: Listener, code: Mapping[str, str], review: Review
    ) -> Iterator[Row]:
        return paint_and_stitch(planned, self._config, listener, code=code, review=review)


def open_pipeline(
    store_uri: str,
    out: Path,
    model: str,
    settings: Sequence[str],
    address: str | None = None,
    tracking_uri: str | None = None,
) -> RayDubPipeline:
    """The pipeline with its configuration checked; nothing runs yet.

    Raises:
        ModelUnavailableError: the model reference leads nowhere.
        TrackingError: it names a registered model, and the store cannot be reached.
        OverrideError: a setting does not fit.
        CheckpointError: the file of `speaking.expert` holds something else.
    """
    path = resolve_model(model, tracking_uri).path
    config = DubConfig(store_uri=store_uri, out_dir=str(out.absolute()), model_path=str(path))
    config = _overridden(config, settings)
    if config.speaking.expert:
        read_lineage(config.speaking.path, Kind.EXPERT)
    return RayDubPipeline(config, address)


def setting_keys() -> list[str]:
    """Every key that `--set` takes."""
    return [key for key in override_keys(DubConfig(store_uri="", out_dir="", model_path="")) if key not in FIXED]


def plan_store(out: Path | None, work: str | None) -> str:
    """Where a plan keeps intermediates: where a dub into the same folder finds them, or in the user's cache."""
    return work_uri(work, str(out or "")) if out or work else str(cache_folder() / "work")


def dub_here(request: DubRequest, display: Display | None = None) -> DubOutcome:
    """Dub a catalog on this machine's Ray or on the cluster that the request names."""
    pipeline = open_pipeline(
        request.store_uri, request.out, request.model, request.settings, request.address, request.tracking_uri
    )
    return run_dub(request, pipeline, display)


def _overridden(config: DubConfig, settings: Sequence[str]) -> DubConfig:
    for setting in settings:
        if setting.partition("=")[0] in FIXED:
            raise OverrideError(f"{setting}: known keys are {', '.join(setting_keys())}")
    return override(config, settings)
