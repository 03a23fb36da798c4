"""Stage 7, per film: the picture with its painted mouths, the dub as default sound, all else copied; then published.

What is published was read back and proved by `verify`, which did not write it.
"""

import errno
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.cue_sheet import stored_lines
from pipelines.delivery import MANIFEST_NAME, Delivery, OtherFilmError, read_manifest
from pipelines.delivery_key import base_name, manifest_key
from pipelines.film_picture import WrittenPicture, write_picture
from pipelines.given_dub import given_dub
from pipelines.heard_film import heard_lines_of, recognised_summary, words_summary
from pipelines.media.container import UndecodableError
from pipelines.media.dub_track import DubTrack, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.mux import Written
from pipelines.media.muxer import UnwritableError, delivered_suffix
from pipelines.media.refusal import MediaRefusedError
from pipelines.progress import Tell, untold
from pipelines.proof import Proof
from pipelines.shot_patches import ShotPatches
from pipelines.sound_check import delivered_sound, stored_sounds
from pipelines.splice_proof import OF_PICTURE
from pipelines.stage import Row
from pipelines.storage import file_digest
from pipelines.verify import verify_films
from schemas.film import FILM
from schemas.timing import clock, fraction

OF_PAINTED = ("num_frames_changed", "seam_ratio", "flicker_ratio", "covered_share")
SHOT_FACTS = ("shot_index", "reason", *OF_PAINTED, "verdicts", "tries")


WriteReview = Callable[[Row, Sequence[Row], Path], None]
"""Given the row of DUBBED_FILM, the shots, and the folder that is being filled, writes into it what people look at."""
Review = Callable[[Row], WriteReview]
"""From a FILM row, when its last shot is in, to what writes its report and proxies; that goes to a worker."""


class SourceChangedError(RuntimeError):
    """The bytes of the film, the dub or the music and effects are not those that were admitted."""


class ProofFailedError(RuntimeError):
    """The delivered film is not the source film with a dub, so it was not published."""

    def __init__(self, proof: Proof) -> None:
        super().__init__(f"the film was written but does not hold: {failures_of(proof)}")
        self.proof = proof


def failures_of(proof: Proof) -> str:
    """What does not hold, in one line."""
    return "; ".join(f"{check.name}: {check.detail}" for check in proof.failures)


@dataclass(frozen=True, slots=True)
class Stitched:
    """What became of a film."""

    film: Row  # DUBBED_FILM
    found: bool  # it had been delivered before, of the same things


FAILURES = (UndecodableError, UnwritableError, MediaRefusedError, ProofFailedError, SourceChangedError, OtherFilmError)
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


def stitch_film(
    film: Row,
    shots: Sequence[Row],
    out_dir: str,
    *,
    encode: EncodeConfig | None = None,
    facts: dict[str, Any] | None = None,
    code: dict[str, str] | None = None,
    extra_files: dict[str, bytes] | None = None,
    review: WriteReview | None = None,
    tell: Tell = untold,
    alone: bool = False,
) -> Stitched:
    """Deliver a film into OUT/<title>/<language>/.

    A delivery that was made of the same things is left alone. A film that cannot be written or whose proof
    does not hold leaves nothing behind, and its row says why in `failure`.

    Args:
        film: row of FILM.
        shots: rows of JUDGED_SHOT, all of the film's, in any order.
        out_dir: local folder of deliveries.
        encode: encoder settings.
        facts: what else the manifest records and the delivery depends on: model, config. JSON values.
        code: what the manifest records of the code, on which the delivery does not depend: commit, lock digest.
        extra_files: further files of the folder, by name: plan.parquet, shots.parquet.
        review: writes the report and the proxies; they appear with the film.
        tell: told of frames as they are written.
        alone: whether no other film is painted or written beside it: it may keep more CPUs busy.

    Raises:
        ValueError: shots are missing, or the title is no folder name.
    """
    _check_shots(film, shots)
    delivery = Delivery(Path(out_dir), film["title"], film["language"])
    encode = encode or EncodeConfig()
    key = manifest_key(film, shots, encode, facts or {})
    made_with = {"key": key, "made_with": facts or {}, "code": code or {}, "encode": asdict(encode)}
    try:
        delivery.sweep()
        delivery.check_replaceable(film["film_id"])
        found = delivery.manifest()
        if found is not None and delivery.holds(key):
            row = _row(film, shots, delivery.folder / found["film"], found["num_frames"])
            return Stitched(row, found=True)
        _check_unchanged(film)
        with delivery.filling() as folder:
            row = _fill(folder, film, shots, encode, made_with, extra_files or {}, review, tell, alone)
        return Stitched(row | {"delivered_uri": str(delivery.folder / Path(row["delivered_uri"]).name)}, found=False)
    except FAILURES as error:
        failure = str(error)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        failure = f"{delivery.folder} cannot be written: {error.strerror}"
    return Stitched(_row(film, shots, None, {}) | {"failure": failure}, found=False)


def is_delivered(
    film: Row,
    shots: Sequence[Row],
    out_dir: str,
    encode: EncodeConfig | None = None,
    facts: dict[str, Any] | None = None,
) -> bool:
    """Whether `stitch_film` would find its work done: the same things were delivered and still lie there whole."""
    key = manifest_key(film, shots, encode or EncodeConfig(), facts or {})
    return Delivery(Path(out_dir), film["title"], film["language"]).holds(key)


