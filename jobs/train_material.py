"""What a training needs before it begins: its recipe, data and judges, all looked at before anything is written."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from diff2lip.config import CropConfig
from diff2lip.errors import CheckpointError
from jobs.overrides import override
from jobs.recipes import Kind, Recipe, find_recipe
from jobs.train_request import MODEL_NAMES, TrainRequest
from jobs.training_errors import (
    ExpertMismatchError,
    ExpertMissingError,
    ParentMismatchError,
    PictureMismatchError,
    WorkersError,
)
from jobs.training_network import check_expert, check_parent
from jobs.work_folder import WORK_NAME
from pipelines.assets import asset_path
from pipelines.storage import ObjectStore, content_key, file_digest
from pipelines.stretch_index import stretch_index
from pipelines.training_set import TrainingSet, open_training_set
from pipelines.training_window import PUBLISHED_SIZE_PX, TRAINING_WINDOW, TrainingCrop

VERSIONS = {Kind.SYNCNET: 2, Kind.DIFF2LIP: 1}  # raised when the same recipe and data give other weights
INDEX_VERSION = 1
PERCEPTUAL_ASSET = "st-lpips-alexnet"
SEED_LETTERS = 6  # of a parent's digest


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainMaterial:
    """Everything that decides the weights of a training."""

    recipe: Recipe
    data: TrainingSet
    picture: CropConfig  # what the pictures show
    learn_uri: str  # STRETCH rows
    held_uri: str
    num_learnt: int  # stretches
    num_held: int
    expert: Path | None
    perceptual: Path | None
    parent: Path | None
    rival: Path | None  # of an expert: the one in `out` that it would replace, where they can be compared
    left_out: Counter[str]  # clips by reason
    facts: dict[str, Any]  # of all that decides the weights; not the time: that may be added to

    @property
    def digest(self) -> str:
        """Of the facts."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()


def gather(request: TrainRequest) -> TrainMaterial:
    """Look at everything that a training needs.

    Raises:
        UnknownRecipeError, OverrideError: no such recipe or setting.
        WorkersError: more workers than a batch has blocks.
        TrainingSetError, NoStretchesError: no data, or nothing left of them.
        PictureMismatchError: the pictures do not hold what the network looks at.
        ExpertMissingError, ExpertMismatchError, CheckpointError: the objective's expert is not there or another one.
        ParentMismatchError: the weights to begin from are another network's.
        AssetUnavailableError: the perceptual network cannot be had.
    """
    recipe = _seeded(override(find_recipe(request.kind, request.recipe), request.settings), request.parent)
    _require_workers(request, recipe)
    if request.parent is not None:
        check_parent(request.parent, recipe)
    data = open_training_set(request.data)
    index, left_out = stretch_index(data, recipe.thresholds, recipe.held)
    expert = _expert_path(request, recipe)
    wants_perceptual = recipe.kind is Kind.DIFF2LIP and recipe.painter.weights.perceptual
    facts = {
        "version": VERSIONS[recipe.kind],
        "recipe": {name: value for name, value in asdict(recipe).items() if name != "challenge"},
        "data": data.digest,
        "expert": None if expert is None else file_digest(expert),
        "parent": None if request.parent is None else file_digest(request.parent),
    }
    picture, perceptual = _picture(data, recipe), asset_path(PERCEPTUAL_ASSET) if wants_perceptual else None
    learn_uri, held_uri = (_stored(request.out, part) for part in _parts(index))
    return TrainMaterial(
        recipe=recipe,
        data=data,
        picture=picture,
        learn_uri=learn_uri,
        held_uri=held_uri,
        num_learnt=len(index) - sum(index.column("held_out").to_pylist()),
        num_held=sum(index.column("held_out").to_pylist()),
        expert=expert,
        perceptual=perceptual,
        parent=request.parent,
        rival=_rival(request, recipe),
        left_out=left_out,
        facts=dict(json.loads(json.dumps(facts))),
    )


def _seeded(recipe: Recipe, parent: Path | None) -> Recipe:
    """A night that begins from another one's weights sees other windows and noise than that one did."""
    if parent is None:
        return recipe
    seed = recipe.seed + int(file_digest(parent)[:SEED_LETTERS], 16)
    if recipe.kind is Kind.SYNCNET:
        return replace(recipe, expert=replace(recipe.expert, seed=seed))
    return replace(recipe, painter=replace(recipe.painter, seed=seed))


def _require_workers(request: TrainRequest, recipe: Recipe) -> None:
    blocks = recipe.run.batch // recipe.run.block
    most = request.most_workers or request.workers
    if most > blocks:
        raise WorkersError(
            f"{most} workers cannot share a batch of {blocks} blocks: take at most {blocks}, or raise run.batch "
            f"({recipe.run.batch}) or lower run.block ({recipe.run.block})"
        )


def _picture(data: TrainingSet, recipe: Recipe) -> CropConfig:
    """What the pictures of a data set show, in the face frame."""
    if data.crop is TrainingCrop.TRACKED:
        return TRAINING_WINDOW
    if recipe.crop.mask_top != 0.5:
        raise PictureMismatchError(
            f"recipe {recipe.name} looks at a part of the face, and the pictures of {data.place} are of the "
            "published box: cut the clips anew with --crop tracked"
        )
    return replace(recipe.crop, size_px=PUBLISHED_SIZE_PX)


def _parts(index: pa.Table) -> tuple[pa.Table, pa.Table]:
    held = pc.field("held_out")
    return index.filter(~held), index.filter(held)


def _stored(out: Path, stretches: pa.Table) -> str:
    """Under what they say, which is also where the shards lie: a data set that was moved is another table."""
    store = ObjectStore(str((out / WORK_NAME).absolute()))
    return store.put_table(content_key("stretches", INDEX_VERSION, {"rows": stretches.to_pylist()}), stretches)


def _expert_path(request: TrainRequest, recipe: Recipe) -> Path | None:
    """The expert that the objective wants, checked; None where it wants none."""
    if recipe.kind is Kind.SYNCNET or not recipe.painter.weights.sync:
        return None
    path = request.expert or request.out / MODEL_NAMES[Kind.SYNCNET]
    if not path.is_file():
        raise ExpertMissingError(
            f"recipe {recipe.name} wants a lip-sync expert, and there is no {path}: run `diff2lip train syncnet` "
            "first, give one with --expert, or do without by --set painter.weights.sync=0"
        )
    check_expert(path, recipe)
    return path


def _rival(request: TrainRequest, recipe: Recipe) -> Path | None:
    kept = request.out / MODEL_NAMES[Kind.SYNCNET]
    return kept if recipe.kind is Kind.SYNCNET and is_of_recipe(kept, recipe) else None


def is_of_recipe(path: Path, recipe: Recipe) -> bool:
    """Whether a file is there and holds weights of a recipe's own network."""
    try:
        check_parent(path, recipe)
    except (FileNotFoundError, CheckpointError, ExpertMismatchError, ParentMismatchError):
        return False
    return True
