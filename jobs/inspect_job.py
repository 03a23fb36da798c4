"""The inspect job: what a film is made of and which of its faces could be dubbed. No dub, no Ray, no MLflow."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from diff2lip.config import CropConfig
from pipelines.admission import film_facts
from pipelines.align import clip_spans
from pipelines.eligibility import Eligibility
from pipelines.face_config import DetectorConfig, FaceConfig, TrackConfig
from pipelines.film_parts import part_rows
from pipelines.media.probe import Probe, probe_film
from pipelines.original_voices import original_voices
from pipelines.plan import plan_shots
from pipelines.shots import DetectShots, ShotConfig
from pipelines.speaking_config import SpeakingConfig
from pipelines.speech import SpeechConfig, original_speech
from pipelines.stage import Row
from pipelines.storage import ObjectStore, file_digest
from pipelines.verdict import measured
from pipelines.voice_descriptor import VoiceDescriber
from pipelines.watch import WatchPart, is_watchable
from schemas.film import FILM
from schemas.film_part import FILM_PART
from schemas.mix import StemChannel
from schemas.reason import Reason
from schemas.shot import ALIGNED_SHOT
from schemas.timing import ANALYSIS_RATE_HZ, Span, clock, fraction

NO_LANGUAGE = "und"  # BCP-47 for undetermined: there is no dub
SIZES, POSE = ("num_frames", "face_height_px", "enlargement"), ("yaw_deg", "pitch_deg", "smear")
TRACK_FACTS = ("track_index", *SIZES, *POSE, "score", "speaking_score")
TableStage = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectConfig:
    """How a film is looked at: those settings of a dub that decide its shots, its faces and what is said of them."""

    crop: CropConfig = field(default_factory=CropConfig)  # in a dub, that of its model
    shots: ShotConfig = field(default_factory=ShotConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracks: TrackConfig = field(default_factory=TrackConfig)
    speaking: SpeakingConfig = field(default_factory=SpeakingConfig)
    eligibility: Eligibility = field(default_factory=Eligibility)

    @property
    def faces(self) -> FaceConfig:
        """How faces are found and followed, and the window that is cut of them."""
        return FaceConfig(crop=self.crop, detector=self.detector, tracks=self.tracks)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """What a film is made of."""

    film: dict[str, Any]
    shots: list[dict[str, Any]]
    planned: list[Row]  # PLANNED_SHOT

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"film": self.film, "shots": self.shots}


def inspect_film(
    path: Path, store_uri: str, track_faces: TableStage | None = None, config: InspectConfig | None = None
) -> Inspection:
    """Probe, shots, face tracks with speaking scores, and what a plan would say of them.

    Args:
        path: the film.
        store_uri: where intermediates are kept: the same keys as in a dub, so a dub finds them done.
        track_faces: the stage that follows faces; the real one unless a test has another.
        config: how it is looked at; as a dub does when left out.

    Raises:
        MediaRefusedError: the file is no film that could be dubbed; says why.
    """
    config = config or InspectConfig()
    probe = probe_film(path)
    film = film_row(path, probe)
    if track_faces is None and is_watchable(config.shots):
        _watch(film, store_uri, config)
    shots = DetectShots(store_uri, config.shots)(pa.Table.from_pylist([film], schema=FILM))
    describer = VoiceDescriber()
    rows = [_with_speech(row, store_uri, describer) for row in shots.to_pylist()]
    heard = pa.Table.from_pylist(rows, schema=ALIGNED_SHOT)
    rules = config.eligibility
    planned = plan_shots((track_faces or _face_stage(store_uri, config))(heard), rules).to_pylist()
    told = [_shot_facts(row, rules) for row in planned]
    return Inspection(film=_film_facts(path, film, probe), shots=told, planned=planned)


def _watch(film: Row, store_uri: str, config: InspectConfig) -> None:
    """Find cuts and faces with one decode: the stages that follow find them done."""
    stage = WatchPart(store_uri=store_uri, shots=config.shots, faces=config.faces)
    for part in part_rows(film):
        stage(pa.Table.from_pylist([part], schema=FILM_PART))


def _face_stage(store_uri: str, config: InspectConfig) -> TableStage:
    from pipelines.faces import TrackFaces

    return TrackFaces(
        store_uri=store_uri,
        crop=config.crop,
        detector=config.detector,
        tracks=config.tracks,
        speaking=config.speaking,
    )


def film_row(path: Path, probe: Probe) -> Row:
    """FILM of a film without a dub: its own sound stands for one."""
    digest = file_digest(path)
    names = {"film_id": digest, "dub_id": digest, "dub_digest": digest, "title": path.stem, "language": NO_LANGUAGE}
    places = {"film_uri": str(path.absolute()), "dub_uri": str(path.absolute()), "dub_kind": "dub_mix"}
    places |= {"dub_channel": StemChannel.MEAN.value}
    empty = ("sheet_uri", "sheet_digest", "lines_uri", "conform", "me_conform", "script_uri", "script_digest")
    nothing = dict.fromkeys(("me_uri", "me_digest", "cast_uri", "cast_digest", "source_language", *empty))
    return {**names, **places, **nothing, **film_facts(probe), "dub_place": probe.sound_place}


def _with_speech(row: Row, store_uri: str, describer: VoiceDescriber) -> Row:
    """The shot with its original speech, as if its dub were silent."""
    span = Span(row["shot_start_pts"], row["shot_end_pts"], fraction(row["time_base"]))
    start, end = span.to_samples(ANALYSIS_RATE_HZ)
    store = ObjectStore(store_uri)
    spoken = original_speech(store, row, SpeechConfig())
    speech = clip_spans(spoken.spoken, start, end)
    pieces = [(one["start"], one["end"]) for one in speech]
    return row | {
        "dub_start_sample": start,
        "dub_end_sample": end,
        "lag_samples": None,
        "dub_speech": [],
        "original_speech": speech,
        "original_overlap": clip_spans(spoken.overlapped, start, end),
        "original_voices": original_voices(store, row, pieces, describer),
        "sounds_uri": None,
        "dub_words": [],
        "dub_text": None,
        "recognised_text": None,
        "dub_lines": [],
        "unlined_speech_s": None,
    }


def _film_facts(path: Path, film: Row, probe: Probe) -> dict[str, Any]:
    facts = {name: film[name] for name in ("film_id", *film_facts(probe))}
    return facts | {
        "path": str(path),
        "container": probe.container,
        "duration": clock(probe.duration_s),
        "num_chapters": probe.num_chapters,
        "streams": [_plain(asdict(stream)) for stream in probe.streams],
    }


def _shot_facts(row: Row, rules: Eligibility) -> dict[str, Any]:
    time_base = fraction(row["time_base"])
    decided = {verdict["track_index"]: verdict for verdict in row["verdicts"]}
    spoken = sum(span["end"] - span["start"] for span in row["original_speech"])
    return {
        "shot_index": row["shot_index"],
        "start_pts": row["shot_start_pts"],
        "end_pts": row["shot_end_pts"],
        "num_frames": row["shot_num_frames"],
        "start": clock(row["shot_start_pts"] * time_base),
        "end": clock(row["shot_end_pts"] * time_base),
        "speech_s": round(spoken / ANALYSIS_RATE_HZ, 3),
        "speech": [_seconds(span) for span in row["original_speech"]],
        "reason": row["reason"],
        "tracks": [_track_facts(row, track, decided[track["track_index"]], rules) for track in row["tracks"]],
    }


def _track_facts(row: Row, track: Row, verdict: Row, rules: Eligibility) -> dict[str, Any]:
    facts = {name: _rounded(track[name]) for name in TRACK_FACTS}
    span = {"start_pts": track["start_pts"], "end_pts": track["end_pts"]}
    decided = {name: verdict[name] for name in ("person", "verdict", "reason")} | {"covers": track["covers"]}
    reason = Reason(verdict["reason"]) if verdict["reason"] else None
    scores = [_seconds(piece) | {"score": _rounded(piece["score"])} for piece in track["speech_scores"]]
    return facts | span | decided | {"speech_scores": scores, "measured": measured(row, track, reason, rules)}


def _seconds(span: Row) -> dict[str, float]:
    """A span of samples in seconds of the film's time."""
    return {f"{name}_s": round(span[name] / ANALYSIS_RATE_HZ, 3) for name in ("start", "end")}


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as JSON has them: several words are a list, exact times are words."""
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in facts.items()}
    return {
        name: value if isinstance(value, int | str | bool | list | None) else str(value)
        for name, value in listed.items()
    }
