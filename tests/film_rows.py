"""Rows of a film of which a test knows everything."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.reason import Verdict
from schemas.shot import ALIGNED_SHOT, PAINTED_SHOT
from schemas.timing import ANALYSIS_RATE_HZ, rational
from tests.synthetic import SyntheticFilm

UNHEARD: dict[str, Any] = {  # columns of ALIGNED_SHOT, where nobody listened to voices, sounds and lines
    "original_voices": [],
    "sounds_uri": None,
    "dub_words": [],
    "dub_text": None,
    "recognised_text": None,
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
        "source_language": None,
        "film_uri": str(film.path),
        "dub_uri": str(dub or film.path),
        "dub_place": 0,
        "dub_kind": "dub_stem",
        "dub_channel": "mean",
        "dub_digest": "a" * 64,
        "sheet_uri": None,
        "sheet_digest": None,
        "lines_uri": None,
        "conform": None,
        "me_conform": None,
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
        "sound_place": 0,
        "sound_layout": film.spec.layout if film.spec.languages else None,
        "time_base": rational(film.time_base),
        "frame_rate": rational(film.spec.frame_rate),
        "start_pts": film.pts[0],
        "end_pts": film.end_pts,
        "num_frames": len(film.pts),
        "num_gops": 1,
        "whole": None,
        "colours": [],
        "notes": [],
        **changes,
    }


def as_shot(film: dict[str, Any], num_frames: int) -> pa.Table:
    """ALIGNED_SHOT of the first frames of a FILM row at 25 fps, in which somebody speaks all the time."""
    ticks = (film["end_pts"] - film["start_pts"]) * num_frames // film["num_frames"]
    span = {"shot_start_pts": film["start_pts"], "shot_end_pts": film["start_pts"] + ticks}
    speech = [{"start": 0, "end": num_frames * ANALYSIS_RATE_HZ // 25}]
    sound = {"dub_start_sample": 0, "dub_end_sample": speech[0]["end"], "lag_samples": 0}
    spans = {"dub_speech": speech, "original_speech": speech, "original_overlap": [], **UNHEARD}
    shot = {"shot_index": 0, "num_shots": 1, "shot_num_frames": num_frames}
    return pa.Table.from_pylist([film | span | shot | sound | spans], schema=ALIGNED_SHOT)


def painted_shot(film: SyntheticFilm, uri: str, num_frames: int, verdict: Verdict = Verdict.DUB) -> dict[str, Any]:
    """A PAINTED_SHOT row of one track, with what compositing asks for."""
    return {field.name: None for field in PAINTED_SHOT} | {
        "film_id": "f",
        "film_uri": str(film.path),
        "width_px": film.spec.width_px,
        "height_px": film.spec.height_px,
        "time_base": rational(film.time_base),
        "verdicts": [{"track_index": 0, "verdict": verdict.value, "reason": None}],
        "painted": [{"track_index": 0, "painted_uri": uri, "num_frames": num_frames, "seconds": 0.0}],
    }
