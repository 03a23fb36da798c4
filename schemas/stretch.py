"""Where a training finds its stretches of talking faces: one row each, the pictures stay in the shards."""

import pyarrow as pa

from schemas.column import column

STRETCH = pa.schema(
    [
        column("shard_uri", pa.string(), "The table of UTTERANCE rows."),
        column("row_index", pa.int32(), "Which row of it."),
        column("identity", pa.string(), "Who is seen."),
        column("video", pa.string(), "The video."),
        column("utterance", pa.string(), "The clip of that video."),
        column("stretch_index", pa.int32(), "Which stretch of the clip."),
        column("num_frames", pa.int32(), "Its length.", unit="frame"),
        column("lead_samples", pa.int32(), "How much later than its picture the sound lies: taken back when drawn."),
        column("held_out", pa.bool_(), "Never trained on: figures are measured there."),
    ]
)
