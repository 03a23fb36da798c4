"""The passes of the dub as jobs call them; `jobs/dub_pipeline.py` runs them on Ray."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

from pipelines.progress import Listener
from pipelines.stage import Row


class DubPipeline(Protocol):
    """The passes of the dub, ready to run."""

    settings: dict[str, Any]  # what the runs record
    model_digest: str

    def running(self) -> AbstractContextManager[None]: ...

    def analyse(self, films: pa.Table, listener: Listener) -> pa.Table:
        """TRACKED_SHOT. Films that could not be analysed are left out: `paint_and_stitch` says why."""

    def plan(self, tracked: pa.Table) -> pa.Table: ...

    def plan_table(self, planned: pa.Table) -> pa.Table: ...

    def edit(self, planned: pa.Table, edited: pa.Table) -> pa.Table: ...

    def paint_and_stitch(self, planned: pa.Table, listener: Listener, code: Mapping[str, str]) -> Iterator[Row]: ...
