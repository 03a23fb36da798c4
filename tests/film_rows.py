"""Rows of a film of which a test knows everything."""

from pathlib import Path
from typing import Any

from schemas.timing import rational
from tests.synthetic import SyntheticFilm

UNHEARD: dict[str, Any] = {  # columns of ALIGNED_SHOT, where nobody listened to voices, sounds and lines
    "original_voices": [],
    "sounds_uri": None,
    "dub_words": [],
    "dub_lines": [],
    "unlined_speech_s": None,
}


def film_row(film: SyntheticFilm, dub: Path | None = None, **changes: Any) -> dict[str, Any]:
    """A FILM row of a synthetic film; the dub is the film's own sound unless another file is given."""
    return {
        "film_id": "f" * 64,
        "dub_id": "d" * 64,
        "title": film.path.stem,
        "language": "es",
        "film_uri": str(film.path),
        "dub_uri": str(dub or film.path),
        "dub_kind": "dub_stem",
        "dub_digest": "a" * 64,
        "sheet_uri": None,
        "sheet_digest": None,
        "lines_uri": None,
        "conform": None,
        "script_uri": None,
        "script_digest": None,
        "me_uri": None,
        "me_digest": None,
        "cast_uri": None,
        "cast_digest": None,
        "width_px": film.spec.width_px,
        "height_px": film.spec.height_px,
        "pixel_format": film.spec.pixel_format,
        "video_codec": "h264",
        "num_sounds": len(film.spec.languages),
        "sound_rate_hz": film.spec.sample_rate_hz if film.spec.languages else None,
        "sound_layout": film.spec.layout if film.spec.languages else None,
        "time_base": rational(film.time_base),
        "frame_rate": rational(film.spec.frame_rate),
        "start_pts": film.pts[0],
        "end_pts": film.end_pts,
        "num_frames": len(film.pts),
        "num_gops": 1,
        "whole": None,
        **changes,
    }
