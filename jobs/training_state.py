"""A training on disk: how it is written so that it can go on, and read again."""

import errno
import io
import shutil
from pathlib import Path
from typing import Any

import torch

from pipelines.storage import write_whole

STATE_NAME = "state.pt"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFullError(Exception):
    """A checkpoint for which there is no room: the one before stays, and learning goes on."""


def write_state(folder: Path, state: dict[str, Any]) -> Path:
    """Write a state whole or not at all.

    Args:
        folder: where.
        state: tensors and plain values.

    Raises:
        DiskFullError: there is no room.
    """
    sink = io.BytesIO()
    torch.save(state, sink)
    path = folder / STATE_NAME
    try:
        write_whole(path, sink.getvalue())
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFullError(f"no room for a checkpoint of {sink.tell() >> 20} MiB in {folder}: {error}") from error
    return path


def require_room(folder: Path, size_bytes: int) -> None:
    """Refuse to begin a checkpoint that the disk of a folder has no room for.

    Raises:
        DiskFullError: there is no room.
    """
    free = shutil.disk_usage(folder).free
    if free < size_bytes:
        raise DiskFullError(f"no room for a checkpoint in {folder}: {size_bytes >> 20} MiB wanted, {free >> 20} free")


def read_state(folder: Path, device: torch.device) -> dict[str, Any]:
    """What `write_state` wrote; nothing in the file is run.

    Raises:
        FileNotFoundError: there is none.
    """
    state: dict[str, Any] = torch.load(folder / STATE_NAME, map_location=device, weights_only=True)
    return state
