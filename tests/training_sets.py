"""A training set made up without a film: every picture and every stretch of sound says where it lies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.storage import ObjectStore, content_key
from pipelines.training_set import TrainingSet, facts_table, open_training_set, write_training_set
from pipelines.training_window import TRAINING_WINDOW
from schemas.training import MARGIN_SAMPLES, UTTERANCE

NUM_FRAMES = 40
FRAME_SAMPLES = 640
STORE = ".work"
Pixels = NDArray[np.uint8]


def picture(identity: int, frame: int) -> Pixels:
    """A window whose red says who it is, whose green says when, and whose blue rises from left to right."""
    side = TRAINING_WINDOW.size_px
    pixels = np.empty((side, side, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = 20 * identity, 5 * frame
    pixels[..., 2] = np.arange(side)
    return pixels


def loud_at(frames: Sequence[int], num_frames: int = NUM_FRAMES, late_samples: int = 0) -> NDArray[np.int16]:
    """Sound of a stretch that is loud for a frame from each of these on, silent else; all of it may be late."""
    sound = np.zeros(num_frames * FRAME_SAMPLES + 2 * MARGIN_SAMPLES)
    rng = np.random.default_rng(0)
    for frame in frames:
        begin = MARGIN_SAMPLES + frame * FRAME_SAMPLES + late_samples
        sound[begin : begin + FRAME_SAMPLES] = rng.normal(0, 8000, FRAME_SAMPLES)
    return sound.clip(-32768, 32767).astype(np.int16)


def utterance(identity: int, sound: NDArray[np.int16], num_frames: int = NUM_FRAMES) -> dict[str, Any]:
    """A row of UTTERANCE."""
    pictures = [picture(identity, frame)[..., ::-1] for frame in range(num_frames)]
    return {
        **clip_names(identity),
        "stretch_index": 0,
        "first_frame": 0,
        "num_frames": num_frames,
        "pictures": [bytes(cv2.imencode(".png", pixels)[1]) for pixels in pictures],  # exact, and read as a JPEG is
        "mouths": [0.0] * 8 * num_frames,
        "openings": [0.1] * num_frames,
        "sound": sound.tobytes(),
    }


def clip_names(identity: int, split: str = "dev") -> dict[str, str]:
    """What a clip is called."""
    return {"split": split, "identity": f"id{identity:05d}", "video": "v", "utterance": "00001"}


def clip_facts(identity: int, **changes: Any) -> dict[str, Any]:
    """CLIP_FACTS of a clip that every threshold lets pass."""
    return {
        **clip_names(identity),
        "picture_uri": "gone.mp4",
        "sound_uri": "gone.mp4",
        "digest": f"{identity:064x}",
        "status": "ok",
        "reason": None,
        "detail": "",
        "num_frames": NUM_FRAMES,
        "num_stretches": 1,
        "num_face_frames": NUM_FRAMES,
        "face_height_px": 120.0,
        "yaw_deg": 3.0,
        "sharpness": 100.0,
        "opening_range": 0.3,
        "speaking_score": 0.9,
        "av_offset_ms": None,
        "sync_confidence": None,
        "judge": "",
        "shard_uri": "where it was made",
        **changes,
    }


def make_training_set(
    folder: Path, rows: Sequence[dict[str, Any]], facts: Sequence[dict[str, Any]], digest: str = "ab" * 32
) -> TrainingSet:
    """Write a training set of one shard for each row."""
    store = ObjectStore(str(folder / STORE))
    shards = []
    for row in rows:
        key = content_key("test-shard", 1, {"identity": row["identity"], "digest": digest})
        store.put_table(key, pa.Table.from_pylist([row], schema=UTTERANCE))
        named = {name: row[name] for name in ("split", "identity")}
        shards.append({"key": key, "digest": key, "num_rows": 1, "num_frames": row["num_frames"], **named})
    manifest = {"digest": digest, "settings": {"config": {"crop": "tracked"}}, "store": STORE, "shards": shards}
    write_training_set(str(folder), facts_table(list(facts)), manifest)
    return open_training_set(str(folder))


def talking_set(folder: Path, identities: int = 8) -> TrainingSet:
    """Identities that are loud in every third frame."""
    rows = [utterance(number, loud_at(range(number % 3, NUM_FRAMES, 3))) for number in range(identities)]
    return make_training_set(folder, rows, [clip_facts(number) for number in range(identities)])
