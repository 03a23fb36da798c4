"""A training that came to its end: whether its checkpoint is kept, and what is remembered until it is registered."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from diff2lip.expert_learner import has_learnt
from jobs.command import FAILED
from jobs.expert_offsets import RIVAL_LOSS
from jobs.recipes import Kind
from jobs.train_request import TrainOutcome
from pipelines.storage import file_digest, whole_file, write_whole

ENDED_NAME = "ended.json"
OVER = ("trained", "surpassed")  # all other ends are gone on from by the same command
UNTRAINED = (
    "the expert has learnt nothing: its held-out loss is {:.3f}, and one half for everything gives 0.693. It teaches "
    "nobody; what it is lies in {}. The same command with a longer --for learns on; look at offsets and confidence of "
    "the clips too"
)
SURPASSED = (
    "the expert that was there stays: on the same held-out windows its loss is {:.3f}, that of the new one {:.3f}"
)


def finished_outcome(outcome: TrainOutcome, kind: Kind, model: Path, kept: Path) -> TrainOutcome:
    """The outcome of a training that came to its end: its checkpoint is kept, but an expert must have earned it.

    One that has learnt nothing is put aside, for a training to go on from; one that is worse than its rival is not
    kept at all.

    Args:
        outcome: with figures on held-out windows.
        kind: of network.
        model: the checkpoint in the run's storage.
        kept: where it is put, by one rename; what was there before stays when it is not kept.
    """
    if kind is Kind.SYNCNET:
        held, rival, aside = outcome.figures["held_loss"], outcome.figures.get(RIVAL_LOSS), untrained_path(kept)
        if not has_learnt(held):
            _put(model, aside)
            return unfinished_outcome(outcome, "untrained", UNTRAINED.format(held, aside.name))
        aside.unlink(missing_ok=True)
        if rival is not None and rival < held:
            return replace(outcome, status="surpassed", notices=[*outcome.notices, SURPASSED.format(rival, held)])
    _put(model, kept)
    return replace(outcome, model=str(kept), digest=file_digest(kept))


def untrained_path(kept: Path) -> Path:
    """Where an expert is put that has learnt nothing yet, beside where it would be kept."""
    return kept.with_suffix(f".untrained{kept.suffix}")


def _put(model: Path, kept: Path) -> None:
    with whole_file(kept) as unfinished:
        shutil.copyfile(model, unfinished)


def unfinished_outcome(outcome: TrainOutcome, status: str, words: str) -> TrainOutcome:
    """The outcome of a training that the same command goes on with, and why."""
    return replace(outcome, exit_code=FAILED, status=status, notices=[*outcome.notices, words])


def remember_ended(folder: Path, outcome: TrainOutcome) -> None:
    """Keep what came of a training in its folder: from then on only MLflow is missing."""
    write_whole(folder / ENDED_NAME, json.dumps(asdict(outcome), indent=2).encode())


def ended_before(folder: Path) -> TrainOutcome | None:
    """What a call before kept, if its checkpoint is still there as it was."""
    path = folder / ENDED_NAME
    if not path.is_file():
        return None
    outcome = TrainOutcome(**json.loads(path.read_text()))
    model = Path(outcome.model)
    return outcome if model.is_file() and file_digest(model) == outcome.digest else None
