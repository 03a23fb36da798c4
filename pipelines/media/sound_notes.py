"""What is odd in the sounds of a film that is dubbed all the same, in words for whoever gave it."""

from collections.abc import Iterator, Sequence

from av.audio.stream import AudioStream
from av.stream import Disposition

from pipelines.media.film_notes import Note
from pipelines.media.given_stream import sound_name
from pipelines.media.roles import original_sound, own_place
from pipelines.media.streams import stream_facts
from schemas.reason import FilmNote

PLAIN = "that is no dub, no commentary and not for people who see or hear badly"
ADVICE = "where another is, mark that one as the original (MKV), or as the default"


def sound_notes(sounds: Sequence[AudioStream]) -> Iterator[Note]:
    """What is to be known of a film's sounds.

    Args:
        sounds: all of them.
    """
    if len(sounds) > 1:
        yield Note(FilmNote.SEVERAL_SOUNDS, _several(sounds))


def _several(sounds: Sequence[AudioStream]) -> str:
    """Which of several sounds is taken as the film's own, and why."""
    place = own_place(sounds)
    named = "; ".join(f"{number} {sound_name(stream_facts(sound))}" for number, sound in enumerate(sounds, 1))
    return f"it has {len(sounds)} sounds ({named}): number {place + 1} is taken as its own, {_why(sounds, place)}"


def _why(sounds: Sequence[AudioStream], place: int) -> str:
    own = sounds[place].disposition
    if own & Disposition.original:
        return "as it is marked as the original"
    if original_sound(sounds) is None:
        return f"as the first, for want of one {PLAIN}; {ADVICE}"
    return f"as {'it is the default' if own & Disposition.default else f'the first {PLAIN}'}; {ADVICE}"
