"""What a person must know of a film's dub before it is painted, in words."""

from collections.abc import Sequence

from jobs.delivered_picture import WHOLE_WORDS, film_notes
from pipelines.conform import beside_effects, conform_notice, is_found
from pipelines.cue_sheet import flaws_in_words, stored_lines
from pipelines.heard_film import heard_lines_of
from pipelines.line_check import doubts_in_words
from pipelines.media.dub_track import mix_of
from pipelines.sheet_notices import sheet_notices
from pipelines.sound_check import sounds_in_words, stored_sounds
from pipelines.stage import Row
from schemas.mix import Mix
from schemas.reason import Whole


def dub_notices(shots: Sequence[Row]) -> list[str]:
    """One line for each thing.

    Args:
        shots: ALIGNED_SHOT or wider, all of a film's.
    """
    first = shots[0]
    sounds = sounds_in_words(stored_sounds(first["sounds_uri"]))
    flaws = flaws_in_words(stored_lines(first["lines_uri"]))
    doubts = doubts_in_words(heard_lines_of(shots))
    found = [*_picture(first), *film_notes(first), *_mix(first), *sounds, *_conform(first)]
    return [*found, *sheet_notices(first), *flaws, *doubts]


def film_mix(film: Row) -> Mix:
    """How the dub of a film becomes its sound.

    Args:
        film: FILM.
    """
    return mix_of(film["dub_kind"], film["sound_layout"], has_me=bool(film["me_uri"]))


def _mix(film: Row) -> list[str]:
    mix, layout = film_mix(film), film["sound_layout"]
    if mix is Mix.DIALOGUE_ONLY and film["num_sounds"]:
        return ["DIALOGUE ONLY: its dub track has no music and no effects; give its me_stem, or a dub_mix"]
    if mix is Mix.IN_CENTRE:
        return [f"its stem takes the place of the centre of its own {layout} sound: what else lay there is not heard"]
    return []


def _picture(film: Row) -> list[str]:
    """What is told before anything is painted of a film whose GOPs cannot be replaced one by one."""
    why = film["whole"] and WHOLE_WORDS[Whole(film["whole"])]
    if not why:
        return []
    inserts = "--inserts writes the changed shots as ProRes too, to be cut into the film itself"
    return [f"ENCODED WHOLE: where a mouth changes all of its picture is encoded again, as {why}; {inserts}"]


def _conform(film: Row) -> list[str]:
    effects = film["me_conform"]
    heard = conform_notice("its me_stem is", effects) if effects and is_found(effects) else []
    return [*conform_notice("its mix is", film["conform"]), *heard, *beside_effects(film)]
