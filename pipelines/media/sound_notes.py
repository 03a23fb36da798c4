"""What is odd in the sounds of a film that is dubbed all the same, in words for whoever gave it."""

from collections.abc import Iterator, Sequence

from av.audio.stream import AudioStream
from av.stream import Disposition

from pipelines.media.container import is_listed
from pipelines.media.film_notes import Note
from pipelines.media.given_stream import sound_name
from pipelines.media.language_code import is_in
from pipelines.media.roles import NO_ROLE, own_place
from pipelines.media.streams import stream_facts
from schemas.reason import FilmNote

PLAIN = "that is no dub, no commentary and not for people who see or hear badly"
ROLES = ~(NO_ROLE | Disposition.original)
UNTAGGED = (None, "und")
ADVICE = "where another is, give the film's source_language, or mark that one as the original (MKV), or as the default"


def sound_notes(sounds: Sequence[AudioStream], language: str | None = None) -> Iterator[Note]:
    """What is to be known of a film's sounds.

    Args:
        sounds: all of them.
        language: BCP-47 tag of the film's own; None where nobody said it.
    """
    if foreign := _foreign(sounds, language):
        yield Note(FilmNote.SOURCE_LANGUAGE, foreign)
    if len(sounds) < 2:
        return
    yield Note(FilmNote.SEVERAL_SOUNDS, _several(sounds, language))
    if split := _split(sounds, language):
        yield Note(FilmNote.SPLIT_CHANNELS, split)


def _foreign(sounds: Sequence[AudioStream], language: str | None) -> str:
    """What is told of a film no sound of which is in its language; nothing of a single sound without a tag."""
    is_untagged = len(sounds) == 1 and sounds[0].language in UNTAGGED
    if language is None or not sounds or is_untagged or is_in(sounds[own_place(sounds, language)].language, language):
        return ""
    taken = "it is taken" if len(sounds) == 1 else "one is taken by its marks"
    return f"no sound of it that may be its own is tagged {language}, its source_language ({_named(sounds)}): {taken}"


def _named(sounds: Sequence[AudioStream]) -> str:
    return "; ".join(f"{number} {sound_name(stream_facts(sound))}" for number, sound in enumerate(sounds, 1))


def _several(sounds: Sequence[AudioStream], language: str | None) -> str:
    """Which of several sounds is taken as the film's own, and why."""
    place = own_place(sounds, language)
    why = _why(sounds, place)
    if is_in(sounds[place].language, language) and not sounds[place].disposition & ROLES:
        alike = sum(is_in(sound.language, language) and not sound.disposition & ROLES for sound in sounds)
        why = f"as the only one in {language} {PLAIN}" if alike == 1 else f"of those in {language} {why}"
    return f"it has {len(sounds)} sounds ({_named(sounds)}): number {place + 1} is taken as its own, {why}"


def _split(sounds: Sequence[AudioStream], language: str | None) -> str:
    """What is told of a film whose own sound is one of several that are a channel each; nothing of others.

    Those count that are like it: one channel, of its codec, language and rate, and without another mark.
    """
    place = own_place(sounds, language)
    alike = [number for number, sound in enumerate(sounds, 1) if _kind(sound) == _kind(sounds[place])]
    if len(alike) < 2 or sounds[place].layout.nb_channels != 1:
        return ""
    told = f"its sounds {', '.join(map(str, alike))} are one channel each, and number {place + 1} alone is heard"
    joined = f"give the film with one sound of {len(alike)} channels (docs/mix.md has the command)"
    return f"{told}, as mono; {joined}, and the dub is laid around it"


def _kind(sound: AudioStream) -> tuple[int, int, str, str | None, int]:
    role = sound.disposition & ROLES
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
