"""Stage 3, TrackFaces: the face tracks of a shot, and who speaks."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from diff2lip.config import CropConfig
from pipelines import cover_network
from pipelines.expected_opening import WEIGHTS
from pipelines.face_crop import enlargement
from pipelines.face_descriptor import FaceDescriber, face_chip
from pipelines.face_detector import DetectorConfig, FaceDetector
from pipelines.face_frame import apply, compose, invert
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import Pixels, scan_pictures
from pipelines.face_sight import LOOK_EVERY, FaceSight, TrackSights
from pipelines.face_tracks import Face, FaceTrack, SmoothTrack, TrackConfig, enlarged, link_faces, smooth_track
from pipelines.head_pose import pitch_deg, yaw_deg
from pipelines.heard_sound import HeardSound, heard_sound
from pipelines.hidden_mouth import HIDERS, hidden_looks
from pipelines.media.container import UndecodableError
from pipelines.media.display import View, display_view
from pipelines.media.picture import NEAR_CHROMA, rgb_frames
from pipelines.mouth_cover import CoverMeter, CoverQueue, cover_spans, cover_view
from pipelines.mouth_smear import mouth_smear
from pipelines.progress import telling
from pipelines.row_table import draft_table
from pipelines.speaking import Floats, Mouth
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, file_digest
from pipelines.stored_sound import stored_sound
from pipelines.who_speaks import speaking_scores
from schemas.frames import TRACK_FRAME
from schemas.shot import ALIGNED_SHOT, TRACKED_SHOT
from schemas.timing import fraction

VERSION = 9  # raised when the same film gives other tracks
HEARD_VERSION = 1  # raised when the same sound gives other curves
HEARD_FACTS = {"version": HEARD_VERSION, "weights": file_digest(WEIGHTS)}
COVER_FACTS = {"weights": file_digest(cover_network.WEIGHTS)}
MESH_SIDE_PX = 1920  # of a larger picture landmarks are found in a smaller one: 4K costs what 1080p costs
NOTHING: Row = {"tracks_uri": None, "tracks": []}


class TrackFaces(RowStage):
    """Adds the face tracks of each shot. The picture is decoded once and not held; crops are cut after the plan."""

    consumes: ClassVar[pa.Schema] = ALIGNED_SHOT
    produces: ClassVar[pa.Schema] = TRACKED_SHOT

    def __init__(
        self,
        *,
        store_uri: str,
        crop: CropConfig | None = None,
        detector: DetectorConfig | None = None,
        tracks: TrackConfig | None = None,
        device: str = "cpu",
    ) -> None:
        self._store_uri = store_uri
        self._crop = crop or CropConfig()
        self._detector_config = detector or DetectorConfig()
        self._tracks = tracks or TrackConfig()
        self._detector = FaceDetector(self._detector_config, device)
        self._mesh, self._describer, self._covers = FaceMesh(), FaceDescriber(), CoverMeter()

    def facts(self, row: Row) -> Row:
        key = content_key("faces", VERSION, self._key_facts(row))
        stored = self._store.find_facts(key, "tracks_uri")
        if stored is None:
            try:
                stored = self._track(row)
            except UndecodableError:
                return NOTHING | {"picture_lost": True}  # kept nowhere: the next run tries again
            self._store.put_json(key, stored)
        tracks_uri = self._store.uri(stored["tracks_uri"]) if stored["tracks_uri"] else None
        return stored | {"tracks_uri": tracks_uri, "picture_lost": False}

    def _key_facts(self, row: Row) -> dict[str, Any]:
        """All that the tracks depend on: not the dub, not the language."""
        return {
            "film": row["film_id"],
            "span": [row["shot_start_pts"], row["shot_end_pts"]],
            "speech": row["original_speech"],
            "heard": HEARD_FACTS,
            "cover": COVER_FACTS,
            "crop": asdict(self._crop),
            "detector": asdict(self._detector_config) | {"batch_size": None},
            "tracks": {name: str(value) for name, value in asdict(self._tracks).items()},
        }

    def _track(self, row: Row) -> Row:
        """The stage's columns, the key of the tracks in place of their uri."""
        view = display_view(Path(row["film_uri"]), row["shot_start_pts"])
        frame_pts: list[int] = []
        linked = self._linked(row, view, frame_pts)
        if not linked:
            return NOTHING
        ends = dict(zip(frame_pts, [*frame_pts[1:], row["shot_end_pts"]], strict=True))
        tracks: list[SmoothTrack] = []
        sights: list[TrackSights] = []
        while linked:  # the faces themselves are let go track by track
            track = linked.popleft()
            tracks.append(smooth_track(track, frame_pts, fraction(row["time_base"]), self._crop, self._tracks))
            sights.append(track.sights)
        facts = [
            track_facts(index, track, ends[track.pts[-1]])
            | self._sight_facts(sights[index], track, ends, [*tracks[:index], *tracks[index + 1 :]])
            for index, track in enumerate(tracks)
        ]
        scores = self._speech_scores(row, tracks)
        uri = self._commit(row, view, tracks)
        return {
            "tracks_uri": uri,
            "tracks": [one | speaking_facts(heard) for one, heard in zip(facts, scores, strict=True)],
        }

    def _linked(self, row: Row, view: View, frame_pts: list[int]) -> deque[FaceTrack]:
        """The tracks of a shot; the pts of all its frames are added to a list."""
        found = _noted(self._found(row, view), frame_pts)
        max_gap_pts = int(self._tracks.max_gap_s / fraction(row["time_base"]))
        return deque(link_faces(found, max_gap_pts, self._tracks.min_overlap))

    def _sight_facts(
        self, sights: TrackSights, track: SmoothTrack, ends: dict[int, int], beside: list[SmoothTrack]
    ) -> Row:
        """Who it is, and what hides its mouth."""
        looks = hidden_looks(track, sights.mouths, beside)
        spans = cover_spans(*looks, self._tracks.least_hidden, (track.pts[0], ends[track.pts[-1]]), HIDERS)
        chips = sights.chips()
        descriptor = self._describer.describe(chips).mean(0).tolist() if chips else []
        return {"covers": [asdict(span) for span in spans], "descriptor": descriptor}

    def _commit(self, row: Row, view: View, tracks: list[SmoothTrack]) -> str:
        """Store the rows of TRACK_FRAME: frame after frame, the tracks of each beside one another."""
        places: dict[int, list[tuple[int, int]]] = defaultdict(list)  # track and place in it, by pts
        for index, track in enumerate(tracks):
            for place, pts in enumerate(track.pts):
                places[pts].append((index, place))
        key = content_key("track-frames", VERSION, self._key_facts(row))
        with draft_table(self._store, TRACK_FRAME) as table:
            for pts in sorted(places):
                for index, place in places[pts]:
                    table.add({"track_index": index} | track_frame(tracks[index], place, view))
            table.commit(key)
        return key

    def _found(self, row: Row, view: View) -> Iterator[tuple[int, list[Face]]]:
        """Pts and faces of each frame, in pixels of the view; very large pictures are looked at smaller."""
        small = view.shrunk(MESH_SIDE_PX)
        larger = view.size / small.size
        frames = telling(_frames(row, small), self.tell)
        pictures = scan_pictures(frames, self._detector, self._mesh, self._detector_config.detect_every)
        queue = CoverQueue(self._covers)
        for index, (pts, frame, faces) in enumerate(pictures):
            if index % LOOK_EVERY == 0:
                faces = [replace(face, sight=face_sight(frame, face.landmarks, pts, queue)) for face in faces]
            yield pts, [enlarged(face, larger) for face in faces]
        queue.measure()

    def _speech_scores(self, row: Row, tracks: list[SmoothTrack]) -> list[list[Row]]:
        """SPEECH_SCORE of each track."""
        speech = [(span["start"], span["end"]) for span in row["original_speech"]]
        if not speech:
            return [[] for _ in tracks]
        time_base = fraction(row["time_base"])
        mouths = [Mouth(_times_s(track.pts, time_base), track.openings) for track in tracks]
        pieces, scores = speaking_scores(mouths, self._heard(row), speech)
        return [
            [
                {"start": start, "end": end, "score": float(score)}
                for (start, end), score in zip(pieces, of_track, strict=True)
                if np.isfinite(score)
            ]
            for of_track in scores
        ]

    def _heard(self, row: Row) -> HeardSound:
        """The curves of the whole film, worked out once for all its shots."""
        key = content_key("heard", HEARD_VERSION, {"film": row["film_id"], **HEARD_FACTS})
        if not self._store.has(key):
            heard = heard_sound(stored_sound(self._store, row["film_id"], Path(row["film_uri"])))
            self._store.put(key, np.stack([heard.loud, heard.expected]).astype("<f4").tobytes())
        loud, expected = np.frombuffer(self._store.get(key), "<f4").astype(np.float64).reshape(2, -1)
        return HeardSound(loud, expected)

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore(self._store_uri)


