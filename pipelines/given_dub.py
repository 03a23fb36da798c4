"""What the dub track of a film is made of, by its row: one answer for whoever writes it and whoever tells of it."""

from pathlib import Path

from pipelines.media.dub_track import DubSource
from pipelines.stage import Row
from schemas.mix import StemChannel
from schemas.timing import fraction


def given_dub(film: Row) -> DubSource:
    """The dub of a row of FILM or wider, as it is heard in the film.

    Music and effects are mixed with a stem alone.
    """
    return DubSource(
        film=Path(film["film_uri"]),
        start_s=film["start_pts"] * fraction(film["time_base"]),
        dub=Path(film["dub_uri"]),
        dub_kind=film["dub_kind"],
        music_and_effects=Path(film["me_uri"]) if film["me_uri"] and film["dub_kind"] != "dub_mix" else None,
        dub_place=film["dub_place"],
        source_language=film["source_language"],
        dub_channel=StemChannel(film["dub_channel"]),
    )
