"""What a person changed of the plan: the rows of an edited PLAN table are followed, or refused as a whole."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipelines.eligibility import Eligibility
from pipelines.hand_lines import Asked, with_hand_lines
from pipelines.plan import plan_table, with_verdicts
from pipelines.stage import Row
from schemas.reason import Cover, Reason, Verdict, closed_word
from schemas.shot import PLANNED_SHOT
from schemas.timing import same_time

HIDDEN = (Reason.MOUTH_HIDDEN, Reason.TEXT_ON_MOUTH)
PlanKey = tuple[str, int, int | None]  # dub_id, shot_index, track_index: names a row of PLAN
ShotKey = tuple[str, int]  # dub_id, shot_index


def apply_edits(planned: pa.Table, edited: pa.Table, eligibility: Eligibility | None = None) -> pa.Table:
    """The plan with the verdicts of an edited PLAN table; rows that it leaves out stay as they are.

    A track whose verdict was changed to leave has the reason `by_hand`, or `over_budget` where a budget did it. Who is
    painted though the plan did not dub it gets lines as `with_hand_lines` says; so does who is painted `by_hand`.
    That stays the reason of the verdict: the plan that is written of it says the same again.

    Args:
        planned: PLANNED_SHOT.
        edited: PLAN.
        eligibility: from which score on a face may be heard.

    Raises:
        ValueError: lists every row that the plan does not have, that is there twice, that is of other cuts or faces,
            whose verdict or reason is unknown, or that has no face to paint.
    """
    rows = planned.to_pylist()
    known = {_key(line): line for line in plan_table(planned).to_pylist()}
    edits = edited.to_pylist()
    problems = _problems(known, edits)
    if problems:
        raise ValueError("the edited plan cannot be followed:\n" + "\n".join(problems))
    wanted: dict[ShotKey, dict[int, Row]] = defaultdict(dict)
    for edit in edits:
        wanted[edit["dub_id"], edit["shot_index"]][edit["track_index"]] = edit | {
            "reason": closed_word(edit["reason"])
        }
    rules = eligibility or Eligibility()
    edited = [_edited(row, wanted[row["dub_id"], row["shot_index"]], rules) for row in rows]
    return pa.Table.from_pylist(edited, schema=PLANNED_SHOT)


def _key(line: Mapping[str, Any]) -> PlanKey:
    return line["dub_id"], line["shot_index"], line["track_index"]


def _problems(known: Mapping[PlanKey, Row], edits: list[Row]) -> list[str]:
    problems: list[str] = []
    seen: set[PlanKey] = set()
    allowed = [verdict.value for verdict in Verdict]
    for number, edit in enumerate(edits, start=1):
        key = _key(edit)
        name = f"row {number} (dub {(key[0] or 'none')[:12]}, shot {key[1]}, track {key[2]})"
        if key not in known:
            problems.append(f"{name}: the plan has no such row")
        elif key in seen:
            problems.append(f"{name}: is there twice")
        elif told := _other_times(edit, known[key]):
            problems.append(f"{name}: the shot {told}: the plan is of other cuts, so plan anew")
        elif (edit["faces"] or "").strip() not in ("", known[key]["faces"]):
            problems.append(
                f"{name}: the shot's faces are others than those of the plan, or counted otherwise: plan anew"
            )
        elif edit["verdict"] not in allowed:
            problems.append(f"{name}: verdict must be {', '.join(allowed)}, got {edit['verdict']!r}")
        elif closed_word(edit["reason"]) not in {"", *Reason}:
            problems.append(
                f"{name}: reason must be {Reason.BY_HAND}, empty or as it was in the plan, got {edit['reason']!r}"
            )
        elif known[key]["reason"] == Reason.CAST and known[key]["verdict"] == Verdict.LEAVE != edit["verdict"]:
            problems.append(
                f"{name}: the catalog's cast list leaves {known[key]['person'] or 'this person'} as filmed"
            )
        elif key[2] is None and edit["verdict"] != Verdict.LEAVE:
            problems.append(f"{name}: the shot has no face that could be painted, so its verdict stays leave")
        seen.add(key)
    return problems


def _other_times(edit: Row, line: Row) -> str:
    """What of an edited row's time is not that of the plan; nothing where it fits, or says none."""
    moved = [side for side in ("start", "end") if not same_time(edit[side], line[side])]
    return " and ".join(f"{side}s at {line[side]}, not {edit[side]}" for side in moved)


def _edit_reason(edit: Row) -> Reason | None:
    """Why a verdict that was changed is what it is."""
    if edit["verdict"] == Verdict.DUB:
        return Reason.BY_HAND if _says_so(edit) else None
    is_budget = edit["verdict"] == Verdict.LEAVE and edit["reason"] == Reason.OVER_BUDGET
    return Reason.OVER_BUDGET if is_budget else Reason.BY_HAND


def _faces(track: Row) -> list[Row]:
    """What of its covers are faces that pass in front: a mouth is never painted on one of them."""
    return [cover for cover in track["covers"] if cover["kind"] == Cover.FACE]


def _edited(row: Row, mine: Mapping[int, Row], rules: Eligibility) -> Row:
    changed = [_decided(verdict, mine.get(verdict["track_index"])) for verdict in row["verdicts"]]
    pairs = list(zip(row["verdicts"], changed, strict=True))
    # Who wants a mouth painted that was left because it is hidden, has seen that it is not.
    free = {old["track_index"] for old, new in pairs if _is_changed(old, new) and _was_hidden(old)}
    tracks = [one | {"covers": _faces(one)} if one["track_index"] in free else one for one in row["tracks"]]
    edited = with_verdicts(row | {"tracks": tracks}, changed)
    painted = [(old, new) for old, new in pairs if new["verdict"] != Verdict.LEAVE]
    heard = {new["track_index"] for old, new in painted if _is_changed(old, new)}
    whole = {new["track_index"] for _, new in painted if _says_so(mine.get(new["track_index"]))}
    return with_hand_lines(edited, Asked(heard, whole), rules)


def _decided(verdict: Row, edit: Row | None) -> Row:
    """The verdict as it is edited; one that stays, and is a person's own as the edit says, is by hand from now on."""
    if edit is None:
        return verdict
    is_cast = verdict["verdict"] == Verdict.LEAVE and verdict["reason"] == Reason.CAST
    if edit["verdict"] == verdict["verdict"] and (is_cast or not _says_so(edit)):
        return verdict
    return verdict | {"verdict": Verdict(edit["verdict"]), "reason": _edit_reason(edit), "measured": None}


def _says_so(edit: Row | None) -> bool:
    """Whether a person has written that the verdict is theirs."""
    return edit is not None and edit["reason"] == Reason.BY_HAND


def _is_changed(old: Row, new: Row) -> bool:
    return bool(old["verdict"] != new["verdict"])


def _was_hidden(verdict: Row) -> bool:
    return verdict["reason"] in HIDDEN and verdict["verdict"] == Verdict.LEAVE
