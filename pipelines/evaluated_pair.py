"""One pair of clips evaluated: a row of figures, or of the reason why there are none."""

import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diff2lip.checkpoint import Checkpoint
from diff2lip.config import ModelConfig
from diff2lip.frechet import NUM_FEATURES
from diff2lip.lse import FRAME_SAMPLES
from diff2lip.mouth_motion import Phone
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.instruments import Instruments
from pipelines.media.container import UndecodableError
from pipelines.media.published_frames import published_frames
from pipelines.media.refusal import MediaRefusedError, check_file
from pipelines.media.sound import read_mono
from pipelines.mouth_meter import Mouth, closure_of, leakage_of, lips_apart, mouths_of
from pipelines.pair_list import Pair
from pipelines.pair_meter import MeterConfig, PairFeatures, PairMeter
from pipelines.phone_file import SUFFIX as PHONE_SUFFIX
from pipelines.phone_file import PhoneFileError, read_phones
from pipelines.progress import Tell, telling, untold
from pipelines.published_crops import NoFaceError
from pipelines.published_path import Mode, PaintedFrame, PublishedConfig, PublishedPath, TooShortError, config_for
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key, file_digest
from schemas.evaluation import EVALUATED_PAIR, PairReason

VERSION = 6  # raised when the same pair gives other figures

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

