"""The cast list: names and pictures of people in a film, and what is to be done with their mouths.

    name,picture,verdict
    Ana Torres,cast/ana.jpg,
    Ana Torres,cast/ana-profile.jpg,
    Jo Lee,cast/jo.png,leave

A person may have several pictures, each of one face. `leave` keeps somebody as filmed wherever they are seen, as for
an actor who has not agreed to be changed; `review` delivers nothing of them before a person approves.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.people import ONE_PERSON, Person
from pipelines.storage import file_digest
from pipelines.verdict import Decision
from schemas.reason import Reason, Verdict

if TYPE_CHECKING:
    from pipelines.face_identity import FaceIdentity

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

COLUMNS = ("name", "picture", "verdict")
VERDICTS = ("", Verdict.LEAVE.value, Verdict.REVIEW.value)
MAX_NAME_LETTERS = 80
MAYBE_ONE_PERSON = 0.6  # single pictures of one person lie so far apart
MAX_LIST_BYTES, MAX_PICTURE_BYTES = 1_000_000, 50_000_000


class CastListError(ValueError):
    """A cast list that cannot be followed; one problem a line."""


@dataclass(frozen=True, kw_only=True)
class CastList:
    """People by name.

    Attributes:
        descriptors: [P, 128] of each person's pictures.
        verdicts: of those about whom something is decided.
    """

    descriptors: Mapping[str, Floats]
    verdicts: Mapping[str, Verdict]


def cast_list(path: Path, digest: str | None = None) -> CastList:
    """Read a cast list and look at its pictures; the same bytes in the same place are looked at once in a process.

    Args:
        path: of the CSV.
        digest: what it was when the job began: that list counts, whoever has written over it since.

    Raises:
        CastListError: everything that is wrong with it.
        AssetUnavailableError: no network that recognises faces is to be had.
    """
    try:
        return _cast_list(path, digest or file_digest(path))
    except OSError as error:
        raise CastListError(f"{path.name} cannot be read: {error.strerror}") from error


@cache
def _cast_list(path: Path, digest: str) -> CastList:
    if file_digest(path) != digest:
        raise CastListError(f"{path.name} has changed since the job began")
    from pipelines.face_identity import FaceIdentity  # loads torch: only who has a cast list pays

    identity = FaceIdentity()
    problems: list[str] = []
    descriptors: dict[str, list[Floats]] = defaultdict(list)
    verdicts: dict[str, set[Verdict]] = defaultdict(set)
    for number, line in _lines(path):
        try:
            _check_cells(line)
            descriptors[line["name"]].append(_described(path.parent / line["picture"], identity))
            verdicts[line["name"]] |= {Verdict(line["verdict"])} if line["verdict"] else set()
        except CastListError as error:
            problems += [f"line {number}: {what}" for what in str(error).splitlines()]
    both = [name for name, wanted in verdicts.items() if len(wanted) > 1]
    problems += [f"{name}: leave in one line and review in another" for name in both]
    if problems:
        raise CastListError("\n".join(problems))
    return CastList(
        descriptors={name: np.stack(found) for name, found in descriptors.items()},
        verdicts={name: next(iter(wanted)) for name, wanted in verdicts.items() if wanted},
    )


def named_by(cast: CastList | None) -> Mapping[str, Floats]:
    """The descriptors of everybody in a cast list."""
    return cast.descriptors if cast else {}


def by_cast(decided: Decision, person: Person | None, cast: CastList | None) -> Decision:
    """A track's verdict as it is after what the cast list says: never more is painted for it.

    Whoever may be somebody who is to be left is left, whatever else speaks for leaving them: nobody is to undo that by
    hand. That holds also beside one who looks still more like them; whoever looks
    like them a little less than pictures of one person do waits for a person to tell, and so does a face that cannot
    be recognised, where somebody is to be left or to wait.
    """
    if cast is None:
        return decided
    if person is None:
        return (Verdict.REVIEW, Reason.CAST) if cast.verdicts and decided[0] is Verdict.DUB else decided
    near = {name: person.distances[name] for name in cast.verdicts}
    if any(near[name] <= ONE_PERSON for name, wanted in cast.verdicts.items() if wanted is Verdict.LEAVE):
        return Verdict.LEAVE, Reason.CAST
    limits = {Verdict.LEAVE: MAYBE_ONE_PERSON, Verdict.REVIEW: ONE_PERSON}
    doubtful = any(near[name] <= limits[wanted] for name, wanted in cast.verdicts.items())
    return (Verdict.REVIEW, Reason.CAST) if doubtful and decided[0] is Verdict.DUB else decided


def cast_words(person: Person | None, cast: CastList) -> str:
    """What `by_cast` decided by, for people: how near a face comes to the pictures of whom it may be."""
    if person is None or not cast.verdicts:
        return "the face cannot be recognised"
    name = min(cast.verdicts, key=lambda one: person.distances[one])
    limits = f"one person's lie up to {ONE_PERSON:g} apart, seldom {MAYBE_ONE_PERSON:g}"
    return f"{person.distances[name]:.2f} from the pictures of {name}; {limits}"


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The lines with their numbers; the header is line 1."""
    if path.stat().st_size > MAX_LIST_BYTES:
        raise CastListError(f"{path.name} is larger than {MAX_LIST_BYTES:,} bytes")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CastListError(f"{path.name} is not UTF-8 text") from error
    reader = csv.DictReader(io.StringIO(text))
    heads = [name.strip() for name in reader.fieldnames or ()]
    unknown = [name for name in heads if name not in COLUMNS]
    if unknown or not {"name", "picture"} <= set(heads):
        raise CastListError(
            f"line 1: the columns must be name, picture and, if wanted, verdict; got {', '.join(heads)}"
        )
    reader.fieldnames = heads
    try:
        lines = [(reader.line_num, _cells(line)) for line in reader]
    except csv.Error as error:
        raise CastListError(f"line {reader.line_num}: {error}") from error
    if not lines:
        raise CastListError(f"{path.name} names nobody")
    return lines


def _cells(line: Mapping[str | None, object]) -> dict[str, str]:
    cells = {name: line.get(name) for name in COLUMNS}
    return {name: value.strip() if isinstance(value, str) else "" for name, value in cells.items()}


def _check_cells(line: Mapping[str, str]) -> None:
    name, wrong = line["name"], []
    if not name or len(name) > MAX_NAME_LETTERS or not name.isprintable():
        wrong.append(f"name must be 1 to {MAX_NAME_LETTERS} printable letters, got {name!r}")
    elif name.startswith("person "):
        wrong.append(f"{name!r} may not begin with 'person ': people without a name are called so")
    if line["verdict"] not in VERDICTS:
        wrong.append(f"verdict must be leave, review or empty, got {line['verdict']!r}")
    if not line["picture"]:
        wrong.append("a picture is needed")
    if wrong:
        raise CastListError("\n".join(wrong))


def _described(path: Path, identity: "FaceIdentity") -> Floats:
    """The descriptor of the one face in a picture."""
    if not path.is_file():
        raise CastListError(f"there is no picture {path}")
    if path.stat().st_size > MAX_PICTURE_BYTES:
        raise CastListError(f"{path} is larger than {MAX_PICTURE_BYTES:,} bytes")
    try:
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # nothing in it, or more pixels than OpenCV takes
        picture = None
    if picture is None:
        raise CastListError(f"{path} is no picture that can be read; PNG and JPEG can be")
    found = identity.descriptors(np.asarray(picture, np.uint8))
    if len(found) != 1:
        raise CastListError(f"{path} must show one face, and {len(found)} are found")
    return found[0]
