"""What people look at of a delivered film: its report, contact sheets and proxies, written into the delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.film_review import delivery_folder, frame_pairs, track_sheets, write_proxies
from jobs.finished import FinishedFilm, final_plan
from jobs.portraits import portraits
from jobs.report import ReportPictures, film_report
from jobs.tally import StageCount
from jobs.timeline import film_timeline
from pipelines.cue_sheet import stored_lines
from pipelines.delivery import read_manifest
from pipelines.stage import Row

REPORT_NAME, REVIEW_FOLDER, TIMELINE_NAME = "report.html", "review", "timeline.png"
SHEETS_ARTIFACT = "contact_sheets"


@dataclass(frozen=True, slots=True)
class FilmPage:
    """Writes it on the worker that stitches the film, before the delivery appears."""

    plan: list[Row]  # PLAN rows of the film, as planned
    people: list[Row]  # PEOPLE rows of the film
    stages: dict[str, StageCount]  # what its stages did so far

    def __call__(self, film: Row, shots: Sequence[Row], folder: Path) -> None:
        """Write report.html, timeline.png and review/.

        Args:
            film: DUBBED_FILM; its film lies in the folder.
            shots: JUDGED_SHOT, in order.
            folder: the delivery that is being filled.
        """
        done = FinishedFilm(film=film, shots=list(shots), plan=final_plan(self.plan, shots), stitched=True)
        (folder / REVIEW_FOLDER).mkdir()
        write_proxies(folder / REVIEW_FOLDER, film, shots)
        sheets, timeline = list(track_sheets(shots)), film_timeline(shots)
        for sheet in sheets:
            (folder / REVIEW_FOLDER / sheet.name).write_bytes(sheet.png)
        (folder / TIMELINE_NAME).write_bytes(timeline)
        heads, frames = list(portraits(shots)), list(frame_pairs(film, shots))
        pictures = ReportPictures(timeline=timeline, people=heads, sheets=sheets, frames=frames)
        lines = stored_lines(film["lines_uri"])
        manifest = read_manifest(folder) or {}
        page = film_report(film, done.plan, self.people, self.stages, pictures, done.notice, lines, manifest)
        (folder / REPORT_NAME).write_text(page, encoding="utf-8")


def page_files(out: Path, film: Row) -> dict[Path, str]:
    """The files of a delivery that people look at, and the artifact folder of each."""
    folder = delivery_folder(out, film)
    review = sorted((folder / REVIEW_FOLDER).glob("*.*"))
    files = {path: SHEETS_ARTIFACT if path.suffix == ".png" else REVIEW_FOLDER for path in review}
    return files | {path: "" for path in (folder / REPORT_NAME, folder / TIMELINE_NAME) if path.exists()}
