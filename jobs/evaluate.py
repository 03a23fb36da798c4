"""The evaluation job: a list of pairs in, one row a pair and a summary out, one MLflow run."""

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from diff2lip.checkpoint import load_checkpoint
from diff2lip.frechet import frechet_distance
from diff2lip.precision import set_precision
from jobs.command import DONE, FAILED
from jobs.lineage import JobRun, default_tracking_uri, describe, lineage_tags, open_job
from jobs.model_reference import DEFAULT_MODEL, resolve_model
from jobs.out_lock import held_out
from jobs.overrides import override
from jobs.paper_figures import LRW, MEASURES, PAPER_TABLE_2, VOXCELEB2
from jobs.progress import Display, Silence
from jobs.revision import read_revision
from jobs.work_folder import work_uri
from pipelines.evaluated_pair import Evaluated, EvaluationConfig, PairEvaluator, evaluation_config
from pipelines.instruments import FRECHET, LSE, Instruments, load_instruments
from pipelines.pair_list import Pair, read_pairs
from pipelines.progress import Event
from pipelines.published_path import CropChoice, Mode
from pipelines.stage import Row
from pipelines.storage import ObjectStore, file_digest, write_whole
from schemas.evaluation import EVALUATED_PAIR

STAGE = "evaluate"
LSE_MEASURES = ("lse_c", "lse_d", "av_offset_ms")
TRUE_MEASURES = ("psnr_db", "ssim", "lpips_alex", "st_lpips_alex")
ROWS_NAME, SUMMARY_NAME = "pairs.parquet", "summary.json"
NO_FID = "FID is over Inception-v3, whose weights are in no registry; see frechet_mobilenet_v2"
NO_TRUTH = "the frames of no pair have a truth: its sound is another clip's"
OWN_DETECTOR = "faces are found by RetinaFace; the published detector, S3FD, gives other boxes"
OWN_CROP = "the model was made for this project's crop, so it was given that; the paper's figures are of the face box"
STILL = "no mouth that is seen moves enough to give its range, or path.hushed_every is 0"
NO_PHONES = "no p, b or m is timed: put NAME.csv of the Montreal Forced Aligner beside the clips that are heard"
UNMEASURED = {"leakage": STILL, "bilabial_closure": NO_PHONES}
NOT_CODED = "figures are of painted frames before any video coding; the published ones are of coded videos"


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRequest:
    """What a person asked for."""

    pairs: Path
    root: Path
    out: Path
    model: str = DEFAULT_MODEL
    mode: Mode = Mode.CROSS
    judge: Path | None = None
    settings: tuple[str, ...] = ()  # key=value
    tracking_uri: str | None = None


@dataclass(kw_only=True, slots=True)
class EvaluationOutcome:
    """What was measured."""

    exit_code: int
    rows: list[Row] = field(default_factory=list)  # EVALUATED_PAIR
    summary: list[Row] = field(default_factory=list)  # one a measure, beside the paper's figures
    notices: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    run_id: str = ""
    tracking_uri: str = ""


def run_evaluation(request: EvaluationRequest, display: Display | None = None) -> EvaluationOutcome:
    """Evaluate a model on a list of pairs. What was evaluated before, of the same model and clips, is found.

    Raises:
        PairListError: the list is none, or empty.
        ModelUnavailableError: the model reference leads nowhere.
        OverrideError: a setting does not fit.
        CheckpointError: model or judge hold something else.
        OutInUseError: another job writes into the same folder.
        TrackingError: the tracking store cannot be reached.
    """
    pairs = read_pairs(request.pairs)
    job = _Job(request, display or Silence())
    with held_out(request.out):
        return job.run(pairs)


