"""Where the chroma of a film lies between its luma samples. Bitstreams say so; frames, as they come here, do not."""

from enum import IntEnum

import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.nal import Avc, Hevc
from pipelines.media.parameter_sets import read_sets
from pipelines.media.vui import chroma_siting

Floats = NDArray[np.float32]
SPS_KINDS = {"h264": int(Avc.SPS), "hevc": int(Hevc.SPS)}
AV1_RECORD = 0x81  # marker and version of av1C
AV1_TOP_LEFT = 2  # `chroma_sample_position` of the AV1 specification, 6.4.2


class Siting(IntEnum):
    """Place of a chroma sample in its block of two by two luma samples: `chroma_sample_loc_type`, H.264 Figure E-1.

    The film's columns count in 4:2:2 too, its rows in 4:2:0 alone.
    """

    LEFT = 0
    CENTRE = 1
    TOP_LEFT = 2
    TOP = 3
    BOTTOM_LEFT = 4
    BOTTOM = 5

    @property
    def column(self) -> float:
        """In luma columns from the left one of its block: 0 or 0.5."""
        return 0.5 if self in (Siting.CENTRE, Siting.TOP, Siting.BOTTOM) else 0.0

    @property
    def row(self) -> float:
        """In luma rows from the upper one of its block: 0, 0.5 or 1."""
        if self in (Siting.LEFT, Siting.CENTRE):
            return 0.5
        return 0.0 if self in (Siting.TOP_LEFT, Siting.TOP) else 1.0


def siting_of(stream: VideoStream) -> Siting:
    """Where a film's chroma lies, as its first parameter set says; left where nothing is said, as players take it.

    JPEG has it in the middle, also in 4:2:2. Of what else is not 4:2:0 it lies on even columns.
    """
    context = stream.codec_context
    codec, extradata = context.codec.canonical_name, bytes(context.extradata or b"")
    if codec == "mjpeg":
        return Siting.CENTRE
    if "420" not in (context.pix_fmt or ""):
        return Siting.LEFT
    if codec == "av1" and len(extradata) > 2 and extradata[0] == AV1_RECORD:
        return Siting.TOP_LEFT if extradata[2] & 3 == AV1_TOP_LEFT else Siting.LEFT
    return _declared(codec, extradata) if codec in SPS_KINDS else Siting.LEFT


def _declared(codec: str, extradata: bytes) -> Siting:
    try:
        sets = read_sets(codec, extradata).sets.get(SPS_KINDS[codec], ())
        return Siting((chroma_siting(sets[0], codec) if sets else None) or Siting.LEFT)
    except ValueError:  # a set that cannot be read, or a place that no standard has
        return Siting.LEFT


def halved(samples: Floats, place: float) -> Floats:
    """[N / 2, M] of [N, M]: every second row, each the mean around its own place.

    Args:
        samples: N is even.
        place: of the new rows, in old ones from the first of each two: on it (0), between them (0.5), or on the
            second (1).
    """
    if place == 0.5:
        return np.asarray((samples[::2] + samples[1::2]) * np.float32(0.5), np.float32)
    padded = np.pad(samples, ((1, 1), (0, 0)), mode="edge")[int(place) :]
    around = padded[:-2:2] + padded[1:-1:2] * np.float32(2) + padded[2::2]
    return np.asarray(around * np.float32(0.25), np.float32)
