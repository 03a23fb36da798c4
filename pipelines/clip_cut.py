"""One clip of VoxCeleb2 cut: its facts, and the rows to learn from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from diff2lip.syncnet import Judge
from pipelines.clip_crop import CROPS, ClipCrop, Floats, jpeg, tracked_window
from pipelines.clip_face import MIN_FRAMES, ClipFace, FaceFinder
from pipelines.clip_meter import ClipMeter
from pipelines.clip_sound import (
    FRAME_SAMPLES,
    INT16_FULL_SCALE,
    Codes,
    heard_file,
    read_clip_sound,
    spoken_spans,
    with_margin,
)
from pipelines.face_config import DetectorConfig, TrackConfig
from pipelines.heard_sound import heard_sound
from pipelines.media.published_frames import Pixels, first_time_s, published_frames
from pipelines.progress import Tell, telling
from pipelines.speaking import Mouth
from pipelines.stage import Row
from pipelines.training_window import TrainingCrop
from pipelines.unfit_clip import UnfitClipError
from pipelines.who_speaks import speaking_score
from schemas.training import GRID_RATE, ClipReason


@dataclass(frozen=True, kw_only=True, slots=True)
class CutConfig:
    """How clips are cut and measured: all that their rows depend on, beside the judge."""

    crop: TrainingCrop = TrainingCrop.TRACKED
    jpeg_quality: int = 95  # VoxCeleb2 is compressed already; at 95 nothing is added that can be seen
    max_judged_frames: int = 250  # 10 s: enough for the judge to be sure, and 38 MB of frames in memory
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracks: TrackConfig = field(default_factory=TrackConfig)

    def __post_init__(self) -> None:
        if not 1 <= self.jpeg_quality <= 100:
            raise ValueError(f"jpeg_quality must be in [1, 100], got {self.jpeg_quality}")
        if self.max_judged_frames < 6:
            raise ValueError(f"max_judged_frames must be at least 6, got {self.max_judged_frames}")


@dataclass(frozen=True, slots=True)
class CutClip:
    """What came of a clip: the measured columns of CLIP_FACTS, and rows of UTTERANCE."""

    facts: Row
    rows: list[Row]


class ClipCutter:
    """Cuts clips. A clip's picture is decoded twice and never held: once to find the face, once to cut."""

    def __init__(self, config: CutConfig, finder: FaceFinder, judge: Callable[[], Judge | None]) -> None:
        self._config, self._finder, self._judge = config, finder, judge

    def cut(self, clip: Row, tell: Tell) -> CutClip:
        """The facts and rows of a clip of CLIP; `tell` hears of frames as they are looked at.

        Raises:
            UnfitClipError: there is nothing to learn from.
            UndecodableError: picture or sound cannot be decoded.
            OSError: a file cannot be read.
        """
        picture = Path(clip["picture_uri"])
        heard = heard_file(picture, Path(clip["sound_uri"]) if clip["sound_uri"] else None)
        sound = read_clip_sound(heard, first_time_s(picture))
        num_heard = len(sound) // FRAME_SAMPLES
        if num_heard < MIN_FRAMES:
            raise UnfitClipError(ClipReason.TOO_SHORT, f"sound of {num_heard} frames, {MIN_FRAMES} are needed")
        face = self._finder.find(telling(published_frames(picture), tell), num_heard)
        meter = ClipMeter(face, self._judge(), self._config.max_judged_frames)
        crop = CROPS[self._config.crop](face)
        names = {name: clip[name] for name in ("split", "identity", "video", "utterance")}
        rows = [names | row for row in self._rows(published_frames(picture), face, crop, meter, sound)]
        return CutClip(_facts(face, meter, sound), rows)

    def _rows(
        self, frames: Iterator[Pixels], face: ClipFace, crop: ClipCrop, meter: ClipMeter, sound: Codes
    ) -> Iterator[Row]:
        indexed = enumerate(frames)
        for stretch_index, stretch in enumerate(face.stretches):
            pictures: list[bytes] = []
            mouths: list[Floats] = []
            while len(pictures) < len(stretch):
                index, frame = next(indexed)
                if index in stretch:
                    picture = crop.cut(index, frame)
                    is_window = self._config.crop is TrainingCrop.TRACKED
                    meter.see(index, frame, picture if is_window else tracked_window(face, index, frame))
                    pictures.append(jpeg(picture, self._config.jpeg_quality))
                    mouths.append(crop.mouth(index, frame))
            yield _row(stretch_index, stretch, pictures, mouths, face, sound)


def _row(
    stretch_index: int,
    stretch: range,
    pictures: list[bytes],
    mouths: list[Floats],
    face: ClipFace,
    sound: Codes,
) -> Row:
    """The columns of UTTERANCE behind the clip's names."""
    return {
        "stretch_index": stretch_index,
        "first_frame": stretch.start,
        "num_frames": len(stretch),
        "pictures": pictures,
        "mouths": np.stack(mouths).astype(np.float32).reshape(-1).tolist(),
        "openings": [float(face.track.openings[face.place(index)]) for index in stretch],
        "sound": with_margin(sound, stretch.start, len(stretch)).astype("<i2").tobytes(),
    }


def _facts(face: ClipFace, meter: ClipMeter, sound: Codes) -> Row:
    lse = meter.lse(sound)
    return {
        "num_frames": face.num_frames,
        "num_stretches": len(face.stretches),
        "num_face_frames": len(face.places),
        "face_height_px": face.face_height_px,
        "yaw_deg": face.yaw_deg,
        "sharpness": meter.sharpness,
        "opening_range": face.opening_range,
        "speaking_score": _speaking_score(face, sound),
        "av_offset_ms": None if lse is None else float(lse.av_offset_ms),
        "sync_confidence": None if lse is None else lse.lse_c,
    }


def _speaking_score(face: ClipFace, sound: Codes) -> float:
    heard = heard_sound((sound / INT16_FULL_SCALE).astype(np.float32))
    mouth = Mouth(np.array(face.track.pts) / GRID_RATE, face.track.openings)
    return speaking_score(mouth, heard, spoken_spans(heard.loud))
