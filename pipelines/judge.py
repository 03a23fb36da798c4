"""After stage 6, JudgeShot: what is painted is measured beside the film, and held against the gate.

It looks at the film with the patches laid, as a viewer will: nothing is taken from painter or compositor but these.
"""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipelines.assets import declared_digest
from pipelines.face_descriptor import FaceDescriber
from pipelines.face_frame import apply, invert
from pipelines.face_mesh import FaceMesh
from pipelines.gate import GateConfig, Try
from pipelines.media.container import UndecodableError
from pipelines.media.display import View, display_view
from pipelines.media.encode import with_planes
from pipelines.media.picture import coded_planes, frames
from pipelines.media.picture_part import part_around, parts_as_rgb
from pipelines.media.sound import BEGINNING
from pipelines.mouth_judge import MouthJudge, likeness, runs_of
from pipelines.outside_change import outside_change
from pipelines.patch import lay, patch_of, window
from pipelines.progress import TELL_EVERY_FRAMES
from pipelines.row_table import FrameRows, read_columns
from pipelines.speaking import Mouth
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_heard import HEARD_FACTS, stored_heard
from pipelines.stored_sound import dub_facts, dub_where, place_facts
from pipelines.track_frames import TrackFrames
from schemas.mix import StemChannel
from schemas.reason import Reason
from schemas.shot import COMPOSITED_SHOT, JUDGED_SHOT
from schemas.timing import ANALYSIS_RATE_HZ, fraction

VERSION = 4  # raised when the same patches measure otherwise
AROUND = 0.4  # of a face's size: what the face mesh looks at beside its landmarks
BEYOND = 0.25  # of a face's size around it: a jaw opens within, and nothing is to change further out
NETWORKS = ("face-mesh", "dlib-face-recognition")

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
        key = content_key("judged", VERSION, _key_facts(row))
        if not self._store.has(key):
            try:
                self._store.put_json(key, self._measured(row))
            except UndecodableError:
                return {"tries": [], "patch_uri": None, "num_frames_changed": 0, "reason": Reason.UNDECODABLE.value}
        measures = {name: row[name] for name in OF_SHOT} | self._store.get_json(key)
        return {"tries": [{"how": self._how.value, **measures, "failed": self._gate.failed(measures)}]}

    def _measured(self, row: Row) -> Row:
        judges, num_outside = self._seen(row)
        tracks = [self._beside_film(row, index, judge) for index, judge in judges.items()]
        of_tracks = {name: [one[name] for one in tracks if one[name] is not None] for name in tracks[0]}
        return {
            "sharpness_ratio": max(of_tracks["sharpness_ratio"], key=lambda ratio: abs(np.log(ratio)), default=None),
            "movement_ratio": min(of_tracks["movement_ratio"], default=None),
            "identity_distance": max(of_tracks["identity_distance"], default=None),
            "sync": min(of_tracks["sync"], default=None),
            "sync_loss": max(of_tracks["sync_loss"], default=None),
            "outside_change": num_outside,
        }

    def _seen(self, row: Row) -> tuple[dict[int, MouthJudge], int]:
        """The judge of each track with a patch, its frames seen, and the samples that change off masks and faces.

        Raises:
            UndecodableError: a frame that was painted is not decoded again.
        """
        pts: dict[int, list[int]] = {}
        for one in read_columns(row["patch_uri"], ["pts", "track_index"]).to_pylist():
            pts.setdefault(one["track_index"], []).append(one["pts"])
        judges = {index: MouthJudge(moments, self._mesh, self._describer) for index, moments in pts.items()}
        patches, tracked = FrameRows(row["patch_uri"]), FrameRows(row["tracks_uri"])
        view, outside = display_view(Path(row["film_uri"]), row["shot_start_pts"]), 0
        span = min(map(min, pts.values())), max(map(max, pts.values())) + 1
        for number, (moment, frame) in enumerate(frames(Path(row["film_uri"]), *span), start=1):
            laid = patches.at(moment)
            faces = {one["track_index"]: _landmarks(one) for one in tracked.at(moment)} if laid else {}
            outside += _look(moment, frame, laid, faces, view, judges) if laid else 0
            if number % TELL_EVERY_FRAMES == 0:
                self.tell(TELL_EVERY_FRAMES)
        if any(len(judge.openings) < len(judge.pts) for judge in judges.values()):
            raise UndecodableError(f"{row['film_uri']}: frames that were painted were not decoded again")
        return judges, outside

    def _beside_film(self, row: Row, track_index: int, judge: MouthJudge) -> Row:
        """The measures of one track."""
        filmed = TrackFrames(row["tracks_uri"], track_index).numbers
        place_of = {one["pts"]: place for place, one in enumerate(filmed)}
        places = [place_of[pts] for pts in judge.pts]
        openings = np.array([one["opening"] for one in filmed])[places]
        times_s = np.array([float(pts * fraction(row["time_base"])) for pts in judge.pts])
        # The dub's own clock begins with the film's first frame.
        start_s = row["start_pts"] * fraction(row["time_base"])
        painted = runs_of(times_s - float(start_s), np.array(judge.openings), places)
        now = self._follows(painted, row, "dub", round(start_s * ANALYSIS_RATE_HZ))
        before = self._follows(runs_of(times_s, openings, places), row, "film", 0)
        return {
            "sharpness_ratio": judge.sharpness_ratio,
            "movement_ratio": judge.movement_ratio(openings, _spoken(times_s, row["dub_speech"])),
            "identity_distance": judge.identity_distance,
            "sync": now,
            "sync_loss": None if now is None or before is None else before - now,
        }

    def _follows(self, mouths: list[Mouth], row: Row, whose: str, begin: int) -> float | None:
        """How well a mouth follows the dub or the film's own sound; None where nothing can be heard of it."""
        digest, uri, spans = (row[name] for name in SOUNDS[whose])
        speech = [(span["start"] - begin, span["end"] - begin) for span in spans]
        if not speech:
            return None
        try:
            where = dub_where(row) if whose == "dub" else (BEGINNING, row["sound_place"], StemChannel.MEAN)
            return likeness(mouths, stored_heard(self._store, digest, Path(uri), *where), speech)
        except UndecodableError:  # a film without sound
            return None

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore(self._store_uri)


