"""Shots with face tracks, made up: what the plan is given."""

from pathlib import Path
from typing import Any

from pipelines.speaking import speech_pieces
from schemas.timing import ANALYSIS_RATE_HZ
from tests.film_rows import UNHEARD, film_row
from tests.synthetic import PAL_25, FilmSpec, SyntheticFilm

TICKS_PER_FRAME = 512  # of an mp4 at 25 fps
SAMPLES_PER_FRAME = ANALYSIS_RATE_HZ // 25
SPOKEN = ((20, 60),)  # frames


def spans(frames: tuple[tuple[int, int], ...]) -> list[dict[str, int]]:
    """Frames as a row holds sample spans."""
    return [{"start": a * SAMPLES_PER_FRAME, "end": b * SAMPLES_PER_FRAME} for a, b in frames]


def track(index: int = 0, **changes: Any) -> dict[str, Any]:
    """A face track over the whole of a shot of 100 frames that any threshold lets pass."""
    return {
        "track_index": index,
        "num_frames": 100,
        "start_pts": 0,
        "end_pts": 100 * TICKS_PER_FRAME,
        "face_height_px": 120.0,
        "enlargement": 1.0,
        "yaw_deg": 5.0,
        "pitch_deg": 2.0,
        "stretches": [],
        "smear": 0.01,
        "covers": [],
        "score": 0.99,
        "speaking_score": 0.9,
        "descriptor": [],
        "spread": 0.0,
        **changes,
    }


def shot(*tracks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A TRACKED_SHOT of 100 frames at 25 fps from time 0, in which dub and original speak in frames 20 to 60."""
    film = SyntheticFilm(Path("film.mp4"), FilmSpec(), 1 / (PAL_25 * TICKS_PER_FRAME), (0,), 100 * TICKS_PER_FRAME, ())
    return {
        **film_row(film),
        "shot_index": 0,
        "num_shots": 1,
        "shot_start_pts": 0,
        "shot_end_pts": 100 * TICKS_PER_FRAME,
        "shot_num_frames": 100,
        "dub_start_sample": 0,
        "dub_end_sample": 100 * SAMPLES_PER_FRAME,
        "lag_samples": 0,
        "dub_speech": spans(SPOKEN),
        "original_speech": spans(SPOKEN),
        "original_overlap": [],
        **UNHEARD,
        "tracks_uri": "tracks" if tracks else None,
        "picture_lost": False,
        "tracks": [_heard(one, changes.get("original_speech", spans(SPOKEN))) for one in tracks],
        **changes,
    }


def _heard(one: dict[str, Any], speech: list[dict[str, int]]) -> dict[str, Any]:
    """The track with its speaking score in all pieces of the speech in which it is seen."""
    seen = [one[edge] // TICKS_PER_FRAME * SAMPLES_PER_FRAME for edge in ("start_pts", "end_pts")]
    pieces = speech_pieces([(span["start"], span["end"]) for span in speech])
    scores = [
        {"start": start, "end": end, "score": one["speaking_score"]}
        for start, end in pieces
        if start < seen[1] and seen[0] < end
    ]
    return {"speech_scores": scores, **one}
