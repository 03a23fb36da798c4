"""A film that the passes have finished: what became of its shots, which may be less than was planned."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobs.delivered_picture import encoded_whole, left_out
from jobs.delivered_sound import clipping
from jobs.film_review import delivered_manifest, delivered_shots
from jobs.gate_section import held_back
from jobs.hidden_mouths import all_hidden, hidden_faces
from jobs.tally import Tally
from pipelines.stage import Row
from schemas.reason import Reason, Verdict

BROKEN = (Reason.WORKER_DIED, Reason.UNDECODABLE)  # not decided by the plan: something went wrong


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishedFilm:
    """One film in one language, delivered or failed."""

    film: Row  # DUBBED_FILM
    shots: list[Row]  # JUDGED_SHOT of the delivery; none when it failed
    plan: list[Row]  # PLAN, with the reasons that the shots have in the end
    stitched: bool  # in this run; otherwise the delivery was found done
    manifest: Row = field(default_factory=dict)  # of the delivery; empty when there is none

    @property
    def name(self) -> str:
        """Title and language."""
        return f"{self.film['title']} {self.film['language']}"

    @property
    def delivery(self) -> str:
        """Digest of what the delivery was made of; empty when there is none."""
        return str(self.manifest.get("key", ""))

    @property
    def broken(self) -> Counter[str]:
        """Shots that keep their original picture though nobody decided so, by reason."""
        return Counter(str(shot["reason"]) for shot in self.shots if shot["reason"] in BROKEN)

    @property
    def failed(self) -> bool:
        """Whether a person has to look at it."""
        return bool(self.film["failure"] or self.broken)

    @property
    def notices(self) -> list[str]:
        """What a person must know of a film that is delivered."""
        told = [
            line
            for tell in (clipping, encoded_whole, left_out, held_back, all_hidden)
            if (line := tell(self.manifest))
        ]
        return [self.notice] * bool(self.notice) + [f"{self.name}: {line}" for line in told]

    @property
    def notice(self) -> str:
        """The same of a film with broken shots; else empty."""
        counts = ", ".join(f"{count} x {reason}" for reason, count in self.broken.items())
        remedy = "delivered with their original picture; the same command tries lost shots again"
        return f"{self.name}: shots that could not be worked on ({counts}) are {remedy}" if counts else ""


def finished_film(out: Path, film: Row, plan: Sequence[Row], tally: Tally) -> FinishedFilm:
    """What became of a film.

    Args:
        out: folder of deliveries.
        film: DUBBED_FILM.
        plan: PLAN rows of all films, as planned.
        tally: has counted the film's stitch.
    """
    shots = [] if film["failure"] else delivered_shots(out, film)
    rows = [row for row in plan if row["dub_id"] == film["dub_id"]]
    stitch = tally.of_film(film["title"], film["language"]).get("stitch")
    return FinishedFilm(
        film=film,
        shots=shots,
        plan=final_plan(rows, shots),
        stitched=stitch is None or stitch.done > stitch.cached,
        manifest={} if film["failure"] else delivered_manifest(out, film),
    )


def final_plan(plan: Sequence[Row], shots: Sequence[Row]) -> list[Row]:
    """PLAN rows with what became of them.

    A row that was to be painted in a shot that kept its original picture is left, for the reason of the shot; one
    whose face was found to be hidden, for that.
    Where a shot is broken and no row says so, all of its rows do: it must not go unseen.
    """
    reasons = {shot["shot_index"]: shot["reason"] for shot in shots if shot["reason"]}
    hidden = {(shot["shot_index"], index): Reason.MOUTH_HIDDEN for shot in shots for index in hidden_faces(shot)}
    rows = [
        _final(row, hidden.get((row["shot_index"], row["track_index"]), reasons.get(row["shot_index"])))
        for row in plan
    ]
    said = {row["shot_index"] for row in rows if row["reason"] in BROKEN}
    unsaid = {index: reason for index, reason in reasons.items() if reason in BROKEN and index not in said}
    return [row | {"reason": unsaid.get(row["shot_index"], row["reason"])} for row in rows]


def _final(row: Row, reason: str | None) -> Row:
    waits = row["verdict"] == Verdict.REVIEW and reason == Reason.GATE_FAILED  # another face of it was judged
    if reason is None or waits or row["verdict"] == Verdict.LEAVE:
        return dict(row)
    return row | {"verdict": Verdict.LEAVE.value, "reason": str(reason), "frames_to_paint": 0}
