"""The MLflow record of a job, which may be lost on the way without losing a delivery."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.delivered_picture import picture_metrics
from jobs.delivered_sound import sound_metrics
from jobs.finished import FinishedFilm
from jobs.gate_section import gate_metrics
from jobs.lineage import JobRun, TrackingError
from jobs.report import shots_by_reason
from jobs.tally import StageCount, Tally
from pipelines.cue_sheet import stored_lines
from pipelines.stage import Row

DELIVERY_TAG = "diff2lip.delivery"  # digest of what the delivery was made of


class JobRecord:
    """Writes until the tracking store fails; then it says so once and writes no more."""

    def __init__(self, run: JobRun, tally: Tally) -> None:
        self._run, self._tally = run, tally
        self.lost = ""  # why nothing more is recorded

    @property
    def run_id(self) -> str:
        """Of the job's run."""
        return self._run.run_id

    def film(self, done: FinishedFilm, files: dict[Path, str]) -> None:
        """The run of one film.

        Args:
            done: the film.
            files: what people look at, and the artifact folder of each; left out when the delivery was found
                done and a finished run shows it.
        """
        self._keep(lambda: self._write_film(done, files))

    def finish(self, films: Sequence[FinishedFilm], *, failed: bool) -> None:
        """The job's own figures, and its end."""
        if films:
            self._keep(lambda: self._run.log_metrics(_job_metrics(films, self._tally)))
        self._keep(lambda: self._run.finish(failed=failed or bool(self.lost)))

    def _write_film(self, done: FinishedFilm, files: dict[Path, str]) -> None:
        film = done.film
        shown = not done.stitched and self._run.is_recorded({DELIVERY_TAG: done.delivery})
        tags = {"diff2lip.dub_id": film["dub_id"], DELIVERY_TAG: done.delivery}
        run = self._run.open_film(film["title"], film["language"], tags)
        run.log_metrics(_film_metrics(done, self._tally))
        if film["failure"]:
            run.log_json("failure.json", {"failure": film["failure"]})
        else:
            facts = {"delivered": film["delivered_uri"], "film_id": film["film_id"], "found_done": not done.stitched}
            run.log_params(facts)
        for path, folder in ({} if shown else files).items():
            run.log_file(path, folder)
        run.finish(failed=done.failed)

    def _keep(self, write: Callable[[], None]) -> None:
        if self.lost:  # each try at a server that is gone costs minutes
            return
        try:
            write()
        except TrackingError as error:
            self.lost = f"{error}; films are delivered all the same, but their runs are not complete"


def _film_metrics(done: FinishedFilm, tally: Tally) -> dict[str, float]:
    film = done.film
    counts = ("num_shots", "num_shots_dubbed", "num_frames", "num_frames_changed", "num_frames_copied")
    metrics: dict[str, float] = {name: float(film[name]) for name in counts}
    metrics |= gate_metrics(done.shots)
    metrics |= _tracks(done.plan) | {"shots_broken": float(done.broken.total())}
    if lines := stored_lines(film["lines_uri"]):
        metrics |= {"lines": float(len(lines)), "lines_flawed": float(sum(bool(line["flaw"]) for line in lines))}
    metrics |= sound_metrics(done.manifest) | picture_metrics(done.manifest)
    stages: dict[str, StageCount] = tally.of_film(film["title"], film["language"])
    return metrics | {f"seconds.{stage}": count.seconds for stage, count in stages.items()}


def _job_metrics(films: Sequence[FinishedFilm], tally: Tally) -> dict[str, float]:
    metrics = {
        "films": float(len(films)),
        "films_failed": float(sum(bool(done.film["failure"]) for done in films)),
        "frames_changed": float(sum(done.film["num_frames_changed"] for done in films)),
        "shots_broken": float(sum(done.broken.total() for done in films)),
    }
    metrics |= gate_metrics([shot for done in films for shot in done.shots])
    metrics |= _tracks([row for done in films for row in done.plan])
    for stage, count in tally.of_job().items():
        metrics |= {
            f"seconds.{stage}": count.seconds,
            f"cached.{stage}": float(count.cached),
            f"peak_mib.{stage}": count.peak_mib,
        }
    return metrics


def _tracks(plan: Sequence[Row]) -> dict[str, float]:
    return {f"tracks.{reason}": float(count) for reason, count in shots_by_reason(plan).items()}
