"""What the analysis pass found out."""

from dataclasses import dataclass

import pyarrow as pa

from pipelines.stage import Row


@dataclass(frozen=True, slots=True)
class Analysis:
    """The facts of all shots, and the films of which shots were lost.

    Attributes:
        shots: TRACKED_SHOT rows in the order of the films and their shots.
        lost: DUBBED_FILM rows with their `failure`: a stage failed on a shot, and again when it was tried anew.
    """

    shots: pa.Table
    lost: list[Row]
