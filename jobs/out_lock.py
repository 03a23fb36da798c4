"""One job at a time writes into a folder of deliveries."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_NAME = ".lock"


class OutInUseError(Exception):
    """Another job holds the folder, or it cannot be held; says what to do."""


@contextmanager
def held_out(out: Path) -> Iterator[None]:
    """Make the folder and hold it until the block ends. The system lets go when the process dies, however it dies.

    Raises:
        OutInUseError: another process holds it.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOCK_NAME).open("a+") as file:  # it stays: a lock on a file that is deleted holds nobody off
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutInUseError(
                f"{out} is in use by {_holder(file.name)}: wait for it, or take another --out"
            ) from error
        except OSError as error:
            raise OutInUseError(f"{out} cannot be locked ({error}): take an --out on another file system") from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _holder(path: str) -> str:
    return Path(path).read_text().strip() or "another job"
