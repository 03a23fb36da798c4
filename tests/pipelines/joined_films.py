"""Films whose picture changes in the middle, as broadcasts do."""

from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.pipelines.test_splice import film_of
from tests.pipelines.test_survival import as_read, remuxed
from tests.synthetic import SyntheticFilm


def joined(folder: Path, *parts: dict[str, Any], suffix: str = "ts") -> SyntheticFilm:
    """Films one after the other in one file, each with parameter sets of its own before its keyframes.

    Args:
        folder: where to write.
        parts: what `film_of` is told of each; 96 frames where they say nothing of it.
        suffix: of the joined film.
    """
    data, start_s, film = b"", Fraction(1), None  # not from 0: a muxer moves what would be decoded before it
    for index, part in enumerate(parts):
        film = film_of(folder / f"part{index}.mp4", **part)
        broadcast = remuxed(film, f"part{index}.ts", shift_s=start_s)
        data, start_s = data + broadcast.path.read_bytes(), start_s + film.duration_s
    assert film is not None
    path = folder / "joined.ts"
    path.write_bytes(data)
    read = as_read(SyntheticFilm(path, film.spec, film.time_base, (), 0, ()))
    return read if suffix == "ts" else remuxed(read, f"joined.{suffix}")
