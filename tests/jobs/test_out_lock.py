"""A folder of deliveries is held by one process, and let go however that process ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.out_lock import OutInUseError, held_out

HOLDER = """
import sys, pathlib
from jobs.out_lock import held_out
with held_out(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_another_process_holds_is_refused_until_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutInUseError, match=f"process {holder.pid} "), held_out(tmp_path / "out"):
            pass
        holder.kill()
        holder.wait()
        with held_out(tmp_path / "out"):
            pass


def test_it_is_free_again_after_a_block_that_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held_out(tmp_path):
        raise ZeroDivisionError
    with held_out(tmp_path):
        pass
