"""Stage 3, TrackFaces: the face tracks of a shot, and who speaks."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from diff2lip.config import CropConfig
from pipelines.face_config import MESH_SIDE_PX, DetectorConfig, FaceConfig, TrackConfig
from pipelines.face_sight import Pixels
from pipelines.kept_faces import NOTHING, KeptFaces, ShotSpan
from pipelines.media.container import UndecodableError
from pipelines.media.display import View, display_view
from pipelines.media.picture import NEAR_CHROMA, rgb_frames
from pipelines.progress import telling
from pipelines.row_table import read_columns
from pipelines.speaking import Floats, Mouth, speech_pieces
from pipelines.speaking_config import SpeakingConfig
from pipelines.speech import SampleSpan
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_heard import HEARD_FACTS, stored_heard
from pipelines.stored_sound import place_facts, stored_original
from pipelines.who_speaks import speaking_scores
from schemas.shot import ALIGNED_SHOT, TRACKED_SHOT
from schemas.timing import fraction

if TYPE_CHECKING:
    from pipelines.lip_witness import LipWitness
    from pipelines.shot_faces import ShotFaces

VERSION = 10  # raised when the same tracks and the same sound give other scores


class TrackFaces(RowStage):
    """Adds the face tracks of each shot, and who speaks.

    Shots that were watched before (`pipelines/watch.py`) have their tracks in storage; of any other the picture is
    decoded once, and not held.
    """

    consumes: ClassVar[pa.Schema] = ALIGNED_SHOT
    produces: ClassVar[pa.Schema] = TRACKED_SHOT

    def __init__(
        self,
        *,
        store_uri: str,
        crop: CropConfig | None = None,
        detector: DetectorConfig | None = None,
        tracks: TrackConfig | None = None,
        speaking: SpeakingConfig | None = None,
    ) -> None:
        self._store_uri = store_uri
        self._speaking = speaking or SpeakingConfig()
        self._config = FaceConfig(
            crop=crop or CropConfig(), detector=detector or DetectorConfig(), tracks=tracks or TrackConfig()
        )

    def facts(self, row: Row) -> Row:
        shot = ShotSpan(
            film_id=row["film_id"],
            start_pts=row["shot_start_pts"],
            end_pts=row["shot_end_pts"],
            time_base=fraction(row["time_base"]),
        )
        key = content_key("faces", VERSION, self._key_facts(row))
        stored = self._store.find_facts(key, "tracks_uri")
        if stored is None:
            try:
                stored = self._with_speech(row, shot, self._kept.of(shot) or self._seen(row, shot))
            except UndecodableError:
                return NOTHING | {"picture_lost": True}  # kept nowhere: the next run tries again
            self._store.put_json(key, stored)
        tracks_uri = self._store.uri(stored["tracks_uri"]) if stored["tracks_uri"] else None
        return stored | {"tracks_uri": tracks_uri, "picture_lost": False}

    def _key_facts(self, row: Row) -> dict[str, Any]:
        """All that the facts depend on: not the dub, not the language."""
        return place_facts(row["sound_place"]) | {
            "film": row["film_id"],
            "span": [row["shot_start_pts"], row["shot_end_pts"]],
            "speech": row["original_speech"],
            "heard": HEARD_FACTS,
            **self._config.facts,
            **self._speaking.facts,
        }

    def _seen(self, row: Row, shot: ShotSpan) -> Row:
        """The tracks of a shot that nobody watched yet."""
        view = display_view(Path(row["film_uri"]), shot.start_pts)
        frames = telling(_frames(row, view.shrunk(MESH_SIDE_PX)), self.tell)
        return self._faces.keep(shot, self._faces.see(frames, view, shot.time_base))

    def _with_speech(self, row: Row, shot: ShotSpan, found: Row) -> Row:
        """The same, and of each track how surely it is heard."""
        scores = self._speech_scores(row, found, self._mouths(found, shot.time_base))
        tracks = [one | speaking_facts(heard) for one, heard in zip(found["tracks"], scores, strict=True)]
        return found | {"tracks": tracks}

    def _mouths(self, found: Row, time_base: Fraction) -> list[Mouth]:
        """How each track opens its mouth."""
        if not found["tracks"]:
            return []
        table = read_columns(self._store.uri(found["tracks_uri"]), ("track_index", "pts", "opening"))
        index, pts, openings = (np.asarray(table[name]) for name in ("track_index", "pts", "opening"))
        return [
            Mouth(_times_s(pts[index == track], time_base), openings[index == track].astype(np.float64))
            for track in range(len(found["tracks"]))
        ]

    def _speech_scores(self, row: Row, found: Row, mouths: list[Mouth]) -> list[list[Row]]:
        """SPEECH_SCORE of each mouth."""
        speech = [(span["start"], span["end"]) for span in row["original_speech"]]
        if not speech or not mouths:
            return [[] for _ in mouths]
        path, place = Path(row["film_uri"]), row["sound_place"]
        heard = stored_heard(self._store, row["film_id"], path, place=place)
        fits = self._fits(row, found, speech_pieces(speech)) if self._speaking.expert else None
        pieces, scores = speaking_scores(mouths, heard, speech, fits)
        return [
            [
                {"start": start, "end": end, "score": float(score)}
                for (start, end), score in zip(pieces, of_track, strict=True)
                if np.isfinite(score)
            ]
            for of_track in scores
        ]

    def _fits(self, row: Row, found: Row, pieces: list[SampleSpan]) -> Floats:
        """[K, P] what the expert says of each mouth in each piece."""
        sound = stored_original(self._store, row)
        return self._witness.fits(row, self._store.uri(found["tracks_uri"]), self._config.crop, sound, pieces)

    @cached_property
    def _witness(self) -> "LipWitness":
        from pipelines.lip_witness import LipWitness  # torch: only who has an expert pays

        return LipWitness(self._speaking.path)

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore(self._store_uri)

    @cached_property
    def _kept(self) -> KeptFaces:
        return KeptFaces(self._store, self._config)

    @cached_property
    def _faces(self) -> "ShotFaces":
        from pipelines.shot_faces import ShotFaces  # all the networks: only who has to look pays

        return ShotFaces(self._store, self._config)


def speaking_facts(scores: list[Row]) -> Row:
    """What TRACK_FACTS says of how surely a track is heard.

    Args:
        scores: SPEECH_SCORE of its pieces.
    """
    return {"speech_scores": scores, "speaking_score": max((piece["score"] for piece in scores), default=0.0)}


def _frames(row: Row, small: View) -> Iterator[tuple[int, Pixels]]:
    """The frames of a shot, shrunk to be looked at."""
    span = row["shot_start_pts"], row["shot_end_pts"]
    frames = rgb_frames(Path(row["film_uri"]), *span, MESH_SIDE_PX, NEAR_CHROMA)
    return ((pts, small.of(frame)) for pts, frame in frames)


def _times_s(pts: Floats, time_base: Fraction) -> Floats:
    return np.array([float(int(at) * time_base) for at in pts])
