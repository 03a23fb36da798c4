"""A checkpoint's file: safetensors with the kind of network, its configuration and its lineage as metadata."""

import hashlib
import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from diff2lip.errors import CheckpointError

KIND_KEY, CONFIG_KEY, LINEAGE_KEY = "diff2lip.kind", "diff2lip.config", "diff2lip.lineage"
METADATA_KEY = "__metadata__"  # of the format
LENGTH_BYTES = 8  # before the header, little-endian


class Kind(StrEnum):
    """Which network the weights are of."""

    DENOISER = "denoiser"
    EXPERT = "expert"
    JUDGE = "judge"


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a file says of its weights."""

    kind: Kind
    config: dict[str, Any]
    lineage: dict[str, str]


def write_weights(path: Path, header: Header, weights: dict[str, Tensor]) -> str:
    """Write a checkpoint: by one rename, and the same bytes for the same weights and header.

    Returns:
        The SHA-256 of the file.

    Raises:
        CheckpointError: weights are not finite; all are named.
    """
    wrong = [name for name, tensor in weights.items() if not tensor.isfinite().all()]
    if wrong:
        raise CheckpointError(f"weights that are not finite in this precision: {', '.join(wrong)}")
    metadata = {KIND_KEY: header.kind.value, CONFIG_KEY: json.dumps(header.config)}
    metadata |= {LINEAGE_KEY: json.dumps(header.lineage)}
    partial = path.with_name(path.name + ".part")
    try:
        save_file({name: _own(tensor) for name, tensor in weights.items()}, str(partial), metadata)
        _sort_metadata(partial)
        digest = file_digest(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return digest


def read_header(path: Path, kind: Kind) -> Header:
    """What a checkpoint says of its weights, without reading them; a file that names no kind holds a denoiser.

    Raises:
        CheckpointError: no safetensors file, no configuration of ours, or another kind of network.
        FileNotFoundError: there is no file.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise CheckpointError(f"{path.name} is no whole safetensors file: {error}") from error
    if CONFIG_KEY not in metadata:
        raise CheckpointError(f"{path.name} holds no diff2lip configuration; was it written by `diff2lip`?")
    found = metadata.get(KIND_KEY, Kind.DENOISER.value)
    if found != kind.value:
        raise CheckpointError(f"{path.name} holds the weights of the {found}; those of the {kind} are needed here")
    return Header(
        kind=kind,
        config=json.loads(metadata[CONFIG_KEY]),
        lineage=json.loads(metadata.get(LINEAGE_KEY, "{}")),
    )


def read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint, floating ones in float32."""
    with safe_open(str(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def check_weights(network: torch.nn.Module, weights: dict[str, Tensor], name: str) -> None:
    """Refuse weights that do not fit, naming every key.

    Args:
        network: what they are for; on the meta device is enough.
        weights: tensors by name.
        name: of the network, for the message.

    Raises:
        CheckpointError: with expected and found shapes.
    """
    wanted = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    found = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    wrong = [
        f"{key}: expected {wanted.get(key, 'nothing')}, found {found.get(key, 'nothing')}"
        for key in sorted(wanted.keys() | found.keys())
        if wanted.get(key) != found.get(key)
    ]
    if wrong:
        raise CheckpointError(f"{len(wrong)} tensors do not fit the {name}:\n" + "\n".join(wrong))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own(tensor: Tensor) -> Tensor:
    """The tensor on the CPU in memory that no other shares, which the format asks for."""
    compact = tensor.detach().cpu().contiguous()
    return compact if compact.untyped_storage().nbytes() == compact.nbytes else compact.clone()


def _sort_metadata(path: Path) -> None:
    """Put the metadata into the order of its keys: the library writes them in another one each time."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(LENGTH_BYTES), "little")
        header = json.loads(file.read(length))
        header[METADATA_KEY] = dict(sorted(header[METADATA_KEY].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        assert len(text) <= length, "the header grew by being sorted"
        file.seek(LENGTH_BYTES)
        file.write(text.ljust(length))
