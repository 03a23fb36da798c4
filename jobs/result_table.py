"""Results for people: tables on stdout. Results for programs are JSON, in jobs/cli.py."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.catalog import CatalogProblem
from jobs.cost import PLAN_HEADS, PlanCost, verdict_words
from jobs.doctor import Finding
from jobs.inspect_job import Inspection
from pipelines.stage import Row

if TYPE_CHECKING:
    from jobs.demo import DemoOutcome
    from jobs.dub import DubOutcome
    from pipelines.proof import Proof


PLAIN_WIDTH = 200  # columns outside a terminal, so that no path is broken


def show(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; nothing in it is read as markup. Outside a terminal it is as wide as it needs to be."""
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*[Text(_words(cell)) for cell in row])
    in_terminal = sys.stdout.isatty()
    Console(width=None if in_terminal else PLAIN_WIDTH).print(table)


def show_problems(problems: Sequence[CatalogProblem]) -> None:
    """Print all problems of a catalog, in the order of its rows."""
    rows = [(problem.row, problem.column, problem.reason.value, problem.message) for problem in problems]
    show(f"{len(problems)} problem(s) in the catalog", ["row", "column", "reason", "what is wrong"], rows)


def show_dub(outcome: "DubOutcome") -> None:
    """Print what is wrong with a catalog, and what was delivered."""
    if outcome.problems:
        show_problems(outcome.problems)
    if outcome.films:
        show_films(outcome.films, outcome.run_id, outcome.tracking_uri)


def show_films(films: Sequence[Row], run_id: str | None, tracking_uri: str | None) -> None:
    """Print what was delivered."""
    rows = [
        (
            film["title"],
            film["language"],
            f"{film['num_shots_dubbed']} of {film['num_shots']}",
            f"{film['num_frames_changed']} of {film['num_frames']}",
            film["num_frames_copied"],
            film["failure"] or film["delivered_uri"],
        )
        for film in films
    ]
    show("films", ["title", "language", "shots dubbed", "frames changed", "frames copied", "delivered"], rows)
    print(f"MLflow run {run_id} in {tracking_uri}")


def show_notices(notices: Sequence[str]) -> None:
    """Print what a person should know beside the results, to stderr."""
    for notice in notices:
        print(f"diff2lip: {notice}", file=sys.stderr)


def show_stages(stages: Sequence[Row]) -> None:
    """Print what each stage took; seconds are of its own work, so stages that ran side by side add up to more."""
    heads = ["stage", "done", "found done", "frames", "seconds", "peak MiB"]
    names = ("stage", "done", "cached", "num_frames", "seconds", "peak_mib")
    show("stages", heads, [[stage[name] for name in names] for stage in stages])


def show_people(people: Sequence[Row]) -> None:
    """Print who is seen in the films."""
    counts = ("num_shots", "num_tracks", "seen_s", "heard_s", "num_dub", "num_review", "num_leave", "frames_to_paint")
    heads = [
        "title",
        "language",
        "person",
        "shots",
        "faces",
        "seen, s",
        "heard, s",
        "dub",
        "review",
        "leave",
        "frames",
    ]
    show("people", heads, [[row[name] for name in ("title", "language", "person", *counts)] for row in people])


def show_plan(plan: Sequence[Row], cost: PlanCost, films: Sequence[Row]) -> None:
    """Print a plan, what each film holds, and what all of it would cost."""
    heads = {"title": "title", "language": "language", **PLAN_HEADS}
    show("plan", list(heads.values()), [[row[name] for name in heads] for row in plan])
    show("verdicts", ["verdict: reason", "face tracks and empty shots"], list(cost.verdicts.items()))
    if films:
        show(
            "films",
            [name.replace("_", " ") for name in films[0]],
            [[_cell(value) for value in film.values()] for film in films],
        )
    print(
        f"{cost.num_shots} shots, {cost.num_tracks} face tracks; {cost.frames_to_paint} frames to paint, "
        f"{cost.face_seconds:.1f} face-seconds; about {cost.re_encoded_share:.0%} of the picture encoded again"
    )
    rate = cost.rate
    print(
        f"painting: about {cost.wall_seconds / 60:.1f} minutes with {rate.actors} actor(s) on {rate.device} "
        f"({rate.seconds_per_frame:.3f} s a frame, measured on such a one), {cost.actor_hours:.3f} actor-hours"
    )
    measured = "in the largest dub before" if cost.cpu_rates_are_own else "the demo film takes on two other cores"
    print(f"all else, on CPUs: about {cost.cpu_hours * 60:.1f} minutes of one worker, as {measured}")
    if cost.price is not None:
        print(f"price of both, as far as an hour of it has one: {cost.price:.2f}")


