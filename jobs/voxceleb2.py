"""The VoxCeleb2 job: a raw tree in, a training set with its counts out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from diff2lip.weights_file import Kind, read_header
from jobs.cluster import ray_cluster
from jobs.command import DONE, FAILED
from jobs.out_lock import held_out
from jobs.overrides import OverrideError, override, override_keys
from jobs.progress import Display, Silence, several
from jobs.revision import read_revision
from jobs.work_folder import WORK_NAME, whole_place, work_uri
from pipelines.assets import asset_path
from pipelines.clip_cut import CutConfig
from pipelines.clip_filter import filter_reason
from pipelines.clip_list import read_clip_list
from pipelines.face_config import BACKENDS
from pipelines.progress import Event
from pipelines.stage import Row
from pipelines.storage import ObjectStore, file_digest
from pipelines.training_set import content_digest, facts_table, write_training_set
from pipelines.training_shards import cut_shards, find_shard, plan_shards
from pipelines.training_window import TrainingCrop
from pipelines.vox_tree import clip_name, first_of_each_video, list_clips
from pipelines.voxceleb2 import STAGE, VoxConfig
from schemas.training import GRID_RATE, ClipStatus

FIRST, ALL = "first", "all"
# Said by options of their own, not by --set; clips are cut on CPUs.
FIXED = ("store_uri", "judge_path", "judge_digest", "cut.crop", "cut.detector.device")
FOUND = "all {} clips were cut before: nothing was done"
NO_JUDGE = "no judge: offset and confidence were not measured; give an imported syncnet_v2 with --judge"
KEPT = "kept"  # by the default thresholds


@dataclass(frozen=True, kw_only=True, slots=True)
class VoxRequest:
    """What a person asked for."""

    root: Path
    out: str  # a folder or a uri
    select: str = FIRST  # first, all, or a list of clips
    judge: Path | None = None
    crop: TrainingCrop = TrainingCrop.TRACKED
    settings: tuple[str, ...] = ()  # key=value
    work: str | None = None
    address: str | None = None


@dataclass(kw_only=True, slots=True)
class VoxOutcome:
    """What was cut."""

    exit_code: int
    digest: str
    counts: dict[str, Any]  # of clips, frames, hours and identities
    num_found: int  # clips of shards that were cut before
    peak_mib: float  # the most that a worker held; 0 where none worked
    notices: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def run_voxceleb2(request: VoxRequest, display: Display | None = None) -> VoxOutcome:
    """Cut the clips of a tree. What was cut before, of the same files with the same settings, is found.

    Raises:
        VoxTreeError: the root is no VoxCeleb2 tree.
        ClipListError: the list cannot be read, or names no clips.
        OverrideError: a setting does not fit.
        CheckpointError: the judge's file holds something else.
        UnknownStorageError: a uri that nothing here can write.
        AssetUnavailableError: face detector or mesh cannot be had.
        OutInUseError: another job writes into the same folder. Behind a uri nobody is held off.
    """
    config = vox_config(request)
    clips = selected_clips(request.root, request.select)
    with held_out(Path(request.out)) if "://" not in request.out else nullcontext():
        return _Job(request, config, display or Silence()).run(clips)


def vox_config(request: VoxRequest) -> VoxConfig:
    """The configuration with the settings of a person, checked.

    Raises:
        OverrideError: a setting does not fit.
        CheckpointError: the judge's file holds something else.
        UnknownStorageError: a uri that nothing here can write.
    """
    whole_place(request.out)
    if request.judge is not None:
        read_header(request.judge, Kind.JUDGE)
    config = VoxConfig(
        store_uri=work_uri(request.work, request.out),
        judge_path=str(request.judge.absolute()) if request.judge else "",
        judge_digest=file_digest(request.judge) if request.judge else "",
        cut=CutConfig(crop=request.crop),
    )
    for setting in request.settings:
        if setting.partition("=")[0] in FIXED:
            raise OverrideError(f"{setting}: known keys are {', '.join(setting_keys())}")
    return override(config, request.settings)


def setting_keys() -> list[str]:
    """Every key that `--set` takes."""
    return [key for key in override_keys(VoxConfig(store_uri="")) if key not in FIXED]


def selected_clips(root: Path, select: str) -> list[Row]:
    """CLIP rows of the clips that are wanted: `first`, `all`, or those of a list.

    Raises:
        VoxTreeError: the root is no VoxCeleb2 tree.
        ClipListError: the list cannot be read, or names no clips.
    """
    clips = list_clips(root)
    if select == ALL:
        return clips
    return first_of_each_video(clips) if select == FIRST else read_clip_list(Path(select), clips)


class _Job:
    def __init__(self, request: VoxRequest, config: VoxConfig, display: Display) -> None:
        self._request, self._config, self._display = request, config, display
        self._listener = several(display)  # frames are told of from another thread
        self._store = ObjectStore(config.store_uri)
        self._num_found, self._peak_mib = 0, 0.0

    def run(self, clips: list[Row]) -> VoxOutcome:
        self._display.expect(STAGE, len(clips))
        cut = sorted(self._cut(plan_shards(clips, self._config)), key=_order)
        table = facts_table([fact for shard in cut for fact in shard["facts"]])
        facts = table.to_pylist()
        assert [clip_name(fact) for fact in facts] == [clip_name(clip) for clip in clips]
        counts = count_clips(facts, self._config)
        digest = content_digest(table, self._config.facts)
        files = write_training_set(self._request.out, table, self._manifest(digest, counts, cut))
        return VoxOutcome(
            exit_code=DONE if counts["ok"] else FAILED,
            digest=digest,
            counts=counts,
            num_found=self._num_found,
            peak_mib=self._peak_mib,
            notices=self._notices(facts),
            files=files,
        )

    def _cut(self, shards: list[Row]) -> Iterator[Row]:
        missing = []
        for shard in shards:
            found = find_shard(shard, self._store)
            if found is None:
                missing.append(shard)
                continue
            self._num_found += len(found["facts"])
            self._tell(found, cached=True)
            yield found
        if missing:
            for name in (BACKENDS[self._config.cut.detector.backend], "face-mesh"):
                asset_path(name)  # fetched once here, not by every worker
            with ray_cluster(self._request.address):
                for shard in cut_shards(missing, self._config, self._listener):
                    self._peak_mib = max([self._peak_mib, *(timing["peak_mib"] for timing in shard["timings"])])
                    self._tell(shard, cached=False)
                    yield shard

    def _tell(self, shard: Row, *, cached: bool) -> None:
        facts = shard["facts"]
        event = Event(
            stage=STAGE,
            title=shard["title"],
            num_pieces=len(facts),
            num_frames=sum(fact["num_frames"] for fact in facts),
            cached=cached,
            message="" if cached else _lost(facts),
        )
        self._listener(event)

    def _manifest(self, digest: str, counts: dict[str, Any], cut: Sequence[Row]) -> dict[str, Any]:
        own = self._request.work is None
        return {
            "digest": digest,
            "settings": self._config.facts,
            "thresholds": asdict(self._config.thresholds),
            "counts": counts,
            "code": read_revision().facts,
            "store": WORK_NAME if own else self._config.store_uri,
            "shards": [_shard_facts(shard) for shard in cut if shard["shard_key"]],
        }

    def _notices(self, facts: Sequence[Row]) -> list[str]:
        notices = [FOUND.format(len(facts))] if self._num_found == len(facts) else []
        notices += [lost] if (lost := _lost(facts)) else []
        return [*notices, *([] if self._config.judge_path else [NO_JUDGE])]


def count_clips(facts: Sequence[Row], config: VoxConfig) -> dict[str, Any]:
    """How many clips came out how, and what the thresholds would leave of those that are ok."""
    ok = [fact for fact in facts if fact["status"] == ClipStatus.OK]
    reasons = Counter(fact["reason"] for fact in facts if fact["reason"])
    filtered = Counter(filter_reason(fact, config.thresholds) or KEPT for fact in ok)
    assert len(ok) + reasons.total() == len(facts)
    num_frames = sum(fact["num_face_frames"] for fact in ok)
    return {
        "selected": len(facts),
        "ok": len(ok),
        "failed": reasons.total(),
        "by_reason": dict(sorted(reasons.items())),
        "by_filter_reason": {str(reason): count for reason, count in sorted(filtered.items())},
        "num_frames": num_frames,
        "hours": round(num_frames / GRID_RATE / 3600, 4),
        "num_identities": len({(fact["split"], fact["identity"]) for fact in ok}),
    }


def _lost(facts: Sequence[Row]) -> str:
    """How many clips give nothing, and why; empty when all give something."""
    reasons = Counter(fact["reason"] for fact in facts if fact["reason"])
    words = ", ".join(f"{count} x {reason}" for reason, count in sorted(reasons.items()))
    return f"{reasons.total()} of {len(facts)} clips give nothing: {words}" if reasons else ""


def _shard_facts(shard: Row) -> dict[str, Any]:
    return {
        "key": shard["shard_key"],
        "digest": shard["shard_digest"],
        "split": shard["split"],
        "identity": shard["identity"],
        "num_rows": shard["num_rows"],
        "num_frames": sum(fact["num_face_frames"] for fact in shard["facts"]),
    }


def _order(shard: Row) -> tuple[str, str, int]:
    return shard["split"], shard["identity"], shard["shard_index"]