def track_frame(track: SmoothTrack, place: int, view: View) -> Row:
    """What TRACK_FRAME says of one frame of a track, in the film's own pixels.

    Args:
        track: as seen in the view.
        place: of the frame in the track.
        view: what the film's own pixels are shown as.
    """
    return {
        "pts": track.pts[place],
        "detected": track.detected[place],
        "score": track.scores[place],
        "box": view.boxes_in_film(track.boxes[place][None])[0].tolist(),
        "landmarks": apply(view.to_film, track.landmarks[place]).ravel().tolist(),
        "opening": track.openings[place],
        "affine": compose(track.affines[place], invert(view.to_film)).ravel().tolist(),
    }


def face_sight(frame: Pixels, landmarks: Floats, pts: int, queue: CoverQueue) -> FaceSight:
    """What is kept of a face in a frame [H, W, 3]; its mouth is measured with others."""
    turned_deg = float(np.hypot(yaw_deg(landmarks), pitch_deg(landmarks)))
    mouth = queue.add(cover_view(pts, frame, landmarks))
    return FaceSight(turned_deg=turned_deg, chip=face_chip(frame, landmarks), mouth=mouth)


def speaking_facts(scores: list[Row]) -> Row:
    """What TRACK_FACTS says of how surely a track is heard.

    Args:
        scores: SPEECH_SCORE of its pieces.
    """
    return {"speech_scores": scores, "speaking_score": max((piece["score"] for piece in scores), default=0.0)}


