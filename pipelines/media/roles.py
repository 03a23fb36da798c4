"""What a track is for: the marks that players choose by, and the one that says which sound is the film's own."""

from collections.abc import Sequence

from av.audio.stream import AudioStream
from av.stream import Disposition, Stream

from pipelines.media.container import is_listed
from pipelines.media.language_code import is_in

NO_ROLE = Disposition.default | Disposition.forced  # how a track is chosen, not what is heard in it
TWINS = {Disposition.captions: Disposition.hearing_impaired, Disposition.descriptions: Disposition.visual_impaired}


def original_sound(sounds: Sequence[Stream], language: str | None = None) -> Stream | None:
    """Which of a film's sounds is to be marked as the original; None where one is already, or none is.

    The one that was the default, else the first, of those that are no dub, no commentary and not for people who hear
    or see badly: Matroska keeps neither mark of a track that is both a dub and the original.

    Args:
        sounds: all of them.
        language: BCP-47 tag of the film's own: where any of those is tagged so, only such count. None: not known.
    """
    if any(sound.disposition & Disposition.original for sound in sounds):
        return None
    plain = [sound for sound in sounds if not sound.disposition & ~NO_ROLE]
    plain = [sound for sound in plain if is_in(sound.language, language)] or plain
    return next((sound for sound in plain if sound.disposition & Disposition.default), next(iter(plain), None))


def own_place(sounds: Sequence[AudioStream], language: str | None = None) -> int:
    """The place of a film's own sound among its sounds, from 0; 0 where there is none.

    Of those that can be decoded, where any can: of what is no dub, no commentary and not for people who hear or see
    badly one that is marked as the original, else any, and of these the default, else the first. Where there are only
    others, the one that is marked as the original, else the first.

    Args:
        sounds: all of them.
        language: BCP-47 tag of the film's own: where any sound of the first kind is tagged so, only such count. None:
            not known.
    """
    heard = [place for place, sound in enumerate(sounds) if is_listed(sound)] or list(range(len(sounds)))
    plain = [place for place in heard if not sounds[place].disposition & ~(NO_ROLE | Disposition.original)]
    plain = [place for place in plain if is_in(sounds[place].language, language)] or plain
    marked = [place for place in heard if sounds[place].disposition & Disposition.original]
    likely = [place for place in plain if place in marked] or plain
    default = [place for place in likely if sounds[place].disposition & Disposition.default]
    return next(iter((*default, *likely, *marked, *heard)), 0)


def roles_of(stream: Stream) -> frozenset[str]:
    """Names of what a track is for. MP4 has one mark for each pair of twins and is read as having both."""
    kept = stream.disposition & ~(Disposition.default | Disposition.original)
    return frozenset(TWINS.get(flag, flag).name or "" for flag in Disposition if flag & kept)
