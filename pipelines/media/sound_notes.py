"""What is odd in the sounds of a film that is dubbed all the same, in words for whoever gave it."""

from collections.abc import Iterator, Sequence

from av.audio.stream import AudioStream
from av.stream import Disposition

from pipelines.media.container import is_listed
from pipelines.media.film_notes import Note
from pipelines.media.given_stream import sound_name
from pipelines.media.roles import NO_ROLE, own_place
from pipelines.media.streams import stream_facts
from schemas.reason import FilmNote

PLAIN = "that is no dub, no commentary and not for people who see or hear badly"
ADVICE = "where another is, mark that one as the original (MKV), or as the default"


def sound_notes(sounds: Sequence[AudioStream]) -> Iterator[Note]:
    """What is to be known of a film's sounds.

    Args:
        sounds: all of them.
    """
    if len(sounds) < 2:
        return
    yield Note(FilmNote.SEVERAL_SOUNDS, _several(sounds))
    if split := _split(sounds):
        yield Note(FilmNote.SPLIT_CHANNELS, split)


def _several(sounds: Sequence[AudioStream]) -> str:
    """Which of several sounds is taken as the film's own, and why."""
    place = own_place(sounds)
    named = "; ".join(f"{number} {sound_name(stream_facts(sound))}" for number, sound in enumerate(sounds, 1))
    return f"it has {len(sounds)} sounds ({named}): number {place + 1} is taken as its own, {_why(sounds, place)}"


def _split(sounds: Sequence[AudioStream]) -> str:
    """What is told of a film whose own sound is one of several that are a channel each; nothing of others.

    Those count that are like it: one channel, of its codec, language and rate, and without another mark.
    """
    place = own_place(sounds)
    alike = [number for number, sound in enumerate(sounds, 1) if _kind(sound) == _kind(sounds[place])]
    if len(alike) < 2 or sounds[place].layout.nb_channels != 1:
        return ""
    told = f"its sounds {', '.join(map(str, alike))} are one channel each, and number {place + 1} alone is heard"
    joined = f"give the film with one sound of {len(alike)} channels (docs/mix.md has the command)"
    return f"{told}, as mono; {joined}, and the dub is laid around it"


def _kind(sound: AudioStream) -> tuple[int, int, str, str | None, int]:
    role = sound.disposition & ~(NO_ROLE | Disposition.original)
    return sound.layout.nb_channels, sound.rate, sound.codec_context.name, sound.language, int(role)


def _why(sounds: Sequence[AudioStream], place: int) -> str:
    own = sounds[place].disposition
    unheard = [str(number) for number, one in enumerate(sounds, 1) if not is_listed(one)]
    among = f" of those that can be decoded, which number {', '.join(unheard)} can not" if unheard else ""
    if own & Disposition.original:
        return f"as it is marked as the original{among}"
    if own & ~NO_ROLE:
        return f"as the first{among}, for want of one {PLAIN}; {ADVICE}"
    return f"as {'it is the default' if own & Disposition.default else f'the first {PLAIN}'}{among}; {ADVICE}"
