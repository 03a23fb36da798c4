"""The network of a training: built with its frozen judges, and saved as a checkpoint that says what made it."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from diff2lip.checkpoint import (
    CROP_KEY,
    load_checkpoint,
    load_expert,
    read_config,
    read_lineage,
    save_checkpoint,
    save_expert,
)
from diff2lip.config import CropConfig
from diff2lip.expert_learner import ExpertLearner
from diff2lip.learner import Learner, Wrap
from diff2lip.painter_learner import PainterLearner
from diff2lip.perceptual import load_st_lpips
from diff2lip.syncnet import Expert
from diff2lip.weights_file import Kind as FileKind
from jobs.recipes import Kind, Recipe
from jobs.train_plan import TrainPlan
from jobs.training_errors import ExpertMismatchError, ParentMismatchError


def build_learner(plan: TrainPlan, device: torch.device, wrap: Wrap) -> Learner:
    """The learner of a plan, from its parent's weights where it has one."""
    recipe = plan.recipe
    if recipe.kind is Kind.SYNCNET:
        teacher = ExpertLearner(recipe.expert, device, wrap)
        if plan.parent is not None:
            teacher.warm_start(load_expert(Path(plan.parent)))
        return teacher
    expert = None if plan.expert is None else load_expert(Path(plan.expert))
    perceptual = None if plan.perceptual is None else load_st_lpips(Path(plan.perceptual))
    learner = PainterLearner(recipe.painter, device, wrap, expert, perceptual)
    if plan.parent is not None:
        learner.warm_start(load_checkpoint(Path(plan.parent)).denoiser)
    return learner


def save_network(path: Path, learner: Learner, plan: TrainPlan, step: int) -> str:
    """Write the averaged weights with what made them; returns the digest."""
    lineage = {"recipe": plan.recipe.name, "steps": str(step), "mlflow_run": plan.run_id}
    lineage[CROP_KEY] = json.dumps(asdict(plan.recipe.crop))
    if isinstance(learner, PainterLearner):
        return save_checkpoint(path, learner.average, lineage)
    assert isinstance(learner, ExpertLearner)
    return save_expert(path, learner.average, lineage)


def check_parent(path: Path, recipe: Recipe) -> None:
    """Look whether a training can begin from the weights of a file.

    Raises:
        CheckpointError: the file holds something else.
        ExpertMismatchError: an expert that was trained on other crops.
        ParentMismatchError: the network is another one; names what differs.
    """
    if recipe.kind is Kind.DIFF2LIP:
        theirs, ours = read_config(path).to_dict(), recipe.painter.model.to_dict()
    else:
        theirs, ours = check_expert(path, recipe).config.to_dict(), recipe.expert.expert.to_dict()
    differs = [f"{name} {theirs[name]}, not {ours[name]}" for name in ours if theirs[name] != ours[name]]
    if [one for one in differs if not one.startswith("name ")]:
        raise ParentMismatchError(
            f"recipe {recipe.name} cannot begin from {path.name}, whose network has {'; '.join(differs)}: take the "
            "recipe of that network, or begin from other weights"
        )


def check_expert(path: Path, recipe: Recipe) -> Expert:
    """The expert of a file, if it may judge the crops of a recipe.

    Raises:
        CheckpointError: the file holds something else.
        ExpertMismatchError: it was trained on other crops.
    """
    expert = load_expert(path)
    said = read_lineage(path, FileKind.EXPERT).get(CROP_KEY)
    if said is None:
        return expert  # a published one: of whole faces, which its user knows
    crop = CropConfig(**json.loads(said))
    ours = recipe.crop
    if (crop.left, crop.top, crop.width) != (ours.left, ours.top, ours.width):
        raise ExpertMismatchError(
            f"{path.name} was trained on crops from {crop.left}, {crop.top}, {crop.width} wide in the face frame; "
            f"recipe {recipe.name} has {ours.left}, {ours.top}, {ours.width}: train an expert on these first"
        )
    return expert