SOUNDS = {"dub": ("dub_digest", "dub_uri", "dub_speech"), "film": ("film_id", "film_uri", "original_speech")}


def _spoken(times_s: Floats, spans: list[Row]) -> NDArray[np.bool_]:
    """[F] whether a moment of the film lies in one of the spans, in samples of film time."""
    samples = (times_s * ANALYSIS_RATE_HZ)[:, None]
    edges = np.array([(span["start"], span["end"]) for span in spans], np.float64).reshape(-1, 2)
    return np.asarray(((samples >= edges[:, 0]) & (samples < edges[:, 1])).any(1))


def _key_facts(row: Row) -> dict[str, Any]:
    """All that the measures depend on."""
    objects = {name: row[name].rsplit("/", 1)[-1] for name in ("patch_uri", "tracks_uri")}
    sounds = {name: row[name] for name in ("film_id", "dub_digest", "dub_speech", "original_speech")}
    sounds |= place_facts(row["sound_place"]) | dub_facts(row)
    return objects | sounds | {"heard": HEARD_FACTS, "networks": [declared_digest(name) for name in NETWORKS]}


def _look(
    pts: int,
    frame: VideoFrame,
    laid: list[Row],
    faces: dict[int, Floats],
    view: View,
    judges: dict[int, MouthJudge],
) -> int:
    """Show a frame to the judges of the tracks that are painted in it; samples that change off masks and faces."""
    parts = [part_around(_grown(faces[one["track_index"]], AROUND), frame.width, frame.height) for one in laid]
    before = view.of(parts_as_rgb(frame, parts))
    planes, coding = coded_planes(frame)
    filmed = [plane.copy() for plane in planes]
    for one in laid:
        judges[one["track_index"]].skin(filmed, faces[one["track_index"]], coding)
        patch = patch_of(one, coding)
        luma = window(planes, patch.rect, coding)[0].copy()
        lay(patch, planes, coding)
        shown = replace(patch, planes=[view.copy() for view in window(planes, patch.rect, coding)])
        judges[patch.track_index].patched(luma, shown, faces[patch.track_index], 1 << (coding.bits - 8))
    after = view.of(parts_as_rgb(with_planes(planes, frame), parts))
    for one in laid:
        landmarks = apply(invert(view.to_film), faces[one["track_index"]])
        judges[one["track_index"]].seen(pts, before, after, landmarks)
    boxes = [_grown(faces[one["track_index"]], BEYOND) for one in laid]
    return outside_change(filmed, planes, [patch_of(one, coding) for one in laid], boxes, coding)


def _grown(landmarks: Floats, by: float) -> Floats:
    """[4] the box of a face in film px, larger by a share of its size on all sides."""
    low, high = landmarks.min(0), landmarks.max(0)
    margin = by * (high - low).max()
    return np.concatenate([low - margin, high + margin])


def _landmarks(row: Row) -> Floats:
    return np.asarray(row["landmarks"], np.float64).reshape(-1, 2)
