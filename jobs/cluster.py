"""The Ray that a job runs on: one of its own on this machine, or a cluster that is there."""

import logging
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from pipelines.placement import MIN_CPUS

OBJECT_STORE_BYTES = 512 << 20  # rows hold facts, not pixels: a small store is enough
SHARED_MEMORY, SHARE_OF_FREE = Path("/dev/shm"), 0.8


@contextmanager
def ray_cluster(address: str | None = None, store_bytes: int = OBJECT_STORE_BYTES) -> Iterator[None]:
    """Connect to Ray for the time of a job; a Ray that this process has already is used as it is.

    Args:
        address: of a cluster; None takes RAY_ADDRESS (set inside a Ray job), else starts one here.
        store_bytes: what the object store of one started here should hold: see `store_that_fits`.
    """
    prepare_ray(address)
    import ray

    if ray.is_initialized():
        yield
        return
    address = address or os.environ.get("RAY_ADDRESS") or None
    if address:
        ray.init(address=address, log_to_driver=False, logging_level=logging.WARNING)
    else:
        _start_local(store_that_fits(store_bytes))
    with redirect_stdout(sys.stderr):  # Ray tells of workers that died on stdout, which belongs to results
        try:
            yield
        finally:
            ray.shutdown()


def store_that_fits(wanted: int) -> int:
    """Bytes of an object store: what is wanted, at most most of the shared memory that is free, never below the usual.

    Ray refuses to start with a large store that shared memory does not hold, and puts a smaller one on the disk.
    """
    room = int(SHARE_OF_FREE * shutil.disk_usage(SHARED_MEMORY).free) if SHARED_MEMORY.is_dir() else wanted
    return max(min(wanted, room), OBJECT_STORE_BYTES)


def _start_local(store_bytes: int) -> None:
    import ray

    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")  # nobody takes this machine away
    ray.init(
        address="local",
        num_cpus=max(MIN_CPUS, os.cpu_count() or 1),
        include_dashboard=False,
        object_store_memory=store_bytes,
        log_to_driver=False,
        logging_level=logging.WARNING,
    )


def prepare_ray(address: str | None = None) -> None:
    """Settings of Ray that it reads when it is first imported: call this before.

    A Ray of our own gets a token of this process alone: nothing is written to the home folder, and no other
    user can connect.
    """
    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")  # jobs/progress.py shows our own
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # workers use the environment that is there
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its advice on actors that our stages do not need
    if address or os.environ.get("RAY_ADDRESS"):
        return
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if os.environ["RAY_AUTH_MODE"] == "token" and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
