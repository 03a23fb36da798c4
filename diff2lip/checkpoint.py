"""Weights, configuration and lineage in one safetensors file."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from diff2lip.config import ModelConfig
from diff2lip.unet import Denoiser

CONFIG_KEY, LINEAGE_KEY = "diff2lip.config", "diff2lip.lineage"


class CheckpointError(ValueError):
    """A file that is no checkpoint of ours, or whose weights do not fit its configuration."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to paint, and what made it."""

    denoiser: Denoiser
    lineage: dict[str, str]
    digest: str  # SHA-256 of the file


def save_checkpoint(path: Path, denoiser: Denoiser, lineage: dict[str, str], dtype: torch.dtype) -> None:
    """Write weights in `dtype` with configuration and lineage as metadata."""
    weights = {name: tensor.to(dtype).contiguous().cpu() for name, tensor in denoiser.state_dict().items()}
    metadata = {CONFIG_KEY: json.dumps(denoiser.config.to_dict()), LINEAGE_KEY: json.dumps(lineage)}
    save_file(weights, str(path), metadata=metadata)


def read_config(path: Path) -> ModelConfig:
    """The configuration of a checkpoint, without its weights.

    Raises:
        CheckpointError: the file says nothing of a configuration.
    """
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
    if CONFIG_KEY not in metadata:
        raise CheckpointError(f"{path.name} holds no diff2lip configuration; was it written by `diff2lip`?")
    return ModelConfig.from_dict(json.loads(metadata[CONFIG_KEY]))


def load_checkpoint(path: Path) -> Checkpoint:
    """The model of a checkpoint in float32 and eval mode.

    Raises:
        CheckpointError: weights are missing, unknown or of another shape; all are named.
    """
    config = read_config(path)
    with safe_open(str(path), framework="pt") as file:
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - not a dict
        lineage = json.loads(file.metadata().get(LINEAGE_KEY, "{}"))
    denoiser = Denoiser(config)
    check_weights(denoiser, weights)
    denoiser.load_state_dict(weights)
    return Checkpoint(denoiser.eval(), lineage, hashlib.sha256(path.read_bytes()).hexdigest())


def check_weights(denoiser: Denoiser, weights: dict[str, torch.Tensor]) -> None:
    """Refuse weights that do not fit, naming every key.

    Raises:
        CheckpointError: with expected and found shapes.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in denoiser.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = [
        f"{name}: expected {wanted.get(name, 'nothing')}, found {found.get(name, 'nothing')}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} tensors do not fit the {denoiser.config.name} model:\n" + "\n".join(wrong)
        )
