"""What a track is for: the marks that players choose by, and the one that says which sound is the film's own."""

from collections.abc import Sequence

from av.stream import Disposition, Stream

NO_ROLE = Disposition.default | Disposition.forced  # how a track is chosen, not what is heard in it
TWINS = {Disposition.captions: Disposition.hearing_impaired, Disposition.descriptions: Disposition.visual_impaired}


def original_sound(sounds: Sequence[Stream]) -> Stream | None:
    """Which of a film's sounds is to be marked as the original; None where one is already, or none is.

    The one that was the default, else the first, of those that are no dub, no commentary and not for people who hear
    or see badly: Matroska keeps neither mark of a track that is both a dub and the original.
    """
    if any(sound.disposition & Disposition.original for sound in sounds):
        return None
    plain = [sound for sound in sounds if not sound.disposition & ~NO_ROLE]
    return next((sound for sound in plain if sound.disposition & Disposition.default), next(iter(plain), None))


def own_place(sounds: Sequence[Stream]) -> int:
    """The place of a film's own sound among its sounds, from 0; 0 where there is none.

    Of the one that is marked as the original, else of what is to be marked so (`original_sound`), else the first.
    """
    marked = [sound for sound in sounds if sound.disposition & Disposition.original]
    plain = [sound for sound in marked if not sound.disposition & ~(NO_ROLE | Disposition.original)]
    own = next(iter(plain or marked), None) or original_sound(sounds)
    return 0 if own is None else list(sounds).index(own)


def roles_of(stream: Stream) -> frozenset[str]:
    """Names of what a track is for. MP4 has one mark for each pair of twins and is read as having both."""
    kept = stream.disposition & ~(Disposition.default | Disposition.original)
    return frozenset(TWINS.get(flag, flag).name or "" for flag in Disposition if flag & kept)
