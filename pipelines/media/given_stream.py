"""Which sound of a dub's file is the dub: only a first one is heard, so that any other must be told."""

from collections.abc import Callable
from pathlib import Path

from pipelines.media.container import open_media
from pipelines.media.language_code import language_code
from pipelines.media.refusal import MediaRefusedError
from pipelines.media.streams import StreamFacts, stream_facts
from schemas.reason import Refusal

TOLD = ("dub", "default", "original", "comment", "hearing_impaired", "visual_impaired", "descriptions")


def check_first_is_meant(path: Path, language: str | None) -> None:
    """Refuse a file whose first sound stream is not surely the one that was given.

    Of several the one that is meant has the language asked for, else is flagged as dub, else as default.

    Args:
        path: a file with sound.
        language: BCP-47 tag; None where a language says nothing, as of music and effects.

    Raises:
        MediaRefusedError: another one is meant, nothing says which is, or each is a channel by itself.
        UndecodableError: it cannot be opened.
    """
    with open_media(path) as container:
        sounds = [stream_facts(stream) for stream in container.streams.audio]
        are_mono = all(stream.layout.nb_channels == 1 for stream in container.streams.audio)
    if len(sounds) < 2:
        return
    meant = _meant(sounds, language)
    if meant == sounds[:1] and not (are_mono and _say_nothing(sounds)):
        return
    raise MediaRefusedError(Refusal.SEVERAL_SOUNDS, _advice(sounds, meant, are_mono=are_mono))


def _meant(sounds: list[StreamFacts], language: str | None) -> list[StreamFacts]:
    """What is left of several sounds when those with a better claim are preferred."""
    claims: list[Callable[[StreamFacts], bool]] = [
        lambda sound: language is not None and sound.language is not None and _is_same(sound.language, language),
        lambda sound: "dub" in sound.disposition,
        lambda sound: "default" in sound.disposition,
    ]
    for claim in claims:
        sounds = list(filter(claim, sounds)) or sounds
    return sounds


def _is_same(one: str, other: str) -> bool:
    """Whether two names mean one language, whichever of its codes a container keeps."""
    return language_code(one) == language_code(other) is not None


def _say_nothing(sounds: list[StreamFacts]) -> bool:
    """Whether nothing but a flag that muxers set by themselves tells sounds of one language apart."""
    return len({sound.language for sound in sounds}) == 1 and not any("dub" in one.disposition for one in sounds)


def _advice(sounds: list[StreamFacts], meant: list[StreamFacts], *, are_mono: bool) -> str:
    named = "; ".join(f"{place} {sound_name(sound)}" for place, sound in enumerate(sounds, 1))
    told = f"it has {len(sounds)} sounds ({named}), and only the first is heard"
    if are_mono and _say_nothing(sounds):
        return f"{told}: each is one channel; give one file of {len(sounds)} channels"
    if len(meant) == 1:
        return f"{told}: number {sounds.index(meant[0]) + 1} is meant; give a file of that one alone"
    return f"{told}: nothing says which is meant; give a file of that one alone"


def sound_name(sound: StreamFacts) -> str:
    """A sound as a person is told of it: language, title, codec and what it is marked as."""
    flags = [flag for flag in sound.disposition if flag in TOLD]
    title = sound.title if sound.title and not sound.title.endswith("Handler") else None  # QuickTime's is no title
    return " ".join([sound.language or "und", *([f'"{title}"'] if title else []), sound.codec, *flags])