def _fill(
    folder: Path,
    film: Row,
    shots: Sequence[Row],
    encode: EncodeConfig,
    made_with: dict[str, Any],
    extra_files: dict[str, bytes],
    review: WriteReview | None,
    tell: Tell,
    alone: bool,
) -> Row:
    """Write and prove the film and all that lies beside it; the row names the film in this folder."""
    source = Path(film["film_uri"])
    target = folder / f"film.{delivered_suffix(source)}"
    write = partial(_written, film, shots, target, encode, made_with, tell, alone)
    made, proof = write(None)
    if made.whole is None and any(check.name in OF_PICTURE for check in proof.failures):
        made, proof = write(failures_of(proof))
    if not proof.holds:
        raise ProofFailedError(proof)
    manifest = read_manifest(folder) or {}
    _write_manifest(folder, manifest | {"proof": json.loads(proof.to_json())})
    for extra, data in extra_files.items():
        (folder / extra).write_bytes(data)
    row = _row(film, shots, target, made.facts["num_frames"])
    if review:
        review(row, shots, folder)
    return row


def _written(
    film: Row,
    shots: Sequence[Row],
    target: Path,
    encode: EncodeConfig,
    made_with: dict[str, Any],
    tell: Tell,
    alone: bool,
    failed: str | None,
) -> tuple[WrittenPicture, Proof]:
    """Write the film and its manifest, and read both back."""
    given = given_dub(film)
    track = dub_track(given, target.suffix)
    made = write_picture(film, shots, target, track, encode, tell, alone, failed)
    manifest = (
        _manifest(film, shots, made.patches)
        | made.facts
        | _sound_facts(shots, track, target, made.written)
        | made_with
        | {"film": target.name}
    )
    manifest |= {"film_digest": file_digest(target), "film_size_bytes": target.stat().st_size}
    _write_manifest(target.parent, manifest)  # the proof reads it
    return made, verify_films(given.film, target, given.dub, given.music_and_effects)


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=2, sort_keys=True))


def _check_unchanged(film: Row) -> None:
    for name, digest in (("film_uri", "film_id"), ("dub_uri", "dub_digest"), ("me_uri", "me_digest")):
        path = Path(film[name]) if film[name] else None
        if path and (not path.is_file() or file_digest(path) != film[digest]):
            raise SourceChangedError(f"{path.name} is not the file that was admitted; start the job again")


def _manifest(film: Row, shots: Sequence[Row], patches: ShotPatches) -> dict[str, Any]:
    return {
        "title": film["title"],
        "language": film["language"],
        "film_id": film["film_id"],
        "dub_id": film["dub_id"],
        "dub_digest": film["dub_digest"],
        "me_digest": film["me_digest"],
        "dub_place": film["dub_place"],
        "source_language": film["source_language"],
        "dub_kind": film["dub_kind"],
        "dub_channel": film["dub_channel"],
        "sheet_digest": film["sheet_digest"],
        "conform": film["conform"],
        "me_conform": film["me_conform"],
        "notes": film["notes"],
        "lines": stored_lines(film["lines_uri"]),
        "heard_lines": heard_lines_of(shots),
        "words": words_summary(shots),
        "recognised": recognised_summary(shots),
        "shots": [_shot(shot, patches) for shot in sorted(shots, key=lambda shot: int(shot["shot_index"]))],
    }


def _sound_facts(shots: Sequence[Row], track: DubTrack, target: Path, written: Written) -> dict[str, Any]:
    """What the dub track of a film is, and what it and that of which it is made measure."""
    facts = {"mix": track.mix.value, "codec": track.codec, "sample_rate_hz": track.sample_rate_hz}
    sounds = [
        *stored_sounds(shots[0]["sounds_uri"]),
        delivered_sound(target, shots[0]["start_pts"] * fraction(shots[0]["time_base"])),
    ]
    return {"dub_track": facts | {"layout": track.layout, "peak": round(written.dub_peak, 4)}, "sounds": sounds}


def _shot(shot: Row, patches: ShotPatches) -> dict[str, Any]:
    time_base = fraction(shot["time_base"])
    return {name: shot[name] for name in SHOT_FACTS} | {
        "start_pts": shot["shot_start_pts"],
        "end_pts": shot["shot_end_pts"],
        "start": clock(shot["shot_start_pts"] * time_base),
        "end": clock(shot["shot_end_pts"] * time_base),
        "changed_rect": patches.rects.get(shot["shot_index"]),
        "changed": patches.changed.get(shot["shot_index"], []),
        "patch": base_name(shot["patch_uri"]),
    }


def _check_shots(film: Row, shots: Sequence[Row]) -> None:
    indices = sorted(shot["shot_index"] for shot in shots)
    if not shots or indices != list(range(shots[0]["num_shots"])):
        raise ValueError(f"{film['title']}: shots {indices} are not all of the film's")


def _row(film: Row, shots: Sequence[Row], delivered: Path | None, num_frames: dict[str, int]) -> Row:
    return {field.name: film[field.name] for field in FILM} | {
        "delivered_uri": None if delivered is None else str(delivered),
        "num_shots": len(shots),
        "num_shots_dubbed": sum(bool(shot["patch_uri"]) for shot in shots) if delivered else 0,
        "num_frames_changed": num_frames.get("edited", 0),
        "num_frames_copied": num_frames.get("copied", 0),
        "failure": None,
    }