def track_facts(index: int, track: SmoothTrack, end_pts: int) -> Row:
    """What TRACK_FACTS says of how one track lies in its shot and how large, turned and fast it is."""
    return {
        "track_index": index,
        "num_frames": len(track.pts),
        "start_pts": track.pts[0],
        "end_pts": end_pts,
        "face_height_px": float(np.median(track.boxes[:, 3] - track.boxes[:, 1])),
        "enlargement": float(np.median([enlargement(affine) for affine in track.affines])),
        "yaw_deg": float(np.median([yaw_deg(landmarks) for landmarks in track.landmarks])),
        "pitch_deg": float(np.median([pitch_deg(landmarks) for landmarks in track.landmarks])),
        "smear": mouth_smear(track),
        "score": float(track.scores.mean()),
    }


def _frames(row: Row, small: View) -> Iterator[tuple[int, Pixels]]:
    """The frames of a shot, shrunk to be looked at."""
    span = row["shot_start_pts"], row["shot_end_pts"]
    frames = rgb_frames(Path(row["film_uri"]), *span, MESH_SIDE_PX, NEAR_CHROMA)
    return ((pts, small.of(frame)) for pts, frame in frames)


def _noted(found: Iterable[tuple[int, list[Face]]], frame_pts: list[int]) -> Iterator[tuple[int, list[Face]]]:
    """What was found, its pts added to a list on the way."""
    for pts, faces in found:
        frame_pts.append(pts)
        yield pts, faces


def _times_s(pts: list[int], time_base: Fraction) -> Floats:
    return np.array([float(at * time_base) for at in pts])
