"""The table of the people of films: who is seen and heard how long, and what becomes of their mouths."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import num_frames_to_paint
from pipelines.stage import Row
from pipelines.verdict import heard_samples
from schemas.reason import Verdict
from schemas.shot import PEOPLE
from schemas.timing import ANALYSIS_RATE_HZ, fraction


@dataclass(frozen=True, slots=True)
class Appearance:
    """One face track of a person."""

    shot: Row  # PLANNED_SHOT
    track: Row  # TRACK_FACTS
    verdict: Verdict
    person: str


def appearances(shots: Sequence[Row]) -> Iterator[Appearance]:
    """Every face track of which it is known who it is.

    Args:
        shots: PLANNED_SHOT or wider.
    """
    for shot in shots:
        decided = {verdict["track_index"]: verdict for verdict in shot["verdicts"]}
        for track in shot["tracks"]:
            verdict = decided[track["track_index"]]
            if verdict["person"] is not None:
                yield Appearance(shot, track, Verdict(verdict["verdict"]), verdict["person"])


def people_table(planned: pa.Table, eligibility: Eligibility | None = None) -> pa.Table:
    """PEOPLE of PLANNED_SHOT rows: film after film, whoever is seen longest first."""
    rules, shots = eligibility or Eligibility(), planned.to_pylist()
    people: dict[tuple[str, str], list[Appearance]] = defaultdict(list)
    for one in appearances(shots):
        people[one.shot["dub_id"], one.person].append(one)
    order = {shot["dub_id"]: place for place, shot in enumerate(shots)}
    lines = [_person_row(seen, rules) for seen in people.values()]
    lines.sort(key=lambda line: (order[line["dub_id"]], -line["seen_s"], line["person"]))
    return pa.Table.from_pylist(lines, schema=PEOPLE)


def _person_row(seen: Sequence[Appearance], rules: Eligibility) -> Row:
    shot, verdicts = seen[0].shot, [one.verdict for one in seen]
    ticks = sum(one.track["end_pts"] - one.track["start_pts"] for one in seen)
    heard = sum(heard_samples(one.shot, one.track, rules).total for one in seen)
    painted = [one for one in seen if one.verdict is not Verdict.LEAVE]
    return {
        **{name: shot[name] for name in ("dub_id", "title", "language")},
        "person": seen[0].person,
        "num_shots": len({one.shot["shot_index"] for one in seen}),
        "num_tracks": len(seen),
        "seen_s": round(float(ticks * fraction(shot["time_base"])), 3),
        "heard_s": round(heard / ANALYSIS_RATE_HZ, 3),
        **{f"num_{verdict.value}": verdicts.count(verdict) for verdict in Verdict},
        "frames_to_paint": sum(num_frames_to_paint(one.shot, one.track, rules) for one in painted),
    }
