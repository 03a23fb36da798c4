"""`diff2lip submit`: a command of ours on a Ray cluster, through the Jobs API, under an id of our own.

The id is the digest of the command and its catalog: who submits the same twice gets the job that is there.
"""

import asyncio
import hashlib
import json
import os
import shlex
import time
from collections.abc import Callable, Sequence
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
MAX_ATTEMPTS = 100
RUNNING, SUCCEEDED = ("PENDING", "RUNNING"), "SUCCEEDED"
TOKEN_VARIABLE = "RAY_AUTH_TOKEN"


class SubmitError(Exception):
    """The cluster cannot be reached or refuses; says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A job on a cluster."""

    submission_id: str
    status: str
    started: bool  # False: the same job was there already


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
    """Start a command on a cluster, or find it there.

    A job that runs or has succeeded is reported and not started again; one that failed or was stopped is
    started again under the id with the next number behind it.

    Args:
        address: of the cluster's dashboard, such as http://127.0.0.1:8265.
        arguments: of the program.
        program: what runs on the cluster; `diff2lip` of the image.

    Raises:
        SubmitError: the cluster cannot be reached or refuses.
    """
    client = _client(address)
    base = submission_id(arguments)
    for attempt in range(1, MAX_ATTEMPTS):
        name = base if attempt == 1 else f"{base}-{attempt}"
        status = _status(client, name)
        if status is None:
            _start(client, name, [*program, *arguments])
            return Submission(submission_id=name, status=RUNNING[0], started=True)
        if status in (*RUNNING, SUCCEEDED):
            return Submission(submission_id=name, status=status, started=False)
    raise SubmitError(f"{base} failed {MAX_ATTEMPTS - 1} times on this cluster")


def follow(address: str, name: str, write: Callable[[str], object]) -> int:
    """Write a job's log as it comes; returns 0 when the job succeeded, 1 otherwise.

    Raises:
        SubmitError: the cluster went away.
    """
    client = _client(address)

    async def tail() -> None:
        async for words in client.tail_job_logs(name):
            write(words)

    try:
        asyncio.run(tail())
        while (status := _status(client, name)) in RUNNING:
            time.sleep(POLL_S)
    except (RuntimeError, ConnectionError) as error:
        raise SubmitError(f"lost {address} while following {name}: {error}") from error
    return 0 if status == SUCCEEDED else 1


def _client(address: str) -> "JobSubmissionClient":
    from ray.job_submission import JobSubmissionClient

    token = os.environ.get(TOKEN_VARIABLE)
    headers = {"Authorization": f"Bearer {token}"} if token else None
    try:
        return JobSubmissionClient(address, headers=headers)
    except (ConnectionError, RuntimeError, ValueError) as error:
        remedy = f"is it the dashboard's address, and is {TOKEN_VARIABLE} set if the cluster asks for a token?"
        raise SubmitError(f"cannot reach {address}: {remedy} ({error})") from error


def _status(client: "JobSubmissionClient", name: str) -> str | None:
    for job in client.list_jobs():
        if job.submission_id == name:
            return str(job.status.value)
    return None


def _start(client: "JobSubmissionClient", name: str, command: Sequence[str]) -> None:
    environment = {SUBMISSION_VARIABLE: name, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    try:
        client.submit_job(
            entrypoint=shlex.join(command),
            submission_id=name,
            runtime_env={"env_vars": environment},
            metadata={"diff2lip": shlex.join(command)},
        )
    except RuntimeError as error:
        raise SubmitError(f"the cluster refuses {name}: {error}") from error
