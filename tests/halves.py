"""Runs the tests in two processes: those on the local Ray wait much for its workers, the others run meanwhile.

    python -m tests.halves [ARGUMENTS OF PYTEST]

What comes of those on Ray is shown when the others are done.
"""

import subprocess
import sys
import tempfile

import pytest

NOTHING = pytest.ExitCode.NO_TESTS_COLLECTED


def command(half: str, arguments: list[str]) -> list[str]:
    """Of pytest for the tests with these marks."""
    return [sys.executable, "-m", "pytest", *(["-m", half] if half else []), *arguments]


def verdict(codes: list[int]) -> int:
    """Of both: that no test was found is one only where neither found any."""
    if all(code == NOTHING for code in codes):
        return NOTHING
    return next((code for code in codes if code not in (0, NOTHING)), 0)


def main(arguments: list[str]) -> int:
    """Run both halves; the exit code is the first that is not 0."""
    if any(one.startswith("-m") for one in arguments):
        return subprocess.run(command("", arguments), check=False).returncode  # whoever chooses by marks chooses
    with tempfile.TemporaryFile("w+") as log:
        with subprocess.Popen(command("ray", arguments), stdout=log, stderr=subprocess.STDOUT) as on_ray:
            others = subprocess.run(command("not ray", arguments), check=False).returncode
        log.seek(0)
        print("Those on Ray:", log.read(), sep="\n", flush=True)
    return verdict([others, on_ray.returncode])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
