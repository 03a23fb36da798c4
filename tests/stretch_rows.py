"""STRETCH rows made up without a data set."""

import pyarrow as pa

from schemas.stretch import STRETCH


def stretches(lengths: dict[str, list[int]]) -> pa.Table:
    """STRETCH rows: for each identity the lengths of its clips."""
    rows = [
        {
            "shard_uri": f"{identity}.parquet",
            "row_index": index,
            "identity": identity,
            "video": "v",
            "utterance": f"{index:05d}",
            "stretch_index": 0,
            "num_frames": length,
            "lead_samples": 0,
            "held_out": True,
        }
        for identity, clips in lengths.items()
        for index, length in enumerate(clips)
    ]
    return pa.Table.from_pylist(rows, schema=STRETCH)
