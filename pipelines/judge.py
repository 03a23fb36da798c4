"""After stage 6, JudgeShot: what is painted is measured beside the film, and held against the gate.

It looks at the film with the patches laid, as a viewer will: nothing is taken from painter or compositor but these.
"""

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipelines.face_descriptor import FaceDescriber
from pipelines.face_frame import apply, invert
from pipelines.face_mesh import FaceMesh
from pipelines.gate import GateConfig, Try
from pipelines.media.container import UndecodableError
from pipelines.media.display import View, display_view
from pipelines.media.encode import with_planes
from pipelines.media.picture import coded_planes, frames
from pipelines.media.picture_part import part_around, parts_as_rgb
from pipelines.mouth_judge import MouthJudge, likeness
from pipelines.patch import Patch, lay, patch_of, window
from pipelines.progress import TELL_EVERY_FRAMES
from pipelines.row_table import FrameRows, read_columns
from pipelines.speaking import Mouth
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_heard import HEARD_FACTS, stored_heard
from schemas.shot import COMPOSITED_SHOT, JUDGED_SHOT
from schemas.timing import ANALYSIS_RATE_HZ, fraction

VERSION = 1  # raised when the same patches measure otherwise
AROUND = 0.4  # of a face's size: what the face mesh looks at beside its landmarks

Floats = NDArray[np.float64]
OF_SHOT = ("seam_ratio", "flicker_ratio")


class JudgeShot(RowStage):
    """Adds what the delivered patches of a shot measure, and which bounds of the gate they break."""

    consumes: ClassVar[pa.Schema] = COMPOSITED_SHOT
    produces: ClassVar[pa.Schema] = JUDGED_SHOT

    def __init__(self, store_uri: str, gate: GateConfig, how: Try = Try.FIRST) -> None:
        self._store_uri, self._gate, self._how = store_uri, gate, how
        self._mesh, self._describer = FaceMesh(), FaceDescriber()

    def facts(self, row: Row) -> Row:
        if row["patch_uri"] is None or not self._gate.max_tries:
            return {"tries": []}
        key = content_key("judged", VERSION, self._key_facts(row))
        if not self._store.has(key):
            try:
                self._store.put_json(key, self._measured(row))
            except UndecodableError:
                return {"tries": []}  # whoever stitches will say so
        measures = {name: row[name] for name in OF_SHOT} | self._store.get_json(key)
        return {"tries": [{"how": self._how.value, **measures, "failed": self._gate.failed(measures)}]}

    def _key_facts(self, row: Row) -> dict[str, Any]:
        """All that the measures depend on."""
        patch = row["patch_uri"].rsplit("/", 1)[-1]
        speech = {name: row[name] for name in ("dub_speech", "original_speech")}
        return {"patch": patch, "film": row["film_id"], "dub": row["dub_digest"], "heard": HEARD_FACTS, **speech}

    def _measured(self, row: Row) -> Row:
        judges = self._judges(row)
        times = {index: self._sync(row, index, judge) for index, judge in judges.items()}
        syncs = [sync for sync, _ in times.values() if sync is not None]
        losses = [loss for _, loss in times.values() if loss is not None]
        sharp = [ratio for judge in judges.values() if (ratio := judge.sharpness_ratio) is not None]
        apart = [distance for judge in judges.values() if (distance := judge.identity_distance) is not None]
        return {
            "sharpness_ratio": max(sharp, key=lambda ratio: abs(np.log(ratio)), default=None),
            "identity_distance": max(apart, default=None),
            "sync": min(syncs, default=None),
            "sync_loss": max(losses, default=None),
            "outside_change": sum(judge.outside_change for judge in judges.values()),
        }

    def _judges(self, row: Row) -> dict[int, MouthJudge]:
        """The judge of each track with a patch, when all its frames were seen."""
        placed = read_columns(row["patch_uri"], ["pts", "track_index"]).to_pylist()
        pts: dict[int, list[int]] = {}
        for one in placed:
            pts.setdefault(one["track_index"], []).append(one["pts"])
        judges = {index: MouthJudge(moments, self._mesh, self._describer) for index, moments in pts.items()}
        patches, tracked = FrameRows(row["patch_uri"]), FrameRows(row["tracks_uri"])
        view = display_view(Path(row["film_uri"]), row["shot_start_pts"])
        span = min(map(min, pts.values())), max(map(max, pts.values())) + 1
        for number, (moment, frame) in enumerate(frames(Path(row["film_uri"]), *span), start=1):
            laid = patches.at(moment)
            faces = {one["track_index"]: _landmarks(one) for one in tracked.at(moment)} if laid else {}
            if laid:
                _look(moment, frame, laid, faces, view, judges)
            if number % TELL_EVERY_FRAMES == 0:
                self.tell(TELL_EVERY_FRAMES)
        return judges

    def _sync(self, row: Row, track_index: int, judge: MouthJudge) -> tuple[float | None, float | None]:
        """How well the painted mouth follows the dub, and how much better the filmed one its own sound."""
        time_base, start_s = fraction(row["time_base"]), row["start_pts"] * fraction(row["time_base"])
        table = read_columns(row["tracks_uri"], ["track_index", "pts", "opening"]).to_pylist()
        filmed = [one for one in table if one["track_index"] == track_index]
        patches = read_columns(row["patch_uri"], ["track_index", "pts"]).to_pylist()
        painted = [one["pts"] for one in patches if one["track_index"] == track_index]
        # The dub's own clock begins with the film's first frame.
        dub_times = np.array([float(pts * time_base - start_s) for pts in painted])
        begin = round(start_s * ANALYSIS_RATE_HZ)
        dub_speech = [(span["start"] - begin, span["end"] - begin) for span in row["dub_speech"]]
        speech = [(span["start"], span["end"]) for span in row["original_speech"]]
        dub = stored_heard(self._store, row["dub_digest"], Path(row["dub_uri"]))
        film = stored_heard(self._store, row["film_id"], Path(row["film_uri"]))
        now = likeness(Mouth(dub_times, np.array(judge.openings)), dub, dub_speech)
        times = np.array([float(one["pts"] * time_base) for one in filmed])
        before = likeness(Mouth(times, np.array([one["opening"] for one in filmed])), film, speech)
        return now, None if now is None or before is None else before - now

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore(self._store_uri)


def _look(
    pts: int,
    frame: VideoFrame,
    laid: list[Row],
    faces: dict[int, Floats],
    view: View,
    judges: dict[int, MouthJudge],
) -> None:
    """Show a frame to the judges of the tracks that are painted in it."""
    parts = [part_around(_around(faces[one["track_index"]]), frame.width, frame.height) for one in laid]
    before = view.of(parts_as_rgb(frame, parts))
    planes, coding = coded_planes(frame)
    for one in laid:
        patch: Patch = patch_of(one, coding)
        judges[patch.track_index].patched(window(planes, patch.rect, coding)[0], patch, 1 << (coding.bits - 8))
        lay(patch, planes, coding)
    after = view.of(parts_as_rgb(with_planes(planes, frame), parts))
    for one in laid:
        landmarks = apply(invert(view.to_film), faces[one["track_index"]])
        judges[one["track_index"]].seen(pts, before, after, landmarks)


def _around(landmarks: Floats) -> Floats:
    """[4] the box in film px that is looked at for a face."""
    low, high = landmarks.min(0), landmarks.max(0)
    margin = AROUND * (high - low).max()
    return np.concatenate([low - margin, high + margin])


def _landmarks(row: Row) -> Floats:
    return np.asarray(row["landmarks"], np.float64).reshape(-1, 2)
