"""The dub: its stages in order, and where each runs. The table of contents."""

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from ray.data import Dataset

from diff2lip.checkpoint import read_config
from diff2lip.config import CropConfig, SamplerConfig
from pipelines import (
    align,
    composite,
    crops,
    dub_language,
    face_config,
    faces,
    judge,
    line_check,
    original_voices,
    paint,
    recognised,
    shots,
    sound_check,
    speech,
)
from pipelines.align import AlignConfig, AlignDub
from pipelines.blend import BlendConfig
from pipelines.composite import CompositeShot
from pipelines.conform import ConformConfig, ConformDub
from pipelines.crops import CutCrops
from pipelines.eligibility import Eligibility
from pipelines.face_config import DetectorConfig, FaceConfig, TrackConfig
from pipelines.faces import TrackFaces
from pipelines.gate import GateConfig, Try, painted_as
from pipelines.judge import JudgeShot
from pipelines.line_check import WordsConfig
from pipelines.live_frames import LiveFrames
from pipelines.mask import MaskConfig
from pipelines.paint import PaintMouths
from pipelines.placed_take import TakeConfig
from pipelines.placement import Placement, placements
from pipelines.run_stage import apply, one_row_a_block, rows_of
from pipelines.shots import DetectShots, ShotConfig
from pipelines.speaking_config import SpeakingConfig
from pipelines.stage import check_chain
from pipelines.storage import file_digest
from pipelines.stored_heard import HEARD_FACTS
from pipelines.takes import PlaceTakes
from pipelines.watch import WatchPart

ANALYSIS_VERSIONS = {
    "shots": shots.VERSION,
    "speech": speech.VERSION,
    "align": align.VERSION,
    "sounds": sound_check.VERSION,
    "language": dub_language.VERSION,
    "lines": line_check.VERSION,
    "recognised": recognised.VERSION,
    "voices": original_voices.VOICE_FACTS,
    "heard": HEARD_FACTS,
    "covers": face_config.COVER_FACTS,
    "tracks": face_config.VERSION,
    "faces": faces.VERSION,
}
PAINTING_VERSIONS = {
    "crops": crops.VERSION,
    "paint": paint.VERSION,
    "composite": composite.VERSION,
    "judge": judge.VERSION,
}

check_chain([PlaceTakes, ConformDub, DetectShots, AlignDub, TrackFaces])
check_chain([CutCrops, PaintMouths, CompositeShot, JudgeShot])


