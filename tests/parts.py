"""Runs the tests in three processes: those on the local Ray wait much for its workers, the others run meanwhile.

    python -m tests.parts [ARGUMENTS OF PYTEST]

Each process reads its own files alone. Those on Ray are one chain, the longest: the others give way to them. What
comes of the first of the others is shown as it comes, the rest when all are done.
"""

import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest

NOTHING = pytest.ExitCode.NO_TESTS_COLLECTED
PART_NAME = "D2L_TEST_PART"  # of the environment
ON_RAY, OTHERS = "ray", ("0", "1")
EVEN = 1  # where names begin to be counted: with this the two took as long as one another, when it was chosen
GIVES_WAY = ("nice", "-n", "5")
ASKS_FOR_RAY = re.compile(r"\bray: ModuleType")  # a parameter: the fixture of `conftest.py`


def is_of_part(path: Path, part: str) -> bool:
    """Whether a file has tests of a part; every file is of one of the others, and some are of that on Ray too.

    Args:
        path: of a file with tests.
        part: `ON_RAY` or one of `OTHERS`.
    """
    if part == ON_RAY:
        return bool(ASKS_FOR_RAY.search(path.read_text(encoding="utf-8")))
    return crc32(path.name.encode(), EVEN) % len(OTHERS) == int(part)


def command(part: str, arguments: list[str]) -> list[str]:
    """Of pytest for the tests of a part."""
    python = [sys.executable, "-m", "pytest"]
    marked = [*python, "-m", "ray"] if part == ON_RAY else [*GIVES_WAY, *python, "-m", "not ray"]
    return [*marked, *arguments]


def verdict(codes: list[int]) -> int:
    """Of all: that no test was found is one only where none found any."""
    if all(code == NOTHING for code in codes):
        return NOTHING
    return next((code for code in codes if code not in (0, NOTHING)), 0)


def main(arguments: list[str]) -> int:
    """Run all parts; the exit code is the first that is not 0."""
    if any(one.startswith("-m") for one in arguments):  # whoever chooses by marks chooses
        return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode
    with ExitStack() as stack:
        parts = (ON_RAY, *OTHERS)
        logs = {part: stack.enter_context(tempfile.TemporaryFile("w+")) for part in parts if part != OTHERS[0]}
        running = {
            part: subprocess.Popen(
                command(part, arguments),
                stdout=logs.get(part),
                stderr=subprocess.STDOUT if part in logs else None,
                env=os.environ | {PART_NAME: part},
            )
            for part in parts
        }
        codes = [process.wait() for process in running.values()]
        for part, log in logs.items():
            log.seek(0)
            print("Those on Ray:" if part == ON_RAY else "The rest:", log.read(), sep="\n", flush=True)
    return verdict(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
