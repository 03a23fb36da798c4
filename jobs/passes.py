"""The passes of the dub as jobs call them; `jobs/dub_pipeline.py` runs them on Ray."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

from pipelines.analysis import Analysis
from pipelines.paint_rate import PaintRate
from pipelines.progress import Listener
from pipelines.stage import Row
from pipelines.stitch import Review


class DubPipeline(Protocol):
    """The passes of the dub, ready to run."""

    settings: dict[str, Any]  # what the runs record
    model_digest: str
    store_uri: str  # of intermediates

    def running(self) -> AbstractContextManager[None]: ...

    def analyse(self, films: pa.Table, listener: Listener) -> Analysis: ...

    def plan(self, tracked: pa.Table) -> pa.Table: ...

    def plan_table(self, planned: pa.Table) -> pa.Table: ...

    def people_table(self, planned: pa.Table) -> pa.Table: ...

    def paint_rate(self) -> PaintRate: ...

    def re_encoded_share(self, planned: pa.Table) -> float: ...

    def edit(self, planned: pa.Table, edited: pa.Table) -> pa.Table: ...

    def shared_lines(self, planned: pa.Table) -> list[str]: ...

    def paint_and_stitch(
        self, planned: pa.Table, listener: Listener, code: Mapping[str, str], review: Review
    ) -> Iterator[Row]: ...
