"""The VoxCeleb2 pipeline: its one stage, and where it runs. The table of contents."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from ray.data import Dataset

from pipelines import clips
from pipelines.clip_cut import CutConfig
from pipelines.clip_filter import ClipThresholds
from pipelines.clips import CutClips, cut_facts
from pipelines.live_frames import LiveFrames
from pipelines.placement import Placement
from pipelines.run_stage import apply, rows_of

STAGE = "clips"
PLACEMENT = Placement(cpus=0.9, busy_cpus=0.9, share=0.9, memory_gib=1.5)  # an actor for each CPU: nothing else runs
VERSIONS = {"clips": clips.VERSION}


@dataclass(frozen=True, kw_only=True)
class VoxConfig:
    """Everything that decides what a training set of VoxCeleb2 holds, and where it goes."""

    store_uri: str  # content-keyed shards
    judge_path: str = ""  # safetensors; none: offset and confidence are not measured
    judge_digest: str = ""
    clips_per_shard: int = 24  # unit of work and resume: a minute of it, and some 100 MB of pictures
    cut: CutConfig = field(default_factory=CutConfig)
    thresholds: ClipThresholds = field(default_factory=ClipThresholds)  # for counts alone: nothing is dropped

    def __post_init__(self) -> None:
        if self.clips_per_shard < 1:
            raise ValueError(f"clips_per_shard must be at least 1, got {self.clips_per_shard}")

    @property
    def facts(self) -> dict[str, Any]:
        """What the content depends on beside the clips, as JSON values."""
        return {"versions": VERSIONS, **cut_facts(self.cut, self.judge_digest)}


def cutting_pass(shards: pa.Table, config: VoxConfig, live: LiveFrames | None = None) -> Dataset:
    """SHARD rows to CUT_SHARD rows."""
    settings = {"store_uri": config.store_uri, "config": config.cut}
    settings |= {"judge_path": config.judge_path, "judge_digest": config.judge_digest}
    return apply(rows_of(shards), STAGE, CutClips, PLACEMENT, settings, live)
