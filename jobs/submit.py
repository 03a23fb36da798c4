"""`diff2lip submit`: a command of ours on a Ray cluster, through the Jobs API, under an id of our own.

The id is the digest of the command and its catalog: who submits the same while it waits or runs gets that job.
One that has ended, well or not, is started anew under the next number: a dub finds what is done, and files that
only the cluster sees may have changed.
"""

import asyncio
import hashlib
import json
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.lineage import SUBMISSION_VARIABLE
from pipelines.storage import file_digest

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

PROGRAM = ("diff2lip",)
ID_LETTERS = 20
POLL_S = 1.0
RUNNING, SUCCEEDED = ("PENDING", "RUNNING"), "SUCCEEDED"
TOKEN_VARIABLE = "RAY_AUTH_TOKEN"
READY_WITHIN_S = 60.0  # Ray gives a head's agent half of that to start
NOT_READY = "No available agent"  # Ray's words for it
NO_AGENT = (
    f"no agent on its head takes jobs after {READY_WITHIN_S:g} s; dashboard_agent.log there says why. Another Ray on "
    "the same machine holds port 52365? Then start the head with --dashboard-agent-listen-port=0"
)
ADDRESS_VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")  # Ray follows them before the address it is given


class SubmitError(Exception):
    """The cluster cannot be reached or refuses; says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A job on a cluster."""

    submission_id: str
    status: str
    started: bool  # False: the same job waits or runs already


def submission_id(arguments: Sequence[str]) -> str:
    """The id of a command: the same arguments with the same catalog give the same id.

    Args:
        arguments: of `diff2lip`, such as ["dub", "catalog.csv", "--out", "OUT"]. Every argument that is a
            file here counts with its content, not with its date.
    """
    files = {argument: file_digest(Path(argument)) for argument in arguments if Path(argument).is_file()}
    text = json.dumps({"arguments": list(arguments), "files": files}, sort_keys=True)
    return f"diff2lip-{hashlib.sha256(text.encode()).hexdigest()[:ID_LETTERS]}"


def submit(address: str, arguments: Sequence[str], program: Sequence[str] = PROGRAM) -> Submission:
    """Start a command on a cluster, or find it there while it waits or runs.

    Args:
        address: of the cluster's dashboard, such as http://127.0.0.1:8265.
        arguments: of the program.
        program: what runs on the cluster; `diff2lip` of the image.

    Raises:
        SubmitError: the cluster cannot be reached or refuses.
    """
    client = _client(address)
    base = submission_id(arguments)
    known = {number: status for name, status in _statuses(client).items() if (number := _number(name, base))}
    for number, status in known.items():
        if status in RUNNING:
            return Submission(submission_id=_name(base, number), status=status, started=False)
    name = _name(base, max(known, default=0) + 1)
    _start(client, name, [*program, *arguments])
    return Submission(submission_id=name, status=RUNNING[0], started=True)


def follow(address: str, name: str, write: Callable[[str], object]) -> int:
    """Write a job's log as it comes; returns 0 when the job succeeded, 1 otherwise.

    Raises:
        SubmitError: the cluster went away.
    """
    client = _client(address)

    async def tail() -> None:
        async for words in client.tail_job_logs(name):
            write(words)

    with _refusals(f"lost {address} while following {name}"):
        asyncio.run(tail())
        while (status := _statuses(client).get(name)) in RUNNING:
            time.sleep(POLL_S)
    return 0 if status == SUCCEEDED else 1


def _client(address: str) -> "JobSubmissionClient":
    from ray.job_submission import JobSubmissionClient

    token = os.environ.get(TOKEN_VARIABLE)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    with _refusals(f"cannot reach {address}: is it the dashboard's address?"), _without(ADDRESS_VARIABLES):
        return JobSubmissionClient(address, headers=headers)


@contextmanager
def _without(names: Sequence[str]) -> Iterator[None]:
    """Variables taken out of the environment for a while."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _statuses(client: "JobSubmissionClient") -> dict[str, str]:
    """Every job that the cluster remembers."""
    with _refusals("the cluster does not tell its jobs"):
        return {job.submission_id: str(job.status.value) for job in client.list_jobs() if job.submission_id}


def _number(name: str, base: str) -> int | None:
    """Which of the jobs of one command a job is, from 1; None for another command's."""
    if name == base:
        return 1
    number = name.removeprefix(f"{base}-")
    return int(number) if number != name and number.isdigit() else None


def _name(base: str, number: int) -> str:
    return base if number == 1 else f"{base}-{number}"


def _start(client: "JobSubmissionClient", name: str, command: Sequence[str]) -> None:
    environment = {SUBMISSION_VARIABLE: name, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}

    def ask() -> None:
        client.submit_job(
            entrypoint=shlex.join(command),
            submission_id=name,
            runtime_env={"env_vars": environment},
            metadata={"diff2lip": shlex.join(command)},
        )

    with _refusals(f"the cluster refuses {name}"):
        _when_ready(ask)


def _when_ready(ask: Callable[[], None]) -> None:
    """Ask, and again while a cluster that was just started has no agent yet that could take a job."""
    end = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            return ask()
        except RuntimeError as error:
            if NOT_READY not in str(error):
                raise
            if time.monotonic() > end:
                raise RuntimeError(NO_AGENT) from error
        time.sleep(POLL_S)


@contextmanager
def _refusals(words: str) -> Iterator[None]:
    """What a cluster, or the way to it, answers instead of doing what it was asked."""
    from aiohttp import ClientError
    from ray.exceptions import AuthenticationError, RayError

    try:
        yield
    except AuthenticationError as error:
        remedy = f"the cluster asks for a token: set {TOKEN_VARIABLE} to the one that its secret holds"
        raise SubmitError(f"{words}; {remedy}") from error
    except (OSError, RuntimeError, ValueError, ClientError, RayError) as error:  # requests' errors are OSErrors
        raise SubmitError(f"{words}: {error}") from error
