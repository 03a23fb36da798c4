"""Networks to and from checkpoints: weights, configuration and lineage in one safetensors file."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from diff2lip.config import ModelConfig
from diff2lip.errors import CheckpointError as CheckpointError
from diff2lip.precision import convolution_tensors
from diff2lip.syncnet import Expert, ExpertConfig, Judge
from diff2lip.unet import UNet
from diff2lip.weights_file import (
    Header,
    Kind,
    check_weights,
    file_digest,
    read_header,
    read_weights,
    write_weights,
)

CROP_KEY = "crop"  # in the lineage of an expert: what it was trained on


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to paint, and what made it."""

    denoiser: UNet
    lineage: dict[str, str]
    digest: str  # SHA-256 of the file


def save_checkpoint(path: Path, denoiser: UNet, lineage: dict[str, str], dtype: torch.dtype = torch.float32) -> str:
    """Write weights with configuration and lineage as metadata; returns the digest of the file.

    Args:
        path: the safetensors file to write.
        denoiser: what is saved.
        lineage: what made it.
        dtype: of the convolutions, as in published half precision; all else is kept in float32.

    Raises:
        CheckpointError: a weight is not finite in `dtype`.
    """
    halved = convolution_tensors(denoiser)
    weights = {
        name: tensor.to(dtype if name in halved else torch.float32) for name, tensor in denoiser.state_dict().items()
    }
    header = Header(kind=Kind.DENOISER, config=denoiser.config.to_dict(), lineage=lineage)
    return write_weights(path, header, weights)


def read_config(path: Path) -> ModelConfig:
    """The configuration of a checkpoint, without its weights.

    Raises:
        CheckpointError: the file says nothing of a configuration, or is none of a denoiser.
    """
    return ModelConfig.from_dict(read_header(path, Kind.DENOISER).config)


def read_lineage(path: Path, kind: Kind) -> dict[str, str]:
    """What made a checkpoint, without its weights.

    Raises:
        CheckpointError: it holds another network.
    """
    return read_header(path, kind).lineage


def load_checkpoint(path: Path) -> Checkpoint:
    """The model of a checkpoint in float32 and eval mode.

    Raises:
        CheckpointError: weights are missing, unknown or of another shape; all are named.
    """
    header = read_header(path, Kind.DENOISER)
    denoiser = UNet(ModelConfig.from_dict(header.config))
    _fill(denoiser, path, f"{denoiser.config.name} model")
    return Checkpoint(denoiser, header.lineage, file_digest(path))


def save_expert(path: Path, expert: Expert, lineage: dict[str, str]) -> str:
    """Write an expert as it is; returns the digest of the file."""
    header = Header(kind=Kind.EXPERT, config=expert.config.to_dict(), lineage=lineage)
    return write_weights(path, header, expert.state_dict())


def load_expert(path: Path) -> Expert:
    """The expert of a checkpoint in float32 and eval mode.

    Raises:
        CheckpointError: it holds another network, or weights that do not fit; all are named.
    """
    expert = Expert(ExpertConfig.from_dict(read_header(path, Kind.EXPERT).config))
    _fill(expert, path, f"{expert.config.name} expert")
    return expert


def load_judge(path: Path) -> Judge:
    """The judge of a checkpoint in float32 and eval mode.

    Raises:
        CheckpointError: it holds another network, or weights that do not fit; all are named.
    """
    read_header(path, Kind.JUDGE)
    judge = Judge()
    _fill(judge, path, "judge")
    return judge


def _fill(network: nn.Module, path: Path, name: str) -> None:
    weights = read_weights(path)
    check_weights(network, weights, name)
    network.load_state_dict(weights)
    network.eval()
