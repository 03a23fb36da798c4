"""The published files of Diff2Lip, Wav2Lip's expert and SyncNet v2 to checkpoints of ours.

Only tensors are read from them: a pickle that asks for anything else is refused.
"""

import pickle
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diff2lip.config import paper_model, parity_model
from diff2lip.errors import CheckpointError
from diff2lip.precision import DTYPES, convolution_tensors
from diff2lip.syncnet import Expert, Judge, published_expert
from diff2lip.unet import UNet
from diff2lip.weights_file import Header, Kind, check_weights, file_digest, write_weights

WRAPPER_KEY = "state_dict"  # Wav2Lip's trainer keeps the weights beside those of its optimiser
PARALLEL_PREFIX = "module."  # left by training on several GPUs
COUNTER = "num_batches_tracked"  # of batch norms; torch before 0.4.1 wrote none, and nothing reads it in eval mode
UNREADABLE = (  # what torch's reader raises for bytes that are cut off or were never weights
    pickle.UnpicklingError,
    RuntimeError,
    OSError,
    EOFError,
    struct.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
)


@dataclass(frozen=True, slots=True)
class Published:
    """A network whose weights somebody has published."""

    kind: Kind
    title: str
    config: dict[str, Any]
    build: Callable[[], nn.Module]

    def skeleton(self) -> nn.Module:
        """The network without memory for its weights."""
        with torch.device("meta"):
            return self.build()


PUBLISHED = (
    Published(Kind.DENOISER, "denoiser of Diff2Lip", paper_model().to_dict(), lambda: UNet(paper_model())),
    Published(Kind.DENOISER, "denoiser of Diff2Lip, 64 px", parity_model().to_dict(), lambda: UNet(parity_model())),
    Published(Kind.EXPERT, "lip-sync expert of Wav2Lip", published_expert().to_dict(), Expert),
    Published(Kind.JUDGE, "judge SyncNet v2", {}, Judge),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import wrote."""

    kind: Kind
    num_tensors: int
    num_parameters: int
    num_halved: int  # tensors not kept in float32
    source_digest: str  # SHA-256 of the published file
    digest: str  # SHA-256 of the file written


def import_published(path: Path, out: Path, dtype: torch.dtype = torch.float32) -> Imported:
    """Write the weights of a published file as a checkpoint with configuration and lineage.

    Args:
        path: `e7.24.1.3_model260000_paper.pt`, `lipsync_expert.pth`, `syncnet_v2.model`, under any name.
        out: the safetensors file to write.
        dtype: float32, bfloat16 or float16. As published, only convolutions are halved, and none of the denoiser's
            last layer; all else stays float32.

    Raises:
        CheckpointError: the file is empty, cut off or no weights; it holds code; it is of another architecture (every
            tensor that does not fit is named); a weight is not finite, or not in `dtype`.
        FileNotFoundError: there is no file.
        ValueError: another dtype.
    """
    if dtype not in DTYPES.values():
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype}")
    weights = read_published(path)
    published = _recognised(path, weights)
    network = published.skeleton()
    weights = _with_counters(network, weights)
    check_weights(network, weights, published.title)
    halved = convolution_tensors(network) if dtype is not torch.float32 else set()
    converted = {
        name: tensor.long() if name.endswith(COUNTER) else tensor.to(dtype if name in halved else torch.float32)
        for name, tensor in weights.items()
    }
    source_digest = file_digest(path)
    lineage = {"imported_from": path.name, "source_digest": source_digest, "dtype": _name(dtype)}
    digest = write_weights(out, Header(kind=published.kind, config=published.config, lineage=lineage), converted)
    return Imported(
        kind=published.kind,
        num_tensors=len(converted),
        num_parameters=sum(parameter.numel() for parameter in network.parameters()),
        num_halved=len(halved),
        source_digest=source_digest,
        digest=digest,
    )


def read_published(path: Path) -> dict[str, Tensor]:
    """The tensors of a PyTorch file by name, without wrapper and prefix; nothing in the file is run.

    Raises:
        CheckpointError: it is empty, cut off, holds code or no weights.
        FileNotFoundError: there is no file.
    """
    if not path.stat().st_size:
        raise CheckpointError(f"{path.name} is empty")
    with path.open("rb") as file:
        try:
            loaded = torch.load(file, map_location="cpu", weights_only=True)
        except UNREADABLE as error:
            raise CheckpointError(_unreadable_words(path, error)) from error
    if isinstance(loaded, dict) and isinstance(loaded.get(WRAPPER_KEY), dict):
        loaded = loaded[WRAPPER_KEY]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(one, Tensor) for one in loaded.values()):
        raise CheckpointError(f"{path.name} is a PyTorch file, but not of weights alone: no tensors by name in it")
    if all(str(name).startswith(PARALLEL_PREFIX) for name in loaded):
        return {str(name).removeprefix(PARALLEL_PREFIX): tensor for name, tensor in loaded.items()}
    return {str(name): tensor for name, tensor in loaded.items()}


def _recognised(path: Path, weights: dict[str, Tensor]) -> Published:
    """The published network that most names are of, if it is at least half of them."""
    shared = [len(published.skeleton().state_dict().keys() & weights.keys()) for published in PUBLISHED]
    if 2 * max(shared) < len(weights):
        first = ", ".join(list(weights)[:3])
        titles = ", ".join(published.title for published in PUBLISHED)
        raise CheckpointError(
            f"{path.name} is of another architecture: {len(weights)} tensors, the first are {first}; "
            f"what can be imported: {titles}"
        )
    return PUBLISHED[shared.index(max(shared))]


def _with_counters(network: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    wanted = [name for name in network.state_dict() if name.endswith(COUNTER)]
    return {name: torch.zeros((), dtype=torch.int64) for name in wanted} | weights


def _unreadable_words(path: Path, error: Exception) -> str:
    asked = re.search(r"GLOBAL (\S+)", str(error))
    if asked:
        return f"{path.name} asks to run {asked[1]}, so it was refused: only whole files of plain weights are imported"
    return f"{path.name} is no whole PyTorch file: it was cut off, or never was one"


def _name(dtype: torch.dtype) -> str:
    return next(name for name, one in DTYPES.items() if one is dtype)
