"""Stage 3, TrackFaces: the face tracks of a shot, their crops, and who speaks."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
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
from pipelines.face_descriptor import FaceDescriber
from pipelines.face_detector import DetectorConfig, FaceDetector
from pipelines.face_frame import apply, compose, invert
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import Pixels, scan_faces
from pipelines.face_tracks import Face, SmoothTrack, TrackConfig, enlarged, link_faces, smooth_track
from pipelines.head_pose import pitch_deg, yaw_deg
from pipelines.heard_sound import HeardSound, heard_sound
from pipelines.media.container import UndecodableError
from pipelines.media.display import View, display_view
from pipelines.media.picture import NEAR_CHROMA, rgb_frames
from pipelines.media.picture_part import rgb_parts
from pipelines.mouth_cover import CoveredTrack, CoverMeter
from pipelines.mouth_smear import mouth_smear
from pipelines.progress import telling
from pipelines.row_table import draft_table
from pipelines.speaking import Floats, Mouth
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, file_digest
from pipelines.stored_sound import stored_sound
from pipelines.track_pictures import TrackPicture, shown_parts, track_pictures
from pipelines.who_speaks import speaking_scores
from schemas.frames import TRACK_FRAME
from schemas.shot import ALIGNED_SHOT, TRACKED_SHOT
from schemas.timing import fraction

VERSION = 5  # raised when the same film gives other tracks
HEARD_VERSION = 1  # raised when the same sound gives other curves
HEARD_FACTS = {"version": HEARD_VERSION, "weights": file_digest(WEIGHTS)}
COVER_FACTS = {"weights": file_digest(cover_network.WEIGHTS)}
MESH_SIDE_PX = 1920  # of a larger picture landmarks are found in a smaller one: 4K costs what 1080p costs
NOTHING: Row = {"tracks_uri": None, "tracks": []}


class TrackFaces(RowStage):
    """Adds the face tracks of each shot. The picture is decoded twice and never held: once to find, once to crop."""

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
        tracks = self._smooth_tracks(row, view, frame_pts)
        if not tracks:
            return NOTHING
        key = content_key("track-frames", VERSION, self._key_facts(row))
        chips, covers = self._cut(row, view, tracks, key)
        ends = dict(zip(frame_pts, [*frame_pts[1:], row["shot_end_pts"]], strict=True))
        facts = [
            track_facts(index, track, ends[track.pts[-1]])
            | speaking_facts(scores)
            | {"descriptor": self._describer.describe(chips[index]).mean(0).tolist()}
            | {"covers": self._cover_facts(covers[index], ends[track.pts[-1]])}
            for index, (track, scores) in enumerate(zip(tracks, self._speech_scores(row, tracks), strict=True))
        ]
        return {"tracks_uri": key, "tracks": facts}

    def _smooth_tracks(self, row: Row, view: View, frame_pts: list[int]) -> list[SmoothTrack]:
        """The tracks of a shot; the pts of all its frames are added to a list. Raw faces are let go one by one."""
        time_base = fraction(row["time_base"])
        found = _noted(self._found(row, view), frame_pts)
        linked = deque(link_faces(found, int(self._tracks.max_gap_s / time_base), self._tracks.min_overlap))
        return [
            smooth_track(linked.popleft(), frame_pts, time_base, self._crop, self._tracks) for _ in range(len(linked))
        ]

    def _cut(
        self, row: Row, view: View, tracks: list[SmoothTrack], key: str
    ) -> tuple[dict[int, list[Pixels]], list[CoveredTrack]]:
        """Chips and covers of each track; its crops go into a table of the store as they are cut."""
        chips: dict[int, list[Pixels]] = defaultdict(list)
        covers = [CoveredTrack(self._covers) for _ in tracks]
        frames = _faces_shown(row, view, tracks, self._crop.size_px)
        with draft_table(self._store, TRACK_FRAME) as table:
            for picture in track_pictures(frames, tracks, self._crop.size_px):
                table.add(track_frame(picture, tracks[picture.track_index], view))
                if picture.chip is not None:
                    chips[picture.track_index].append(picture.chip)
                if picture.mouth is not None:
                    covers[picture.track_index].add(picture.mouth)
            if table.num_rows < sum(len(track.pts) for track in tracks):
                raise UndecodableError(f"{row['film_uri']}: frames that were decoded once were not again")
            table.commit(key)
        return chips, covers

    def _found(self, row: Row, view: View) -> Iterator[tuple[int, list[Face]]]:
        """Pts and faces of each frame, in pixels of the view; very large pictures are looked at smaller."""
        small = view.shrunk(MESH_SIDE_PX)
        larger = view.size / small.size
        frames = telling(_frames(row, small), self.tell)
        for pts, faces in scan_faces(frames, self._detector, self._mesh, self._detector_config.detect_every):
            yield pts, [enlarged(face, larger) for face in faces]

    def _cover_facts(self, covered: CoveredTrack, end_pts: int) -> list[Row]:
        """MOUTH_COVER of a track."""
        return [asdict(span) for span in covered.spans(self._tracks.least_hidden, end_pts)]

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


def track_frame(picture: TrackPicture, track: SmoothTrack, view: View) -> Row:
    """The row of TRACK_FRAME of one frame of a track, in the film's own pixels.

    Args:
        picture: cut out of the view.
        track: as seen in the view.
        view: what the film's own pixels are shown as.
    """
    place = picture.place
    return {
        "track_index": picture.track_index,
        "pts": track.pts[place],
        "detected": track.detected[place],
        "score": track.scores[place],
        "box": view.boxes_in_film(track.boxes[place][None])[0].tolist(),
        "landmarks": apply(view.to_film, track.landmarks[place]).ravel().tolist(),
        "opening": track.openings[place],
        "affine": compose(track.affines[place], invert(view.to_film)).ravel().tolist(),
        "crop": picture.crop,
    }


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


def _faces_shown(row: Row, view: View, tracks: list[SmoothTrack], size_px: int) -> Iterator[tuple[int, Pixels]]:
    """The frames of a shot in their true colours and size where its faces are, black elsewhere."""
    parts = shown_parts(tracks, size_px, view)
    frames = rgb_parts(Path(row["film_uri"]), row["shot_start_pts"], row["shot_end_pts"], parts)
    return ((pts, view.of(frame)) for pts, frame in frames)


def _times_s(pts: list[int], time_base: Fraction) -> Floats:
    return np.array([float(at * time_base) for at in pts])
