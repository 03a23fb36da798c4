"""Where intermediates are kept: a uri, or a folder."""

from pathlib import Path

WORK_NAME = ".work"


def work_uri(work: str | None, out: Path) -> str:
    """The store of a job: what a person named, else a folder in OUT.

    A path becomes absolute, since workers have current folders of their own.
    """
    if work is None:
        return str(out.absolute() / WORK_NAME)
    return work if "://" in work else str(Path(work).absolute())
