"""Whose voice each piece of the original's speech is, as a voice network hears it; in storage, for all languages."""

from collections.abc import Sequence

from pipelines.assets import declared_digest
from pipelines.speaking import speech_pieces
from pipelines.speech import SampleSpan
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_sound import place_facts, stored_original
from pipelines.voice_descriptor import ASSET, VoiceDescriber

VERSION = 2  # raised when the same sound gives other descriptors
VOICE_FACTS = {"version": VERSION, "weights": declared_digest(ASSET)}


def original_voices(
    store: ObjectStore, film: Row, speech: Sequence[SampleSpan], describer: VoiceDescriber
) -> list[Row]:
    """VOICE of each piece of a shot's speech, in order; described once for a film.

    Args:
        store: where the film's sound lies, and the descriptors are kept.
        film: FILM or wider.
        speech: where the original speaks within the shot, in samples at 16 kHz.
        describer: tells voices apart.
    """
    pieces = speech_pieces(speech)
    if not pieces:
        return []
    facts = {"film": film["film_id"], "pieces": [list(piece) for piece in pieces], **VOICE_FACTS}
    facts |= place_facts(film["sound_place"])
    key = content_key("voices", VERSION, facts)
    if not store.has(key):
        sound = stored_original(store, film)
        found = describer.describe(sound, pieces)
        store.put_json(key, [voice.tolist() for voice in found])
    described = zip(pieces, store.get_json(key), strict=True)
    return [{"start": start, "end": end, "descriptor": voice} for (start, end), voice in described]
