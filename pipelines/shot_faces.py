"""The face tracks of a shot, from its frames: found, followed, measured and stored. Who speaks is asked elsewhere."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.spatial.distance import pdist

from pipelines.face_config import MESH_SIDE_PX, FaceConfig
from pipelines.face_crop import enlargement
from pipelines.face_descriptor import FaceDescriber, face_chip
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import apply, compose, invert
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import Pixels, scan_pictures
from pipelines.face_sight import LOOK_EVERY, FaceSight, TrackSights
from pipelines.face_tracks import Face, FaceTrack, SmoothTrack, enlarged, link_faces, smooth_track
from pipelines.head_pose import pitch_deg, yaw_deg
from pipelines.hidden_mouth import HIDERS, hidden_looks
from pipelines.kept_faces import NOTHING, KeptFaces, ShotSpan
from pipelines.media.display import View
from pipelines.mouth_cover import CoverMeter, CoverQueue, cover_spans, cover_view
from pipelines.mouth_smear import mouth_smear
from pipelines.row_table import draft_table
from pipelines.speaking import Floats
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from schemas.frames import TRACK_FRAME

STRETCH_S = Fraction(1, 2)  # of a track, over which size and turn are measured by themselves


@dataclass(frozen=True, slots=True)
class SeenFaces:
    """The faces of a shot whose frames have all been seen.

    Attributes:
        view: how its frames are shown.
        frame_pts: all its frames.
        linked: the faces, track by track, in pixels of the view.
    """

    view: View
    frame_pts: list[int]
    linked: deque[FaceTrack]


class ShotFaces:
    """Finds the faces of shots and keeps their tracks. Networks are loaded with the first frame or face."""

    def __init__(self, store: ObjectStore, config: FaceConfig) -> None:
        self._store, self._config, self._kept = store, config, KeptFaces(store, config)
        self._detector = FaceDetector(config.detector)
        self._mesh, self._describer, self._covers = FaceMesh(), FaceDescriber(), CoverMeter()

    def see(self, frames: Iterable[tuple[int, Pixels]], view: View, time_base: Fraction) -> SeenFaces:
        """Look at all frames of a shot; few of them are in memory at a time.

        Args:
            frames: pts and picture [H, W, 3] RGB of every frame, upright, its long side at most `MESH_SIDE_PX`.
            view: what the film's own pixels are shown as.
            time_base: seconds per pts tick.
        """
        frame_pts: list[int] = []
        found = _noted(self._found(frames, view), frame_pts)
        max_gap_pts = int(self._config.tracks.max_gap_s / time_base)
        linked = deque(link_faces(found, max_gap_pts, self._config.tracks.min_overlap))
        return SeenFaces(view, frame_pts, linked)

    def keep(self, shot: ShotSpan, seen: SeenFaces) -> Row:
        """Smooth and measure the tracks of a shot and store them; the faces that were seen are used up.

        Returns:
            What `KeptFaces.of` says of the shot from now on.
        """
        facts = self._measured(shot, seen) if seen.linked else NOTHING
        self._kept.keep(shot, facts)
        return facts

    def _measured(self, shot: ShotSpan, seen: SeenFaces) -> Row:
        ends = dict(zip(seen.frame_pts, [*seen.frame_pts[1:], shot.end_pts], strict=True))
        tracks: list[SmoothTrack] = []
        sights: list[TrackSights] = []
        while seen.linked:  # the faces themselves are let go track by track
            track = seen.linked.popleft()
            config = self._config
            tracks.append(smooth_track(track, seen.frame_pts, shot.time_base, config.crop, config.tracks))
            sights.append(track.sights)
        facts = [
            track_facts(index, track, ends[track.pts[-1]], max(1, int(STRETCH_S / shot.time_base)))
            | self._sight_facts(sights[index], track, ends, [*tracks[:index], *tracks[index + 1 :]])
            for index, track in enumerate(tracks)
        ]
        return {"tracks_uri": self._commit(shot, seen.view, tracks), "tracks": facts}

    def _sight_facts(
        self, sights: TrackSights, track: SmoothTrack, ends: dict[int, int], beside: list[SmoothTrack]
    ) -> Row:
        """Who it is, and what hides its mouth."""
        looks = hidden_looks(track, sights.mouths, beside)
        least_hidden = self._config.tracks.least_hidden
        spans = cover_spans(*looks, least_hidden, (track.pts[0], ends[track.pts[-1]]), HIDERS)
        chips = sights.chips()
        pictures = self._describer.describe(chips) if chips else np.zeros((0, 0))
        return {
            "covers": [asdict(span) for span in spans],
            "descriptor": pictures.mean(0).tolist() if chips else [],
            "spread": float(pdist(pictures).max(initial=0.0)),
        }

    def _commit(self, shot: ShotSpan, view: View, tracks: list[SmoothTrack]) -> str:
        """Store the rows of TRACK_FRAME: frame after frame, the tracks of each beside one another."""
        places: dict[int, list[tuple[int, int]]] = defaultdict(list)  # track and place in it, by pts
        for index, track in enumerate(tracks):
            for place, pts in enumerate(track.pts):
                places[pts].append((index, place))
        key = self._kept.frames_key(shot)
        with draft_table(self._store, TRACK_FRAME) as table:
            for pts in sorted(places):
                for index, place in places[pts]:
                    table.add({"track_index": index} | track_frame(tracks[index], place, view))
            table.commit(key)
        return key

    def _found(self, frames: Iterable[tuple[int, Pixels]], view: View) -> Iterator[tuple[int, list[Face]]]:
        """Pts and faces of each frame, in pixels of the view; very large pictures are looked at smaller."""
        larger = view.size / view.shrunk(MESH_SIDE_PX).size
        pictures = scan_pictures(frames, self._detector, self._mesh, self._config.detector.detect_every)
        queue = CoverQueue(self._covers)
        for index, (pts, frame, faces) in enumerate(pictures):
            if index % LOOK_EVERY == 0:
                faces = [replace(face, sight=face_sight(frame, face.landmarks, pts, queue)) for face in faces]
            yield pts, [enlarged(face, larger) for face in faces]
        queue.measure()


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
    return FaceSight(turned_deg=turned_deg, chip=lambda: face_chip(frame, landmarks), mouth=mouth)


def track_facts(index: int, track: SmoothTrack, end_pts: int, stretch_pts: int) -> Row:
    """What TRACK_FACTS says of how one track lies in its shot and how large, turned and fast it is.

    Args:
        index: of the track.
        track: all its frames.
        end_pts: of its last frame.
        stretch_pts: how long the stretches are that are measured one by one.
    """
    facts = {
        "face_height_px": track.boxes[:, 3] - track.boxes[:, 1],
        "enlargement": np.array([enlargement(affine) for affine in track.affines]),
        "yaw_deg": np.array([yaw_deg(landmarks) for landmarks in track.landmarks]),
        "pitch_deg": np.array([pitch_deg(landmarks) for landmarks in track.landmarks]),
    }
    return {
        "track_index": index,
        "num_frames": len(track.pts),
        "start_pts": track.pts[0],
        "end_pts": end_pts,
        **{name: float(np.median(values)) for name, values in facts.items()},
        "stretches": list(_stretches(track.pts, end_pts, stretch_pts, facts)),
        "smear": mouth_smear(track),
        "score": float(track.scores.mean()),
    }


def _stretches(pts: list[int], end_pts: int, length: int, facts: dict[str, Floats]) -> Iterator[Row]:
    """TRACK_STRETCH rows: the medians of some facts [F] of frames over stretches of a track."""
    halves = [(at - pts[0]) // length for at in pts]
    edges = [0, *(place for place in range(1, len(pts)) if halves[place] != halves[place - 1])]
    for start, end in pairwise([*edges, len(pts)]):
        span = {"start_pts": pts[start], "end_pts": pts[end] if end < len(pts) else end_pts}
        yield span | {name: float(np.median(values[start:end])) for name, values in facts.items()}


def _noted(found: Iterable[tuple[int, list[Face]]], frame_pts: list[int]) -> Iterator[tuple[int, list[Face]]]:
    """What was found, its pts added to a list on the way."""
    for pts, faces in found:
        frame_pts.append(pts)
        yield pts, faces
