"""What the training pipeline yields: facts of every clip, and the stretches of talking faces to learn from."""

from enum import StrEnum

import pyarrow as pa

from schemas.column import column, widen

GRID_RATE = 25  # frames a second: the rate of VoxCeleb2, and of five frames in a mel window of 200 ms
MAX_STRETCH_FRAMES = 250  # 10 s
MARGIN_SAMPLES = 12_800  # 0.8 s of sound either side: half a mel window, and an offset of 15 frames, both ways


class ClipStatus(StrEnum):
    """How a clip ended in the pipeline."""

    OK = "ok"
    FAILED = "failed"


class ClipReason(StrEnum):
    """Why a clip cannot be learnt from; no threshold is in it."""

    MISSING_SOUND = "missing_sound"  # neither inside nor in the parallel tree
    UNDECODABLE = "undecodable"  # picture or sound
    SILENT = "silent"  # not one sample above the floor
    NO_FACE = "no_face"  # in no five frames after one another
    TOO_SHORT = "too_short"  # less than a mel window
    WORKER_DIED = "worker_died"


class FilterReason(StrEnum):
    """Why the thresholds of a training leave a clip out; the first that holds, in this order."""

    UNMEASURED = "unmeasured"  # no judge was there, and the training wants one
    LOW_CONFIDENCE = "low_confidence"
    LARGE_OFFSET = "large_offset"
    SMALL_FACE = "small_face"
    TURNED_AWAY = "turned_away"
    BLURRED = "blurred"
    FACE_LOST = "face_lost"
    STILL_MOUTH = "still_mouth"


def _bare(schema: pa.Schema) -> pa.DataType:
    """A row of a schema inside another row, explained where it stands by itself."""
    return pa.struct([field.remove_metadata() for field in schema])


CLIP = pa.schema(
    [
        column("split", pa.string(), "dev or test; empty where the tree has none."),
        column("identity", pa.string(), "Who is seen: idXXXXX."),
        column("video", pa.string(), "The video that the clip was cut from."),
        column("utterance", pa.string(), "Which clip of that video: 00001."),
        column("picture_uri", pa.string(), "The .mp4 file."),
        column("sound_uri", pa.string(), "What is heard where the .mp4 has no sound: the .m4a.", nullable=True),
    ]
)

CLIP_FACTS = widen(
    CLIP,
    column("digest", pa.string(), "SHA-256 of picture and sound; empty where a file cannot be read."),
    column("status", pa.string(), "ok or failed."),
    column("reason", pa.string(), "Why it failed; null for ok.", nullable=True),
    column("detail", pa.string(), "The reason in words; empty for ok."),
    column("num_frames", pa.int32(), "Frames at 25 fps; 0 where the picture was not decoded.", unit="frame"),
    column("num_stretches", pa.int32(), "Rows of UTTERANCE that it gave."),
    column("num_face_frames", pa.int32(), "Frames in those rows.", unit="frame"),
    column("face_height_px", pa.float32(), "Median height of the face.", unit="px", nullable=True),
    column("yaw_deg", pa.float32(), "Median turn of the head, without sign.", unit="degree", nullable=True),
    column("sharpness", pa.float32(), "Median variance of the Laplacian of the face's luma.", nullable=True),
    column("opening_range", pa.float32(), "95 % minus 5 % quantile of inner-lip gap over mouth width.", nullable=True),
    column(
        "speaking_score",
        pa.float32(),
        "How surely it makes the sound, 0..1: its best piece.",
        nullable=True,
    ),
    column("av_offset_ms", pa.float32(), "By the judge; positive: sound after picture.", unit="ms", nullable=True),
    column("sync_confidence", pa.float32(), "LSE-C by the judge.", nullable=True),
    column("judge", pa.string(), "Digest of the judge; empty without one."),
    column("shard_uri", pa.string(), "Where its rows of UTTERANCE lie; null for failed.", nullable=True),
)

SHARD = pa.schema(
    [
        column("title", pa.string(), "Split, identity and number of the shard, for people."),
        column("split", pa.string(), "Of all its clips."),
        column("identity", pa.string(), "Of all its clips."),
        column("shard_index", pa.int32(), "Which shard of the identity, from 0."),
        column("seen_key", pa.string(), "Digest of names, sizes and times of its files, and of the settings."),
        column("clips", pa.list_(_bare(CLIP)), "CLIP: its clips, in order."),
    ]
)

CUT_SHARD = widen(
    SHARD,
    column("facts", pa.list_(_bare(CLIP_FACTS)), "CLIP_FACTS: one of each clip, in order."),
    column("shard_key", pa.string(), "Key of the table of UTTERANCE; null where no clip gave one.", nullable=True),
    column("shard_digest", pa.string(), "SHA-256 of that table's file.", nullable=True),
    column("num_rows", pa.int32(), "Rows of that table."),
)

PLACES = ("picture_uri", "sound_uri", "shard_uri")  # of CLIP_FACTS: where things lie, which no content depends on

UTTERANCE = pa.schema(
    [
        column("split", pa.string(), "As in CLIP."),
        column("identity", pa.string(), "As in CLIP."),
        column("video", pa.string(), "As in CLIP."),
        column("utterance", pa.string(), "As in CLIP."),
        column("stretch_index", pa.int32(), "Which stretch of the clip, from 0."),
        column("first_frame", pa.int32(), "Its first frame in the clip at 25 fps.", unit="frame"),
        column("num_frames", pa.int32(), "5 to 250 frames after one another, a face in each.", unit="frame"),
        column("pictures", pa.list_(pa.binary()), "A JPEG a frame: a square with margin around the face."),
        column("mouths", pa.list_(pa.float32()), "Left, right, inner top, inner bottom: 8 a frame.", unit="px"),
        column("openings", pa.list_(pa.float32()), "Inner-lip gap over mouth width of each frame."),
        column("sound", pa.binary(), "Mono int16 at 16 kHz: the stretch, and 0.8 s more on both sides."),
    ]
)