def show_inspection(inspection: Inspection) -> None:
    """Print what a film is made of."""
    show("film", ["fact", "value"], [(name, value) for name, value in inspection.film.items() if name != "streams"])
    streams = inspection.film["streams"]
    show("streams", list(streams[0]), [[_cell(value) for value in stream.values()] for stream in streams])
    heads = ["shot", "pts", "start", "end", "frames", "speech, s", "face", "px", "speaking", "verdict", "reason"]
    heads.append("measured")
    show("shots", heads, [line for shot in inspection.shots for line in _shot_lines(shot)])


def _cell(value: object) -> object:
    """Several words in one cell, or how many of each, for people."""
    if isinstance(value, dict):
        return ", ".join(f"{count} {words}" for words, count in value.items())
    return ", ".join(value) if isinstance(value, list | tuple) else value


def show_findings(findings: Sequence[Finding]) -> None:
    """Print what the doctor found."""
    rows = [(_mark(one), one.name, one.found, "" if one.ok else one.remedy) for one in findings]
    show("this machine", ["", "what", "found", "to do"], rows)


def show_demo(outcome: "DemoOutcome") -> None:
    """Print what the demo made, whether its proof holds, and what to look at next."""
    show_films(outcome.dub.films, outcome.dub.run_id, outcome.dub.tracking_uri)
    show_notices(outcome.dub.notices)
    counts = Counter(verdict_words(row) for row in outcome.dub.plan)
    show("verdicts", ["verdict: reason", "face tracks and empty shots"], list(counts.items()))
    show_stages(outcome.dub.stages)
    for proof in outcome.proofs:
        print(f"verified: {proof.verdict if proof.holds else 'A PROOF DOES NOT HOLD'} ({proof.delivered})")
    print(
        f"{outcome.seconds:.0f} s. Reports: {outcome.out}/*/*/report.html. Runs: diff2lip review --out {outcome.out}"
    )


def show_proof(proof: "Proof") -> None:
    """Print every check, and whether all hold."""
    rows = [("ok" if check.ok else "FAILS", check.name, check.detail) for check in proof.checks]
    show(f"{proof.source} -> {proof.delivered}", ["", "check", "found"], rows)
    if proof.facts:
        show("facts", ["fact", "value"], list((proof.facts | _worst_run(proof.facts.get("runs", []))).items()))
    print(proof.verdict)


def _worst_run(runs: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Of a film that talks throughout there are hundreds: `--json` has them all."""
    if not runs:
        return {}
    return {"runs": f"{len(runs)}, the one that differs most: {min(runs, key=lambda run: run['psnr_db_min'])}"}


def _shot_lines(shot: dict[str, Any]) -> list[list[object]]:
    span = f"{shot['start_pts']}..{shot['end_pts']}"
    place = [shot["shot_index"], span, shot["start"], shot["end"], shot["num_frames"], shot["speech_s"]]
    if not shot["tracks"]:
        return [[*place, "", "", "", "leave", shot["reason"], ""]]
    names = ("track_index", "face_height_px", "speaking_score", "verdict", "reason", "measured")
    return [[*place, *(track[name] for name in names)] for track in shot["tracks"]]


def _mark(finding: Finding) -> str:
    if finding.ok:
        return "ok"
    return "LACKS" if finding.needed else "-"


def _words(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