class _Job:
    def __init__(self, request: EvaluationRequest, display: Display) -> None:
        self._request, self._display = request, display
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        reference = resolve_model(request.model, request.tracking_uri)
        model = load_checkpoint(reference.path)
        self._config: EvaluationConfig = override(evaluation_config(model.denoiser.config), request.settings)
        set_precision(model.denoiser, self._config.path.sampler.precision)
        model.denoiser.to(memory_format=torch.channels_last).to(device)  # as pixels come: on CPUs the faster order
        self._instruments: Instruments = load_instruments(request.judge, device)
        store = ObjectStore(work_uri(None, str(request.out)))
        self._evaluator = PairEvaluator(model, self._config, request.mode, self._instruments, store)
        self._model_digest = model.digest
        self._uri = request.tracking_uri or default_tracking_uri(request.out)

    def run(self, pairs: Sequence[Pair]) -> EvaluationOutcome:
        record, failed = self._open(), True
        try:
            evaluated = list(self._evaluated(pairs))
            rows = [one.row for one in evaluated]
            summary = summarise(rows, self._request.mode, self._instruments.missing, self._frechet(evaluated))
            files = self._write(rows, summary)
            failed = any(row["reason"] for row in rows)
            record.log_metrics(_metrics(rows, summary))
            for path in files:
                record.log_file(path)
        finally:
            record.finish(failed=failed)
        return EvaluationOutcome(
            exit_code=FAILED if failed else DONE,
            rows=rows,
            summary=summary,
            notices=self._notices(rows),
            files=[str(path) for path in files],
            run_id=record.run_id,
            tracking_uri=self._uri,
        )

    def _open(self) -> JobRun:
        request, revision = self._request, read_revision()
        digests = {"pairs": file_digest(request.pairs), "model": self._model_digest}
        digests |= {"judge": file_digest(request.judge)} if request.judge else {}
        record = open_job(self._uri, STAGE, lineage_tags(revision, digests))
        settings = {"mode": request.mode.value, "crop": self._evaluator.crop.value, **asdict(self._config)}
        record.log_params({"model": request.model, **settings})
        record.log_json("config.json", describe(revision, settings))
        record.log_input(request.pairs.name, str(request.pairs.absolute()), digests["pairs"], STAGE)
        return record

    def _evaluated(self, pairs: Sequence[Pair]) -> Iterator[Evaluated]:
        self._display.expect(STAGE, len(pairs))
        for pair in pairs:
            begin = time.monotonic()
            one = self._evaluator.evaluate(pair, self._request.root, partial(self._told, pair))
            event = Event(
                stage=STAGE,
                title=pair.name,
                num_frames=one.row["num_frames"],
                seconds=time.monotonic() - begin,
                cached=one.found,
                message=one.row["detail"],
            )
            self._display(event)
            yield one

    def _told(self, pair: Pair, num_frames: int) -> None:
        self._display(Event(stage=STAGE, title=pair.name, num_frames=num_frames, partial=True))

    def _frechet(self, evaluated: Sequence[Evaluated]) -> float | None:
        sets = [self._evaluator.features(one.features_key) for one in evaluated if one.features_key]
        if not sets:
            return None
        real, painted = (torch.cat([pair[side] for pair in sets]) for side in (0, 1))
        return frechet_distance(real, painted) if min(len(real), len(painted)) > 1 else None

    def _write(self, rows: list[Row], summary: list[Row]) -> list[Path]:
        table, sink = pa.Table.from_pylist(rows, schema=EVALUATED_PAIR), pa.BufferOutputStream()
        pq.write_table(table, sink)
        contents = {ROWS_NAME: sink.getvalue().to_pybytes(), SUMMARY_NAME: json.dumps(summary, indent=2).encode()}
        paths = [self._request.out / name for name in contents]
        for path, data in zip(paths, contents.values(), strict=True):
            write_whole(path, data)
        return paths

    def _notices(self, rows: Sequence[Row]) -> list[str]:
        reasons = Counter(row["reason"] for row in rows if row["reason"])
        lost = ", ".join(f"{count} x {reason}" for reason, count in sorted(reasons.items()))
        notices = [f"{reasons.total()} of {len(rows)} pairs were not measured: {lost}"] if lost else []
        crop = self._evaluator.crop
        notices += [OWN_CROP] if crop is CropChoice.OWN else []
        notices += [OWN_DETECTOR] if crop is CropChoice.FACE_BOX else []
        return [*notices, NOT_CODED]


def summarise(rows: Sequence[Row], mode: Mode, missing: dict[str, str], frechet: float | None) -> list[Row]:
    """One row a measure: its mean over the pairs that have it, why there is none, and the paper's figures.

    Args:
        rows: EVALUATED_PAIR.
        mode: which half of the paper's table is laid beside.
        missing: measures that were not taken, and why.
        frechet: the distance of all features, where they were taken.
    """
    lacking = {"fid": NO_FID, **missing, **{name: missing[LSE] for name in LSE_MEASURES if LSE in missing}}
    summary = []
    for name, better in MEASURES:
        values = [row[name] for row in rows if row.get(name) is not None]
        mean = math.fsum(values) / len(values) if values else None
        value = frechet if name == FRECHET else mean
        counted = sum(not row["reason"] for row in rows) if name == FRECHET and value is not None else len(values)
        paper = {data: figures.get(name) for data, figures in PAPER_TABLE_2[mode].items()}
        summary.append(
            {
                "measure": name,
                "better": better,
                "value": value,
                "num_pairs": counted,
                "not_measured": "" if value is not None else lacking.get(name, _why(name, rows)),
                "paper_voxceleb2": paper[VOXCELEB2],
                "paper_lrw": paper[LRW],
            }
        )
    return summary


def _why(name: str, rows: Sequence[Row]) -> str:
    """Why no pair has a measure that could have been taken."""
    if all(row["reason"] for row in rows):
        return "no pair was painted"
    return NO_TRUTH if name in TRUE_MEASURES else UNMEASURED.get(name, "no pair gives it")


def _metrics(rows: Sequence[Row], summary: Sequence[Row]) -> dict[str, float]:
    metrics = {line["measure"]: line["value"] for line in summary if line["value"] is not None}
    reasons = Counter(row["reason"] for row in rows if row["reason"])
    metrics |= {f"pairs.{reason}": float(count) for reason, count in reasons.items()}
    counts: dict[str, Any] = {"pairs": len(rows), "frames": sum(row["num_frames"] for row in rows)}
    return metrics | {name: float(count) for name, count in counts.items()}