@dataclass(frozen=True, kw_only=True)
class DubConfig:
    """Everything that decides what a dub looks like, and where it goes."""

    store_uri: str  # content-keyed intermediates
    out_dir: str  # deliveries
    model_path: str  # safetensors
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    eligibility: Eligibility = field(default_factory=Eligibility)
    takes: TakeConfig = field(default_factory=TakeConfig)
    conform: ConformConfig = field(default_factory=ConformConfig)
    shots: ShotConfig = field(default_factory=ShotConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    words: WordsConfig = field(default_factory=WordsConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracks: TrackConfig = field(default_factory=TrackConfig)
    speaking: SpeakingConfig = field(default_factory=SpeakingConfig)
    mask: MaskConfig = field(default_factory=MaskConfig)
    blend: BlendConfig = field(default_factory=BlendConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    threads: int = 2  # of the painter; part of what a pixel depends on
    inserts: bool = False  # changed shots lie beside the delivered film as files of their own

    @cached_property
    def crop(self) -> CropConfig:
        """The crop that the model was trained on."""
        return read_config(Path(self.model_path)).crop

    @property
    def faces(self) -> FaceConfig:
        """How faces are found and followed, and the window that is cut of them."""
        return FaceConfig(crop=self.crop, detector=self.detector, tracks=self.tracks)

    @cached_property
    def model_digest(self) -> str:
        """SHA-256 of the checkpoint."""
        return file_digest(Path(self.model_path))

    def placed(self, stage: str) -> Placement:
        """Where a stage runs."""
        return placements(self.detector.device)[stage]

    @property
    def analysis_facts(self) -> dict[str, Any]:
        """What the facts of a shot depend on, beside film and dub."""
        parts = (self.shots, self.align, self.words, replace(self.detector, batch_size=1), self.tracks, self.crop)
        ear = line_check.ear(self.words.ctc) if self.words.align or self.words.hear or self.words.recognise else []
        facts = {"versions": ANALYSIS_VERSIONS, "config": [plain(part) for part in parts], "ear": ear}
        return facts | self.speaking.facts

    @property
    def painting_facts(self) -> dict[str, Any]:
        """What the pixels of a planned shot depend on, beside its row."""
        parts = (self.sampler, self.mask, self.blend, self.gate, self.crop)
        facts = {"versions": PAINTING_VERSIONS, "config": [plain(part) for part in parts]}
        spans = {"margin": str(self.eligibility.paint_margin_s), "min_score": self.eligibility.min_doubt_score}
        spans |= {"cover": face_config.COVER_FACTS if self.mask.least_cover < 1 else None}
        return facts | spans | {"model": self.model_digest, "threads": self.threads}


def plain(config: Any) -> dict[str, Any]:
    """A configuration as JSON values; exact fractions as text."""
    return dict(json.loads(json.dumps(asdict(config), default=str)))


def takes_pass(films: pa.Table, config: DubConfig, live: LiveFrames | None = None) -> Dataset:
    """FILM rows whose dub is a cue sheet to FILM rows whose dub is a stem."""
    settings = {"store_uri": config.store_uri, "config": config.takes}
    return apply(rows_of(films), "takes", PlaceTakes, config.placed("takes"), settings, live)


def conform_pass(films: pa.Table, config: DubConfig, live: LiveFrames | None = None) -> Dataset:
    """FILM rows with a mix, or music and effects, to FILM rows in which these lie on the film."""
    settings = {"store_uri": config.store_uri, "config": config.conform}
    return apply(rows_of(films), "conform", ConformDub, config.placed("conform"), settings, live)


def watch_pass(parts: pa.Table, config: DubConfig, live: LiveFrames | None = None) -> Dataset:
    """FILM_PART rows to WATCHED_PART rows: what stages 1 and 3 ask of the picture."""
    settings = {"store_uri": config.store_uri, "shots": config.shots, "faces": config.faces}
    return apply(rows_of(parts), "watch", WatchPart, config.placed("watch"), settings, live)


def analysis_pass(films: pa.Table, config: DubConfig, live: LiveFrames | None = None) -> Dataset:
    """FILM rows to TRACKED_SHOT rows: stages 1 to 3."""
    store, crop = {"store_uri": config.store_uri}, config.crop
    rows = rows_of(films)
    rows = apply(rows, "shots", DetectShots, config.placed("shots"), store | {"config": config.shots}, live)
    rows = one_row_a_block(rows)
    rows = apply(
        rows, "align", AlignDub, config.placed("align"), store | {"config": config.align, "words": config.words}, live
    )
    tracking = {"crop": crop, "detector": config.detector, "tracks": config.tracks, "speaking": config.speaking}
    return apply(rows, "faces", TrackFaces, config.placed("faces"), store | tracking, live)


def painting_pass(
    planned: pa.Table, config: DubConfig, live: LiveFrames | None = None, how: Try = Try.FIRST
) -> Dataset:
    """PLANNED_SHOT rows to JUDGED_SHOT rows: stages 5 and 6, the crops that they need, and the gate.

    Args:
        planned: the rows.
        config: how the first try is painted.
        live: told of frames.
        how: which try this is.
    """
    sampler, mask = painted_as(how, config.sampler, config.mask)
    store = {"store_uri": config.store_uri}
    rows = rows_of(planned)
    cutting = {"crop": config.crop, "eligibility": config.eligibility}
    rows = apply(rows, "crops", CutCrops, config.placed("crops"), store | cutting, live)
    painting = {"model_path": config.model_path, "sampler": sampler, "threads": config.threads}
    painting |= {"eligibility": config.eligibility}
    rows = apply(rows, "paint", PaintMouths, config.placed("paint"), store | painting, live)
    blending = {"crop": config.crop, "mask": mask, "blend": config.blend}
    rows = apply(rows, "composite", CompositeShot, config.placed("composite"), store | blending, live)
    return apply(rows, "judge", JudgeShot, config.placed("judge"), store | {"gate": config.gate, "how": how}, live)
