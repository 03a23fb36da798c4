"""Stage CutClips of the VoxCeleb2 pipeline: a shard of clips of one person becomes a table to learn from."""

import hashlib
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from diff2lip.checkpoint import load_judge
from diff2lip.syncnet import Judge
from pipelines.clip_cut import ClipCutter, CutConfig
from pipelines.clip_face import MIN_FRAMES, FaceFinder
from pipelines.clip_sound import heard_file
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.media.container import UndecodableError
from pipelines.media.refusal import MediaRefusedError, check_file
from pipelines.row_table import TableDraft, draft_table
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, file_digest, object_digest
from pipelines.training_window import PUBLISHED_SIZE_PX, TRAINING_WINDOW
from pipelines.unfit_clip import UnfitClipError
from schemas.training import CLIP, CLIP_FACTS, CUT_SHARD, PLACES, SHARD, UTTERANCE, ClipReason, ClipStatus

VERSION = 6  # raised when the same clips give other rows or facts, and when `expected_opening` is fitted anew
NAMES = tuple(name for name in CLIP.names if name not in PLACES)
MEASURED = CLIP_FACTS.names[CLIP_FACTS.names.index("num_frames") : CLIP_FACTS.names.index("judge")]
COUNTS = ("num_frames", "num_stretches", "num_face_frames")


class CutClips(RowStage):
    """Adds the facts of each clip, and the table of its shard. A clip that gives nothing says why and costs no other.

    What was cut of the same bytes with the same settings is found.
    """

    consumes: ClassVar[pa.Schema] = SHARD
    produces: ClassVar[pa.Schema] = CUT_SHARD

    def __init__(self, *, store_uri: str, config: CutConfig, judge_path: str = "", judge_digest: str = "") -> None:
        self._store_uri, self._config = store_uri, config
        self._judge_path, self._judge_digest = judge_path, judge_digest
        every = min(config.detector.detect_every, MIN_FRAMES)  # so no stretch of a face lies between two looks
        finder = FaceFinder(FaceDetector(config.detector), FaceMesh(), every, config.tracks, TRAINING_WINDOW)
        self._cutter = ClipCutter(config, finder, lambda: self._judge)

    def facts(self, row: Row) -> Row:
        clips = row["clips"]
        digests = [clip_digest(clip) for clip in clips]
        named = [[*(clip[name] for name in NAMES), digest] for clip, digest in zip(clips, digests, strict=True)]
        facts = cut_facts(self._config, self._judge_digest)
        key = content_key("clips", VERSION, {"clips": named, **facts})
        stored = self._store.find_facts(key, "shard_key")
        if stored is None:
            stored = self._cut(clips, digests, content_key("utterances", VERSION, {"clips": named, **facts}))
            self._store.put_json(key, stored)
        if all(digests):  # a file that cannot be read may be readable in the next run
            self._store.put_json(row["seen_key"], stored)
        return placed(stored, clips, self._store)

    def _cut(self, clips: list[Row], digests: list[str], key: str) -> Row:
        """The stage's columns, without the places of anything."""
        self._judge  # noqa: B018 - a judge that is gone is no fault of a clip
        with draft_table(self._store, UTTERANCE, rows_at_a_time=1) as table:
            facts = [
                {name: clip[name] for name in NAMES} | {"digest": digest} | self._clip(clip, table)
                for clip, digest in zip(clips, digests, strict=True)
            ]
            num_rows = table.num_rows
            if num_rows:
                table.commit(key)
        digest = object_digest(self._store.uri(key)) if num_rows else None
        return {"facts": facts, "shard_key": key if num_rows else None, "shard_digest": digest, "num_rows": num_rows}

    def _clip(self, clip: Row, table: TableDraft) -> Row:
        """The columns of a clip that are found out; its rows go into the table when it is whole."""
        judge = {"judge": self._judge_digest}
        try:
            check_file(Path(clip["picture_uri"]))
            cut = self._cutter.cut(clip, self.tell)
        except UnfitClipError as error:
            return failed(error.reason, error.detail, error.num_frames) | judge
        except (UndecodableError, MediaRefusedError, OSError) as error:
            return failed(ClipReason.UNDECODABLE, str(error)) | judge
        for row in cut.rows:
            table.add(row)
        return {"status": ClipStatus.OK.value, "reason": None, "detail": ""} | cut.facts | judge

    @cached_property
    def _judge(self) -> Judge | None:
        return load_judge(Path(self._judge_path)) if self._judge_path else None

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore(self._store_uri)


def cut_facts(config: CutConfig, judge_digest: str) -> dict[str, Any]:
    """What rows and facts depend on beside the clips, as JSON values."""
    plain = asdict(replace(config, detector=replace(config.detector, batch_size=1)))
    plain["tracks"] = {name: str(value) for name, value in plain["tracks"].items()}
    windows = {"window": asdict(TRAINING_WINDOW), "published_size_px": PUBLISHED_SIZE_PX}
    return {"config": plain, "judge": judge_digest, **windows}


def failed(reason: ClipReason, detail: str, num_frames: int = 0) -> Row:
    """The columns that are found out of a clip that gives nothing."""
    nothing = {name: 0 if name in COUNTS else None for name in MEASURED}
    status = {"status": ClipStatus.FAILED.value, "reason": reason.value, "detail": detail}
    return status | nothing | {"num_frames": num_frames}


def placed(stored: Row, clips: list[Row], store: ObjectStore) -> Row:
    """What was stored of a shard, with where its files lie in this run."""
    uri = store.uri(stored["shard_key"]) if stored["shard_key"] else None
    facts = [
        {**{name: clip[name] for name in CLIP.names}, **found, "shard_uri": uri if found["num_stretches"] else None}
        for clip, found in zip(clips, stored["facts"], strict=True)
    ]
    return stored | {"facts": facts}


def clip_digest(clip: Row) -> str:
    """SHA-256 of a clip's picture, or of the digests of both files where its sound lies beside; empty if unreadable.

    Only what is heard counts: an .m4a beside a picture with sound of its own changes nothing.
    """
    picture = Path(clip["picture_uri"])
    try:
        digest = file_digest(picture)
        beside = clip["sound_uri"] and heard_file(picture, Path(clip["sound_uri"])) != picture
        both = f"{digest}{file_digest(Path(clip['sound_uri']))}" if beside else ""
    except UndecodableError:
        return digest
    except OSError:
        return ""
    return hashlib.sha256(both.encode()).hexdigest() if both else digest
