"""The sound of a file as models listen to it, in storage, of which any stretch can be read.

A film of two hours has 115 million samples: whoever needs a shot's reads a shot's. The file is decoded once, and what
is stored has the very samples that `read_mono` gives, and silence where that gives up.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.sound import BEGINNING, mono_blocks
from pipelines.storage import ObjectStore, content_key
from schemas.mix import StemChannel
from schemas.timing import ANALYSIS_RATE_HZ

VERSION = 3  # raised, with those of speech, align and heard, when the same file gives other samples
SAMPLE = np.dtype("<f4")

Floats = NDArray[np.float32]


class Sound(Protocol):
    """[N] mono samples at 16 kHz, of which stretches are taken: an array, or what lies in storage."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Floats: ...


class StoredSound:
    """Samples of an object of the store, read when they are asked for.

    Args:
        store: where the object lies.
        key: of the object.
        first: sample of the object that becomes sample 0; beyond the end nothing is left.
    """

    def __init__(self, store: ObjectStore, key: str, first: int = 0) -> None:
        self._store, self._key = store, key
        whole = store.size(key) // SAMPLE.itemsize
        self._first = min(first, whole)
        self._num_samples = whole - self._first

    def __len__(self) -> int:
        return self._num_samples

    def __getitem__(self, part: slice, /) -> Floats:
        """A copy of a stretch, as an array gives it: cut off at both ends of the sound.

        Raises:
            ValueError: the stretch has a step.
        """
        start, stop, step = part.indices(self._num_samples)
        if step != 1:
            raise ValueError(f"a stretch of sound has no step, got {step}")
        first, last = ((self._first + place) * SAMPLE.itemsize for place in (start, stop))
        return np.frombuffer(self._store.get_part(self._key, first, last), SAMPLE).astype(np.float32)

    def since(self, first: int) -> "StoredSound":
        """The same sound from a sample on, which becomes sample 0."""
        return StoredSound(self._store, self._key, self._first + first)


def stored_sound(
    store: ObjectStore,
    digest: str,
    path: Path,
    start_s: Fraction = BEGINNING,
    place: int = 0,
    channel: StemChannel = StemChannel.MEAN,
) -> StoredSound:
    """The sound of a file, decoded into storage unless it is there.

    Args:
        store: where it is kept: 230 MB for an hour.
        digest: of the file.
        path: the file.
        start_s: of its time, at which sample 0 lies.
        place: of the stream among the file's sounds, from 0.
        channel: what of it is heard.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    facts = sound_facts(digest, start_s, place, channel) | {"sample_rate_hz": ANALYSIS_RATE_HZ}
    key = content_key("sound", VERSION, facts)
    if not store.has(key):
        blocks = mono_blocks(path, ANALYSIS_RATE_HZ, start_s, [], place, channel)  # told of by `sound_check`
        store.put_blocks(key, (block.astype(SAMPLE, copy=False).tobytes() for block in blocks))
    return StoredSound(store, key)


def sound_facts(digest: str, start_s: Fraction, place: int, channel: StemChannel = StemChannel.MEAN) -> dict[str, Any]:
    """What a sound is told apart by in storage: its file, where it begins, which of the file's, and what of it."""
    return {"sound": digest, "start": str(start_s)} | place_facts(place) | channel_facts(channel)


def place_facts(place: int) -> dict[str, int]:
    """Which of a file's sounds something in storage depends on; nothing of the first."""
    return {"place": place} if place else {}


def dub_facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Which sound of the dub's file something depends on, and what of it, of a row of FILM or wider.

    Nothing where it is all of the first.
    """
    return ({"dub_place": row["dub_place"]} if row["dub_place"] else {}) | channel_facts(row["dub_channel"])


def channel_facts(channel: str) -> dict[str, str]:
    """What of a dub something in storage depends on; nothing where it is all of it."""
    return {} if channel == StemChannel.MEAN else {"channel": str(channel)}


def dub_where(row: Mapping[str, Any]) -> tuple[Fraction, int, StemChannel]:
    """Of the dub of a row of FILM or wider: when it begins in its file, in seconds, which sound it is, what of it."""
    return dub_origin_s(Path(row["dub_uri"])), row["dub_place"], StemChannel(row["dub_channel"])


def stored_original(store: ObjectStore, row: Mapping[str, Any]) -> StoredSound:
    """A film's own sound, sample 0 at time 0 of the film.

    Args:
        store: where it is kept.
        row: FILM or wider.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    return stored_sound(store, row["film_id"], Path(row["film_uri"]), BEGINNING, row["sound_place"])


def stored_dub(store: ObjectStore, row: Mapping[str, Any]) -> StoredSound:
    """The sound of a row's dub, sample 0 on the film's first frame.

    Args:
        store: where it is kept.
        row: FILM or wider.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    return stored_sound(store, row["dub_digest"], Path(row["dub_uri"]), *dub_where(row))
