"""The sound of a clip at 16 kHz, counted from its first frame: 640 samples a frame at 25 fps."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.heard_sound import HOP_SAMPLES
from pipelines.media.sound import has_sound, read_mono
from pipelines.unfit_clip import UnfitClipError
from schemas.timing import ANALYSIS_RATE_HZ
from schemas.training import GRID_RATE, MARGIN_SAMPLES, ClipReason

FRAME_SAMPLES = ANALYSIS_RATE_HZ // GRID_RATE
INT16_FULL_SCALE = 32_768
SILENCE_PEAK = 32  # of int16, -60 dB: below it lies the noise of a coder, not a voice
SPOKEN_RANGE_DB = 30.0  # below the loudest: pauses between words are quieter

Codes = NDArray[np.int16]  # [N]


def heard_file(picture: Path, beside: Path | None) -> Path:
    """The file whose sound goes with a picture: the picture's own, else the one beside.

    Raises:
        UnfitClipError: neither has any.
        UndecodableError: a file cannot be opened.
    """
    if has_sound(picture):
        return picture
    if beside is None:
        raise UnfitClipError(ClipReason.MISSING_SOUND, f"{picture.name} has no sound, and there is no .m4a in aac/")
    return beside


def read_clip_sound(path: Path, first_frame_s: Fraction) -> Codes:
    """[N] mono int16; sample 0 at the first frame.

    Raises:
        UnfitClipError: it is silent.
        UndecodableError: it cannot be decoded.
    """
    sound = read_mono(path, ANALYSIS_RATE_HZ, first_frame_s)
    codes = np.rint(sound * INT16_FULL_SCALE).clip(-INT16_FULL_SCALE, INT16_FULL_SCALE - 1).astype(np.int16)
    peak = int(np.abs(codes.astype(np.int32)).max())
    if peak < SILENCE_PEAK:
        raise UnfitClipError(ClipReason.SILENT, f"the loudest sample of {path.name} is {peak} of {INT16_FULL_SCALE}")
    return codes


def with_margin(sound: Codes, first_frame: int, num_frames: int) -> Codes:
    """[num_frames * 640 + 2 * MARGIN_SAMPLES] a stretch and what is heard around it; zeros beyond the sound's ends."""
    start = first_frame * FRAME_SAMPLES - MARGIN_SAMPLES
    end = (first_frame + num_frames) * FRAME_SAMPLES + MARGIN_SAMPLES
    part = sound[max(0, start) : min(end, len(sound))]
    return np.pad(part, (max(0, -start), max(0, end - len(sound))))


def spoken_spans(loud: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Where it is loud enough to be speech, as spans of samples; VoxCeleb2 is cut to speech already.

    Args:
        loud: `loudness` of the clip in dB, 50 a second.
    """
    on = np.concatenate([[False], loud > loud.max() - SPOKEN_RANGE_DB, [False]])
    edges = np.flatnonzero(on[1:] != on[:-1]) * HOP_SAMPLES
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
