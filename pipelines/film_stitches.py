"""Stitches as tasks beside the painting pass: a film is begun when its last shot is in, and given back when done."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray
from ray.exceptions import RayError

from pipelines.dub import DubConfig, plain
from pipelines.inserts import VERSION as INSERTS_VERSION
from pipelines.inserts import write_inserts
from pipelines.live_frames import LiveFrames
from pipelines.people_table import people_table
from pipelines.placement import PLACEMENTS
from pipelines.plan import plan_table
from pipelines.progress import Event, Listener
from pipelines.run_stage import pool_here
from pipelines.stage import Row
from pipelines.stitch import Review, Stitched, WriteReview, stitch_film
from schemas.film import FILM
from schemas.shot import JUDGED_SHOT

MIN_AT_ONCE = 2  # films that are stitched at once, however small the machine: one writes while another is proved


def stitches_at_once() -> int:
    """How many films are stitched at once on the cluster that this process is connected to."""
    return max(MIN_AT_ONCE, pool_here(PLACEMENTS["stitch"]).actors)


class FilmStitches:
    """Counts shots, starts stitches, and gives back what is delivered."""

    def __init__(
        self,
        planned: pa.Table,
        config: DubConfig,
        listener: Listener,
        live: LiveFrames,
        code: Mapping[str, str],
        review: Review | None,
    ) -> None:
        self._planned, self._config, self._listener, self._live = planned, config, listener, live
        self._code, self._review = dict(code), review
        self._shots: dict[str, list[Row]] = defaultdict(list)
        self._stitching: dict[ray.ObjectRef[Any], tuple[Row, float]] = {}
        self._num_to_come = len(planned["dub_id"].unique())
        self._at_once = stitches_at_once()
        self._stitch = ray.remote(num_cpus=pool_here(PLACEMENTS["stitch"]).cpus, max_retries=2)(_stitched)

    def take(self, row: Row) -> Iterator[Row]:
        """One finished shot."""
        shots = self._shots[row["dub_id"]]
        shots.append(row)
        if len(shots) == row["num_shots"]:
            self._start(sorted(self._shots.pop(row["dub_id"]), key=lambda shot: int(shot["shot_index"])))
        yield from self._collect(block=len(self._stitching) >= self._at_once)

    def rest(self) -> Iterator[Row]:
        """The films whose stitch is still running."""
        assert not self._shots, f"films with missing shots: {sorted(self._shots)}"
        while self._stitching:
            yield from self._collect(block=True)

    def _start(self, shots: list[Row]) -> None:
        film = {name: shots[0][name] for name in FILM.names}
        mine = self._planned.filter(pa.compute.equal(self._planned["dub_id"], film["dub_id"]))
        plan = plan_table(mine, self._config.eligibility)
        shot_table = pa.Table.from_pylist([_unrecognisable(shot) for shot in shots], schema=JUDGED_SHOT)
        made_of: dict[str, Any] = {
            "facts": _facts(self._config),
            "code": self._code,
            "extra_files": {
                "plan.parquet": _parquet(plan),
                "people.parquet": _parquet(people_table(mine, self._config.eligibility)),
                "shots.parquet": _parquet(shot_table),
            },
            "review": partial(_beside, self._review(film) if self._review else None, self._config.inserts),
        }
        self._num_to_come -= 1
        made_of["alone"] = not self._num_to_come and not self._stitching  # of its group the last: nothing is painted
        task = self._stitch.remote(film, shots, self._config.out_dir, self._live, made_of)
        self._stitching[task] = (film, time.monotonic())

    def _collect(self, *, block: bool) -> Iterator[Row]:
        if not self._stitching:
            return
        done, _ = ray.wait(list(self._stitching), num_returns=1, timeout=None if block else 0)
        for task in done:
            film, begin = self._stitching.pop(task)
            stitched = _delivered(task, film)
            self._listener(film_event(film, "stitch", seconds=time.monotonic() - begin, cached=stitched.found))
            yield stitched.film


def _beside(review: WriteReview | None, inserts: bool, film: Row, shots: Sequence[Row], folder: Path) -> None:
    """Write what lies beside a delivered film; runs on a worker."""
    if inserts:
        write_inserts(film, shots, folder)
    if review:
        review(film, shots, folder)


def _unrecognisable(shot: Row) -> Row:
    """The shot without what faces and voices are recognised by: that is nobody's to deliver."""
    return shot | {name: [one | {"descriptor": []} for one in shot[name]] for name in ("tracks", "original_voices")}


def failed_film(film: Row, failure: str) -> Row:
    """The row of DUBBED_FILM of a film that is not delivered."""
    nothing = {
        "delivered_uri": None,
        "num_shots": 0,
        "num_shots_dubbed": 0,
        "num_frames_changed": 0,
        "num_frames_copied": 0,
    }
    return film | nothing | {"failure": failure}


def film_event(film: Row, stage: str, **facts: Any) -> Event:
    """What is told of a whole film."""
    return Event(stage=stage, title=film["title"], language=film["language"], num_frames=film["num_frames"], **facts)


def _stitched(film: Row, shots: list[Row], out_dir: str, live: LiveFrames, made_of: dict[str, Any]) -> Stitched:
    """Runs on a worker."""
    return stitch_film(film, shots, out_dir, tell=partial(live.tell, "stitch", film), **made_of)


def _delivered(task: "ray.ObjectRef[Any]", film: Row) -> Stitched:
    """What a stitch gave; a film whose stitch failed has a row that says so, and the others go on."""
    try:
        stitched: Stitched = ray.get(task)
    except RayError as error:
        return Stitched(failed_film(film, f"stitching failed: {str(error).strip().splitlines()[-1]}"), found=False)
    return stitched


def _facts(config: DubConfig) -> Row:
    facts = {"model": config.model_digest} | config.painting_facts
    facts |= {"inserts": INSERTS_VERSION} if config.inserts else {}
    return facts | {"analysis": config.analysis_facts, "eligibility": plain(config.eligibility)}


def _parquet(table: pa.Table) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
