"""Per-frame lists, which are media and live behind a uri: face tracks, painted crops, patches."""

import pyarrow as pa

from schemas.column import column, widen

NUM_LANDMARKS = 468
LANDMARKS = pa.list_(pa.float32(), NUM_LANDMARKS * 2)
AFFINE = pa.list_(pa.float64(), 6)

# Frame after frame, the tracks of each beside one another: whoever reads one track looks for its index.
TRACK_FRAME = pa.schema(
    [
        column("track_index", pa.int32(), "The face track, from 0."),
        column("pts", pa.int64(), "The frame.", unit="time_base"),
        column("detected", pa.bool_(), "False where a gap was bridged."),
        column("score", pa.float32(), "Detector score, 0..1."),
        column("box", pa.list_(pa.float32(), 4), "x0 y0 x1 y1, half-open, smoothed.", unit="film px"),
        column("landmarks", LANDMARKS, "Face mesh, x y in turn, smoothed.", unit="film px"),
        column("opening", pa.float32(), "Inner-lip gap over mouth width, not smoothed."),
        column("affine", AFFINE, "Film pixels to crop pixels, row by row; pixel centres at integers."),
    ]
)

CROPPED_FRAME = widen(TRACK_FRAME, column("crop", pa.binary(), "Source crop, size x size x 3 bytes, RGB."))

PAINTED_FRAME = pa.schema(
    [
        column("pts", pa.int64(), "The frame.", unit="time_base"),
        column("affine", AFFINE, "Film pixels to crop pixels, row by row; pixel centres at integers."),
        column("weight", pa.float32(), "Share of the painted mouth, 0..1: fades where painting starts and ends."),
        column("landmarks", LANDMARKS, "Face mesh of the source frame, x y in turn.", unit="film px"),
        column("source", pa.binary(), "Source crop, size x size x 3 bytes, RGB."),
        column("crop", pa.binary(), "Painted crop, size x size x 3 bytes, RGB."),
    ]
)

PATCH = pa.schema(
    [
        column("pts", pa.int64(), "The frame.", unit="time_base"),
        column("track_index", pa.int32(), "The face track that it paints."),
        column("x", pa.int32(), "Left edge, even.", unit="film px"),
        column("y", pa.int32(), "Upper edge, even.", unit="film px"),
        column("width", pa.int32(), "Even.", unit="film px"),
        column("height", pa.int32(), "Even.", unit="film px"),
        column("planes", pa.list_(pa.binary()), "New samples of each plane in the rectangle, native depth."),
        column("mask", pa.binary(), "1 byte a luma sample: 1 where the sample may differ from the source."),
    ]
)