MATERIAL: dict[type[Exception], PairReason] = {
    MediaRefusedError: PairReason.MISSING_FILE,
    UndecodableError: PairReason.UNDECODABLE,
    TooShortError: PairReason.TOO_SHORT,
    NoFaceError: PairReason.NO_FACE,
    PhoneFileError: PairReason.BAD_PHONES,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationConfig:
    """How a model is evaluated."""

    path: PublishedConfig = field(default_factory=PublishedConfig)
    meter: MeterConfig = field(default_factory=MeterConfig)


def evaluation_config(model: ModelConfig) -> EvaluationConfig:
    """The settings that a model is evaluated with when nobody says otherwise."""
    return EvaluationConfig(path=config_for(model))


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A pair's row, and where its features lie."""

    row: Row  # EVALUATED_PAIR
    features_key: str | None
    found: bool  # in storage: nothing was worked out


class PairEvaluator:
    """A model and the instruments. Pairs that were evaluated before are found by what they were made of."""

    def __init__(
        self, model: Checkpoint, config: EvaluationConfig, mode: Mode, instruments: Instruments, store: ObjectStore
    ) -> None:
        self._model, self._config, self._mode = model, config, mode
        self._instruments, self._store = instruments, store
        device = next(model.denoiser.parameters()).device
        self._detector, self._mesh = FaceDetector(DetectorConfig(device=device.type)), FaceMesh()
        self._path = PublishedPath(model.denoiser, config.path, self._detector, self._mesh)
        self._device = device.type
        self._digest = lru_cache(maxsize=100_000)(file_digest)
        self.crop = self._path.crop

    def evaluate(self, pair: Pair, root: Path, tell: Tell = untold) -> Evaluated:
        """The row of a pair. What is wrong with its clips is in the row; `tell` hears of frames as they are done."""
        audio, video = pair.files(root)
        try:
            check_file(audio)
            check_file(video)
        except MediaRefusedError as error:  # kept nowhere: the file may come
            return Evaluated(self._row(pair) | _reason(error), None, found=False)
        key = content_key("evaluated-pair", VERSION, self._key_facts(audio, video))
        found = self._store.find_facts(key, "features")
        known = found or self._worked_out(key, (audio, video), tell)
        return Evaluated(self._row(pair) | known["figures"], known["features"], found=found is not None)

    def features(self, key: str) -> tuple[Tensor, Tensor]:
        """[N, 1280] of the real frames and [M, 1280] of the painted ones."""
        with np.load(io.BytesIO(self._store.get(key)), allow_pickle=False) as arrays:
            return torch.from_numpy(arrays["real"]), torch.from_numpy(arrays["painted"])

    def _worked_out(self, key: str, clips: tuple[Path, Path], tell: Tell) -> dict[str, Any]:
        begin, features_key = time.monotonic(), None
        try:
            figures, features = self._measured(*clips, tell)
        except tuple(MATERIAL) as error:
            figures = _reason(error)
        else:
            if features.painted:
                features_key = content_key("pair-features", VERSION, {"pair": key})
                self._store.put(features_key, _packed(features))
        facts = {"figures": figures | {"seconds": time.monotonic() - begin}, "features": features_key}
        self._store.put_json(key, facts)
        return facts

    def _measured(self, audio: Path, video: Path, tell: Tell) -> tuple[dict[str, Any], PairFeatures]:
        phones = _phones_beside(audio)
        windows = self._path.windows(audio)
        meter = PairMeter(
            self._instruments,
            self._config.meter,
            has_truth=audio == video,
            source_is_real=self._mode is Mode.CROSS,
        )
        painting = telling(self._path.paint(windows, video, self._mode), tell)
        frames = meter.watching(painting, published_frames(audio))
        hushed: list[Mouth | None] = []
        painted = list(mouths_of(self._painted(frames, hushed), self._detector, self._mesh))
        truth = self._mouths(audio, meter.num_frames)
        figures = lips_apart(painted, truth, self._config.meter.lmd_alignment) | closure_of(painted, phones or [])
        if hushed:
            figures |= leakage_of(hushed, truth if audio == video else self._mouths(video, meter.num_frames))
        sound = torch.from_numpy(read_mono(audio))[: meter.num_frames * FRAME_SAMPLES]
        width_px, height_px = meter.size_px
        facts = {"num_frames": meter.num_frames, "width_px": width_px, "height_px": height_px}
        return {**facts, **figures, **meter.figures(sound)}, meter.features

    def _painted(self, frames: Iterable[PaintedFrame], hushed: list[Mouth | None]) -> Iterator[Pixels]:
        """The painted pictures; the mouths of those painted to silence go to `hushed`."""
        for frame in frames:
            if frame.hushed is not None:
                hushed += mouths_of([frame.hushed], self._detector, self._mesh)
            yield frame.painted

    def _mouths(self, clip: Path, num_frames: int) -> list[Mouth | None]:
        return list(mouths_of(islice(published_frames(clip), num_frames), self._detector, self._mesh))

    def _key_facts(self, audio: Path, video: Path) -> dict[str, Any]:
        return {
            "model": self._model.digest,
            "audio": self._digest(audio),
            "video": self._digest(video),
            "phones": self._digest(phones) if (phones := audio.with_suffix(PHONE_SUFFIX)).is_file() else None,
            "mode": self._mode.value,
            "config": asdict(self._config),
            "instruments": list(self._instruments.identity),
            "device": self._device,
        }

    def _row(self, pair: Pair) -> Row:
        empty = {name: None for name in EVALUATED_PAIR.names}
        said = {"audio": pair.audio, "video": pair.video, "detail": "", "crop": self.crop.value}
        return empty | said | {"num_frames": 0, "width_px": 0, "height_px": 0, "seconds": 0.0}


def _phones_beside(audio: Path) -> list[Phone] | None:
    path = audio.with_suffix(PHONE_SUFFIX)
    return read_phones(path) if path.is_file() else None


def _reason(error: Exception) -> dict[str, Any]:
    reason = next(reason for kind, reason in MATERIAL.items() if isinstance(error, kind))
    return {"reason": reason.value, "detail": str(error)}


def _packed(features: PairFeatures) -> bytes:
    """Both sets in float16: they lie in 0..6, and a list of thousands of pairs is kept."""
    parts = (features.real, features.painted)
    real, painted = (torch.cat(part) if part else torch.empty(0, NUM_FEATURES) for part in parts)
    sink = io.BytesIO()
    np.savez_compressed(sink, real=real.half().numpy(), painted=painted.half().numpy())
    return sink.getvalue()
