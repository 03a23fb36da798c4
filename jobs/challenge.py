"""A challenger meets the champion: both paint the same held-out list, and what is decided is written down."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import ray

from diff2lip.bootstrap import FEWEST
from diff2lip.config import CropConfig, SamplerConfig
from jobs.held_file import Held, kept_held_list
from jobs.progress import Display
from jobs.promotion import Decision, decide
from jobs.recipes import Kind
from jobs.registry import ModelVersion, crown, fetch_weights, find_champion, tag_version
from jobs.train_fit import cpu_threads, has_gpus, worker_env
from jobs.train_material import TrainMaterial
from jobs.work_folder import WORK_NAME, seen_by_all
from pipelines.held_exam import HeldExam
from pipelines.held_list import held_digest
from pipelines.progress import Event
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key, file_digest, read_table
from pipelines.stretch_index import BrokenRowError

STAGE = "challenge"
VERSION = 5  # raised when the same model and list give other figures
AGAINST_PARENT = "there was no champion, so against its parent"
ALREADY = "it is the champion already"
NO_CHAMPION = "there was no champion: the first one"
TAGS = "diff2lip.challenge."
SHOWN = (
    "mouth_psnr_db",
    "shuffled_psnr_db",
    "copied_psnr_db",
    "opening_correlation",
    "loudness_correlation",
    "leakage",
    "flicker_ratio",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """What came of a comparison."""

    decision: Decision
    champion: str  # reference of who was champion before; empty where nobody was
    figures: dict[str, float]  # means of both
    document: dict[str, Any]  # all of it, for the run
    notices: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exam:
    """What is the same for both."""

    held: Held
    picture: CropConfig
    store_uri: str
    threads: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sheet:
    """What a model got for one entry of the list."""

    name: str
    num_frames: int
    figures: Row | None  # None: its row is broken
    broken: str = ""
    seconds: float
    found: bool  # it was worked out before


def challenge(
    tracking_uri: str, challenger: ModelVersion, model: Path, material: TrainMaterial, out: Path, display: Display
) -> Challenge:
    """Compare a registered version with the champion, and make it champion if it is better.

    While there is no champion, the weights that the training began from stand in; without them the first one wins.
    Runs on the Ray that this process is connected to, on a GPU where it has one. The list is chosen once and kept in
    `out`: later nights are measured on the same frames.

    Raises:
        TrackingError: the store cannot be reached.
        ModelUnavailableError: the champion's weights are not those that were registered.
    """
    settings = material.recipe.challenge
    held, said = kept_held_list(out, read_table(material.held_uri), settings)
    exam = _Exam(
        held=held, picture=material.picture, store_uri=str((out / WORK_NAME).absolute()), threads=cpu_threads(1)
    )
    before = find_champion(tracking_uri, challenger.name)
    if before is not None and before.reference == challenger.reference:
        return _crowned_before(challenger)
    opponent = material.parent if before is None else fetch_weights(tracking_uri, before)
    opponent = None if opponent is None else seen_by_all(opponent, out / Kind.DIFF2LIP.value)
    display.expect(STAGE, len(held) * (1 if opponent is None else 2))
    sheets = [list(_examined(path, exam, display)) for path in (model.absolute(), opponent) if path is not None]
    (ours, *others), broken = _of_whole_rows(sheets)
    theirs = others[0] if others else None
    decision = Decision(promoted=True, reason=NO_CHAMPION) if theirs is None else decide(theirs, ours, settings)
    if before is None and opponent is not None:
        decision = replace(decision, reason=f"{AGAINST_PARENT}: {decision.reason}")
    names = {"champion": theirs, "challenger": ours}
    document = {
        "decision": asdict(decision),
        "held_list": held_digest([one for one, _ in held]),
        "broken": broken,
        "champion_version": "" if before is None else before.reference,
        "challenger_version": challenger.reference,
        **names,
    }
    _write_down(tracking_uri, challenger, decision, document)
    figures = {f"{STAGE}/{who}_{name}": value for who, rows in names.items() for name, value in _means(rows or [])}
    return Challenge(
        decision=decision,
        champion="" if before is None else before.reference,
        figures=figures | {f"{STAGE}/promoted": float(decision.promoted)},
        document=document,
        notices=[*said, *_notices(broken, decision, ours)],
    )


def _crowned_before(champion: ModelVersion) -> Challenge:
    """Of a job that was killed after it had decided: the version has its tags already."""
    decision = Decision(promoted=True, reason=ALREADY)
    return Challenge(
        decision=decision,
        champion=champion.reference,
        figures={f"{STAGE}/promoted": 1.0},
        document={"decision": asdict(decision), "challenger_version": champion.reference},
        notices=[],
    )


def _examined(model: Path, exam: _Exam, display: Display) -> Iterator[_Sheet]:
    """What a model gets for each entry, as it is worked out."""
    sheets = ray.remote(_examine).options(
        num_returns="streaming", num_gpus=int(has_gpus()), num_cpus=1, runtime_env=worker_env()
    )
    for reference in sheets.remote(str(model), exam):
        sheet: _Sheet = ray.get(reference)
        event = Event(
            stage=STAGE,
            title=sheet.name,
            num_frames=sheet.num_frames,
            seconds=sheet.seconds,
            cached=sheet.found,
            message=sheet.broken,
        )
        display(event)
        yield sheet


def _examine(model: str, exam: _Exam) -> Iterator[_Sheet]:
    """In a process of Ray."""
    store, digest = ObjectStore(exam.store_uri), file_digest(Path(model))
    examiner = HeldExam(Path(model), SamplerConfig(), exam.picture, store, exam.threads)
    for held, row in exam.held:
        begin, broken = time.monotonic(), ""
        facts = {"model": digest, "held": asdict(held), "stretch": row, "settings": asdict(SamplerConfig())}
        key = content_key("held-figures", VERSION, facts | {"instruments": examiner.instruments})
        found = store.has(key)
        try:
            if not found:
                store.put_json(key, examiner.examine(held, row))
        except BrokenRowError as error:
            broken = str(error)
        yield _Sheet(
            name=held.name,
            num_frames=held.num_frames,
            figures=None if broken else store.get_json(key),
            broken=broken,
            seconds=time.monotonic() - begin,
            found=found,
        )


def _of_whole_rows(sheets: Sequence[Sequence[_Sheet]]) -> tuple[list[list[Row]], list[str]]:
    """HELD_FIGURES of each model, of the entries that all could be measured on; and the names of the others."""
    broken = sorted({sheet.name for of_model in sheets for sheet in of_model if sheet.figures is None})
    whole = [[sheet.figures for sheet in of_model if sheet.name not in broken] for of_model in sheets]
    return [[row for row in rows if row is not None] for rows in whole], broken


def _write_down(tracking_uri: str, version: ModelVersion, decision: Decision, document: dict[str, Any]) -> None:
    """Tags on the version whatever was decided; the alias last, so that no champion is without its reason."""
    tags = {
        f"{TAGS}decision": "promoted" if decision.promoted else "not promoted",
        f"{TAGS}reason": decision.reason,
        f"{TAGS}champion": document["champion_version"],
        f"{TAGS}held_list": document["held_list"],
    }
    tag_version(tracking_uri, version, tags)
    if decision.promoted:
        crown(tracking_uri, version)


def _means(rows: Sequence[Row]) -> list[tuple[str, float]]:
    values = {name: [row[name] for row in rows if row[name] is not None] for name in (*SHOWN, "identity_distance")}
    return [(name, sum(found) / len(found)) for name, found in values.items() if found]


def _notices(broken: list[str], decision: Decision, ours: list[Row]) -> list[str]:
    notices = [f"of the held-out list these rows are broken: {', '.join(broken)}"] if broken else []
    if decision.unmeasured:
        notices.append(f"nothing guards {', '.join(decision.unmeasured)}: it was not measured")
    if decision.hardly_measured:
        notices.append(f"{', '.join(decision.hardly_measured)}: measured of fewer than {FEWEST} people")
    means = dict(_means(ours))
    if means.get("mouth_psnr_db", 0.0) < means.get("copied_psnr_db", 0.0):
        notices.append("the mouths it paints are further from the truth than the reference laid there as it is")
    return notices
