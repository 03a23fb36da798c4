"""A list of clips of a VoxCeleb2 tree: one a line, `id00012/21Uxsk56VDQ/00001`."""

from pathlib import Path

from pipelines.stage import Row
from pipelines.vox_tree import PICTURE_SUFFIX, PICTURES, SPLITS

FORM = "id00012/21Uxsk56VDQ/00001"
SHOWN_LINES = 20


class ClipListError(ValueError):
    """A list that cannot be read, or lines that name no clip of the tree; all are named."""


def read_clip_list(path: Path, clips: list[Row]) -> list[Row]:
    """The clips that a list names, in the order of the tree; a clip that is named twice comes once.

    A name may begin with `dev/`, `dev/mp4/` or `mp4/` and end with `.mp4`.

    Args:
        path: the list, UTF-8; empty lines do not count.
        clips: CLIP rows of the whole tree.

    Raises:
        ClipListError: there is no such list, it is empty, or lines name no clip, or one in both splits.
    """
    names = [(number, line.strip()) for number, line in enumerate(_lines(path), start=1) if line.strip()]
    if not names:
        raise ClipListError(f"{path} names no clip; a line is {FORM}")
    places = _places(clips)
    found = [(number, name, places.get(_plain(name), ())) for number, name in names]
    wrong = [f"line {number}: {name} {_wrong(there)}" for number, name, there in found if len(there) != 1]
    if wrong:
        more = [f"and {len(wrong) - SHOWN_LINES} more"] if len(wrong) > SHOWN_LINES else []
        raise ClipListError("\n  ".join([f"{path}: a line is {FORM}", *wrong[:SHOWN_LINES], *more]))
    chosen = {there[0] for _, _, there in found}
    return [clip for index, clip in enumerate(clips) if index in chosen]


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise ClipListError(f"there is no list of clips {path}; --select takes first, all or a list")
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ClipListError(f"{path} is not UTF-8 text (byte {error.start})") from error


def _places(clips: list[Row]) -> dict[str, tuple[int, ...]]:
    """The clips of each name, with and without the split in front."""
    places: dict[str, tuple[int, ...]] = {}
    for index, clip in enumerate(clips):
        name = "/".join((clip["identity"], clip["video"], clip["utterance"]))
        for known in {name, f"{clip['split']}/{name}" if clip["split"] else name}:
            places[known] = (*places.get(known, ()), index)
    return places


def _plain(name: str) -> str:
    """A name without the suffix and the folder of pictures."""
    parts = name.removesuffix(PICTURE_SUFFIX).split("/")
    split = [part for part in parts[:1] if part in SPLITS]
    rest = parts[len(split) :]
    return "/".join([*split, *(rest[1:] if rest[:1] == [PICTURES] else rest)])


def _wrong(there: tuple[int, ...]) -> str:
    return "lies in both splits: put dev/ or test/ before it" if there else "is not in the tree"
