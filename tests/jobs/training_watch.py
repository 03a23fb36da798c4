"""Watches a training that runs, to do something to it at a certain step."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from jobs.train_fit import read_told
from jobs.train_worker import TOLD_NAME


def when_at(out: Path, step: int, act: Callable[[Path, int], None]) -> threading.Thread:
    """Do something to the running training when it has told of a step: its folder and first worker are given."""

    def watch() -> None:
        for _ in range(4800):
            for told in (out / "diff2lip" / "nights").glob(f"*/{TOLD_NAME}"):
                said = read_told(told)
                if said["step"] >= step:
                    act(told.parent, said["process"])
                    return
            time.sleep(0.1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread
