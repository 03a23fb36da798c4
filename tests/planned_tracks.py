"""A planned shot whose tracks and crops lie in storage, as painting finds them; crops are noise."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.media.sound import write_wav
from pipelines.storage import ObjectStore
from schemas.frames import CROPPED_FRAME, NUM_LANDMARKS
from schemas.reason import Verdict
from schemas.timing import ANALYSIS_RATE_HZ
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track

HIDDEN = (7, 8)  # frames without a face


def track_rows(track_index: int, num_frames: int, size_px: int) -> list[dict[str, Any]]:
    """Noise for a face; in the frames that are divisible by 5 its mouth is closed."""
    rng = np.random.default_rng(track_index)
    return [
        {
            "track_index": track_index,
            "pts": index * TICKS_PER_FRAME,
            "detected": index not in HIDDEN,
            "score": 0.9,
            "box": [0.0, 0.0, 9.0, 9.0],
            "landmarks": rng.random(NUM_LANDMARKS * 2).astype(np.float32).tolist(),
            "opening": 0.3 * (index % 5 != 0),
            "affine": rng.random(6).tolist(),
            "crop": rng.integers(0, 255, (size_px, size_px, 3), np.uint8).tobytes(),
        }
        for index in range(num_frames)
    ]


def planned(folder: Path, num_frames: int, spoken: tuple[int, int], size_px: int) -> dict[str, Any]:
    """A shot with two tracks of which the second one is to be painted."""
    rng = np.random.default_rng(0)
    write_wav(folder / "dub.wav", rng.normal(0, 0.1, num_frames * ANALYSIS_RATE_HZ // 25).astype(np.float32), 16_000)
    both = zip(*(track_rows(index, num_frames, size_px) for index in range(2)), strict=True)
    rows = [row for of_frame in both for row in of_frame]  # in order of time, as TrackFaces writes them
    uri = ObjectStore(str(folder)).put_table("ab" * 32, pa.Table.from_pylist(rows, schema=CROPPED_FRAME))
    end_pts = num_frames * TICKS_PER_FRAME
    verdicts = [Verdict.LEAVE, Verdict.DUB]
    return shot(
        *(track(index, num_frames=num_frames, end_pts=end_pts) for index in range(2)),
        tracks_uri=uri,
        crops_uri=uri,  # more columns than a table of tracks has harm nobody
        dub_uri=str(folder / "dub.wav"),
        dub_speech=spans((spoken,)),
        original_speech=[],
        shot_end_pts=end_pts,
        verdicts=[
            {"track_index": index, "verdict": verdict, "reason": None} for index, verdict in enumerate(verdicts)
        ],
        reason=None,
    )
