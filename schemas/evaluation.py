"""What is measured of a model on a list of pairs: one row a pair."""

from enum import StrEnum

import pyarrow as pa

from schemas.column import column


class PairReason(StrEnum):
    """Why nothing was measured of a pair."""

    MISSING_FILE = "missing_file"  # not there, a folder, or empty
    UNDECODABLE = "undecodable"  # picture or sound cannot be decoded, or there is none
    TOO_SHORT = "too_short"  # no frame has its mel window
    NO_FACE = "no_face"  # a frame without a face: the published path ends there
    BAD_PHONES = "bad_phones"  # phone times lie beside the clip that is heard, and cannot be read


def _measure(name: str, doc: str, unit: str = "") -> pa.Field:
    return column(name, pa.float64(), doc, unit=unit, nullable=True)


EVALUATED_PAIR = pa.schema(
    [
        column("audio", pa.string(), "The clip that is heard, as the list names it."),
        column("video", pa.string(), "The clip that is seen, as the list names it."),
        column("reason", pa.string(), "Why nothing was measured; null when something was.", nullable=True),
        column("detail", pa.string(), "The reason in words; empty without one."),
        column("num_frames", pa.int32(), "Frames painted, at 25 fps.", unit="frame"),
        column("width_px", pa.int32(), "Width of the picture: distances are in its pixels.", unit="px"),
        column("height_px", pa.int32(), "Height of the picture.", unit="px"),
        column("crop", pa.string(), "Which crop the model saw: face_box, voxceleb2 or own."),
        _measure("psnr_db", "Mean over frames beside the true ones; null in cross mode with another's sound.", "dB"),
        _measure("ssim", "Mean over frames beside the true ones; null in cross mode with another's sound."),
        _measure("lpips_alex", "LPIPS 0.1 over AlexNet beside sampled true frames; null without its backbone."),
        _measure("st_lpips_alex", "Shift-tolerant LPIPS over AlexNet beside sampled true frames; null without it."),
        _measure("lmd_px", "Mean landmark distance of 40 lip points to the clip that is heard.", "px"),
        _measure("lmd_share", "Share of the frames in which both mouths were found."),
        _measure("lse_c", "Confidence of the judge of lip sync; null without a judge."),
        _measure("lse_d", "Distance by the judge of lip sync; null without a judge."),
        _measure("av_offset_ms", "Lip-sync error by the judge; positive: sound after picture.", "ms"),
        _measure("leakage", "How open the mouth stays when painted to silence, as a share of the person's own range."),
        _measure("bilabial_closure", "Share of p, b and m at which the painted lips close; null without phone times."),
        _measure("seam_ratio", "Gradient across the border of the painted part, painted over original."),
        _measure("flicker_ratio", "Jitter of mean luma in the painted part, painted over original."),
        _measure("outside_change", "Largest change of a sample outside the painted part.", "code"),
        column("seconds", pa.float64(), "What the pair took, all in all.", unit="s"),
    ]
)

HELD_FIGURES = pa.schema(
    [
        column("name", pa.string(), "Identity, video, utterance and stretch."),
        column("identity", pa.string(), "Who is seen: people, not frames, are what a sample is made of."),
        column("num_frames", pa.int32(), "Frames painted.", unit="frame"),
        _measure("mouth_psnr_db", "Of the mouth beside the true one, painted to its own sound.", "dB"),
        _measure("shuffled_psnr_db", "The same, painted to the sound of other frames of the stretch.", "dB"),
        _measure("copied_psnr_db", "The same of the reference, laid there as it is.", "dB"),
        _measure("opening_correlation", "Of painted and true inner-lip gaps; null where the mouth hardly moves."),
        _measure("loudness_correlation", "Of the loudness of the sound and true gaps: what a model must better."),
        _measure("shift_p", "Of the painted gaps against the true ones, by circular shifts; null below 38 frames."),
        _measure("leakage", "How far mouths painted to silence stay open, as a share of the person's range."),
        _measure("flicker_ratio", "Frame-to-frame jitter of the painted part over that of the film; null below 3."),
        _measure("identity_distance", "Of painted and true faces by a recognition network; null without one."),
    ]
)
