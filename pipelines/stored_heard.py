"""The curves of a sound that mouths are compared with, in storage: worked out once for all its shots."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from pipelines.expected_opening import WEIGHTS
from pipelines.heard_sound import HeardSound, heard_sound
from pipelines.media.sound import BEGINNING
from pipelines.storage import ObjectStore, content_key, file_digest
from pipelines.stored_sound import channel_facts, place_facts, stored_sound
from schemas.mix import StemChannel

VERSION = 2  # raised when the same sound gives other curves
HEARD_FACTS = {"version": VERSION, "weights": file_digest(WEIGHTS)}


def stored_heard(
    store: ObjectStore,
    digest: str,
    path: Path,
    start_s: Fraction = BEGINNING,
    place: int = 0,
    channel: StemChannel = StemChannel.MEAN,
) -> HeardSound:
    """The curves of the whole sound of a file.

    Args:
        store: where they are kept.
        digest: of the file.
        path: the file.
        start_s: of its time, at which the curves begin.
        place: of the stream among the file's sounds, from 0.
        channel: what of it is heard.
    """
    curves = np.frombuffer(store.get(keep_heard(store, digest, path, start_s, place, channel)), "<f4")
    loud, expected = curves.astype(np.float64).reshape(2, -1)
    return HeardSound(loud, expected)


def keep_heard(
    store: ObjectStore,
    digest: str,
    path: Path,
    start_s: Fraction = BEGINNING,
    place: int = 0,
    channel: StemChannel = StemChannel.MEAN,
) -> str:
    """Work the curves out where nobody did; the key of what `stored_heard` then reads, without loading torch."""
    facts = {"film": digest, "start": str(start_s)} | place_facts(place) | channel_facts(channel)
    key = content_key("heard", VERSION, facts | HEARD_FACTS)
    if not store.has(key):
        heard = heard_sound(stored_sound(store, digest, path, start_s, place, channel))
        store.put(key, np.stack([heard.loud, heard.expected]).astype("<f4").tobytes())
    return key
