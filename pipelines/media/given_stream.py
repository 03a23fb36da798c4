"""Which sound of a dub's file is the dub: the one in its language, else a first one that is surely meant."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.media.container import UndecodableError, open_media
from pipelines.media.language_code import is_in
from pipelines.media.refusal import MediaRefusedError, check_file, refusal_of_unopened
from pipelines.media.streams import StreamFacts, stream_facts
from schemas.reason import Refusal

ASIDE = frozenset({"comment", "hearing_impaired", "visual_impaired", "descriptions"})  # never a dub for all
FOR_ALL = "that is no commentary and not for people who hear or see badly"
TOLD = ("dub", "default", "original", *sorted(ASIDE))


@dataclass(frozen=True, slots=True)
class GivenSound:
    """The sound of a file that was given with a film.

    Attributes:
        place: among the file's sounds, from 0.
        told: which of several is taken, and why, in words; empty where nothing had to be chosen by language.
    """

    place: int = 0
    told: str = ""


def given_sound(path: Path, language: str | None) -> GivenSound:
    """Which sound stream of a file is the one that was given.

    Of several the only one in the language asked for, of those that are no commentary and not for people who hear or
    see badly. Else the first, where it is surely meant: it is flagged as dub, else as default.

    Args:
        path: a file with sound.
        language: BCP-47 tag; None where a language says nothing, as of music and effects.

    Raises:
        MediaRefusedError: it is no media file; or another one than the first is meant, nothing says which is, or each
            is a channel by itself.
    """
    check_file(path)
    try:
        with open_media(path) as container:
            sounds = [stream_facts(stream) for stream in container.streams.audio]
            mono = {place for place, stream in enumerate(container.streams.audio) if stream.layout.nb_channels == 1}
    except UndecodableError as error:
        raise refusal_of_unopened(path, str(error)) from error
    if len(sounds) < 2:
        return GivenSound()
    spoken = _in_language(sounds, language) if language is not None else []
    if language is not None and len(spoken) == 1:
        return GivenSound(spoken[0], _choice(sounds, spoken[0], language))
    likely, meant = spoken or list(range(len(sounds))), _meant(sounds, language)
    if mono.issuperset(likely) and _say_nothing([sounds[place] for place in likely]):
        raise MediaRefusedError(Refusal.SEVERAL_SOUNDS, _split(sounds, likely))
    if meant == sounds[:1]:
        return GivenSound()
    raise MediaRefusedError(Refusal.SEVERAL_SOUNDS, _advice(sounds, meant, language))


def _in_language(sounds: list[StreamFacts], language: str) -> list[int]:
    """The places of those in a language that may be a dub for all."""
    return [
        place
        for place, sound in enumerate(sounds)
        if is_in(sound.language, language) and not ASIDE & {*sound.disposition}
    ]


def _choice(sounds: list[StreamFacts], place: int, language: str) -> str:
    """Which of several sounds is taken, and why."""
    is_alone = sum(is_in(sound.language, language) for sound in sounds) == 1
    why = f"the only one in {language}{'' if is_alone else f' {FOR_ALL}'}"
    return f"its file has {len(sounds)} sounds ({_named(sounds)}): number {place + 1} is taken as the dub, {why}"


def _meant(sounds: list[StreamFacts], language: str | None) -> list[StreamFacts]:
    """What is left of several sounds when those with a better claim are preferred."""
    claims: list[Callable[[StreamFacts], bool]] = [
        lambda sound: is_in(sound.language, language),
        lambda sound: "dub" in sound.disposition,
        lambda sound: "default" in sound.disposition,
    ]
    for claim in claims:
        sounds = list(filter(claim, sounds)) or sounds
    return sounds


def _say_nothing(sounds: list[StreamFacts]) -> bool:
    """Whether nothing but a flag that muxers set by themselves tells sounds of one language apart."""
    return len({sound.language for sound in sounds}) == 1 and not any("dub" in one.disposition for one in sounds)


def _split(sounds: list[StreamFacts], alike: list[int]) -> str:
    """What is told of a sound that comes channel by channel, and what to do."""
    numbers = ", ".join(str(place + 1) for place in alike)
    told = f"it has {len(sounds)} sounds ({_named(sounds)}), and {numbers} are one channel each, which no file names"
    return f"{told}: join those that are meant into one sound; docs/mix.md has the command"


def _advice(sounds: list[StreamFacts], meant: list[StreamFacts], language: str | None) -> str:
    told = f"it has {len(sounds)} sounds ({_named(sounds)})"
    alone = "give a file of that one alone" + (f", or tag none but it as {language}" if language else "")
    if len(meant) == 1:
        return f"{told}: number {sounds.index(meant[0]) + 1} is meant; {alone}"
    return f"{told}: nothing says which is meant; {alone}"


def _named(sounds: list[StreamFacts]) -> str:
    return "; ".join(f"{place} {sound_name(sound)}" for place, sound in enumerate(sounds, 1))


def sound_name(sound: StreamFacts) -> str:
    """A sound as a person is told of it: language, title, codec and what it is marked as."""
    flags = [flag for flag in sound.disposition if flag in TOLD]
    title = sound.title if sound.title and not sound.title.endswith("Handler") else None  # QuickTime's is no title
    return " ".join([sound.language or "und", *([f'"{title}"'] if title else []), sound.codec, *flags])
