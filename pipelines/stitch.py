"""Stage 7, per film: the picture with its painted mouths, the dub as default sound, all else copied; then published.

What is published was read back and proved by `verify`, which did not write it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.delivery import MANIFEST_NAME, Delivery
from pipelines.media.container import UndecodableError
from pipelines.media.dub_track import dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.mux import Written, delivered_suffix, write_film
from pipelines.media.refusal import MediaRefusedError
from pipelines.shot_patches import ShotPatches
from pipelines.stage import Row
from pipelines.storage import content_key, file_digest
from pipelines.verify import Proof, verify_films
from schemas.film import FILM
from schemas.timing import clock, fraction

VERSION = 1  # raised when the same facts give another film

SHOT_FACTS = ("shot_index", "reason", "num_frames_changed", "seam_ratio", "flicker_ratio", "verdicts")


class SourceChangedError(RuntimeError):
    """The film's bytes are not those that were admitted."""


class ProofFailedError(RuntimeError):
    """The delivered film is not the source film with a dub, so it was not published."""

    def __init__(self, proof: Proof) -> None:
        lines = "; ".join(f"{check.name}: {check.detail}" for check in proof.failures)
        super().__init__(f"the film was written but does not hold: {lines}")
        self.proof = proof


def stitch_film(
    film: Row,
    shots: Sequence[Row],
    out_dir: str,
    *,
    encode: EncodeConfig | None = None,
    facts: dict[str, Any] | None = None,
    extra_files: dict[str, bytes] | None = None,
) -> Row:
    """Deliver a film into OUT/<title>/<language>/ and return its row of DUBBED_FILM.

    A delivery that was made of the same things is left alone. A film that cannot be written or whose proof
    does not hold leaves nothing behind, and its row says why in `failure`.

    Args:
        film: row of FILM.
        shots: rows of COMPOSITED_SHOT, all of the film's, in any order.
        out_dir: local folder of deliveries.
        encode: encoder settings.
        facts: what else the manifest records and the delivery depends on: model, code, config. JSON values.
        extra_files: further files of the folder, by name: plan.parquet, shots.parquet.

    Raises:
        ValueError: shots are missing, or the title is no folder name.
    """
    _check_shots(film, shots)
    delivery = Delivery(Path(out_dir), film["title"], film["language"])
    encode = encode or EncodeConfig()
    key = manifest_key(film, shots, encode, facts or {})
    found = delivery.manifest()
    if found is not None and found["key"] == key and (delivery.folder / found["film"]).is_file():
        return _row(film, shots, delivery.folder / found["film"], found["num_frames"]["edited"])
    try:
        return _deliver(film, shots, delivery, encode, key, facts or {}, extra_files or {})
    except (UndecodableError, MediaRefusedError, ProofFailedError, SourceChangedError) as error:
        return _row(film, shots, None, 0) | {"failure": str(error)}


def manifest_key(film: Row, shots: Sequence[Row], encode: EncodeConfig, facts: dict[str, Any]) -> str:
    """The digest of all that a delivery is made of."""
    patches = [[shot["shot_index"], (shot["patch_uri"] or "").rsplit("/", 1)[-1], shot["reason"]] for shot in shots]
    made_of = {"dub_id": film["dub_id"], "patches": sorted(patches), "encode": asdict(encode), "facts": facts}
    return content_key("stitch", VERSION, made_of)


def _deliver(
    film: Row,
    shots: Sequence[Row],
    delivery: Delivery,
    encode: EncodeConfig,
    key: str,
    facts: dict[str, Any],
    extra_files: dict[str, bytes],
) -> Row:
    source, patches = Path(film["film_uri"]), ShotPatches(shots)
    name = f"film.{delivered_suffix(source)}"
    effects = Path(film["me_uri"]) if film["me_uri"] and film["dub_kind"] == "dub_stem" else None
    _check_unchanged(source, film["film_id"])
    track = dub_track(Path(film["dub_uri"]), effects)
    with delivery.filling() as folder:
        target = folder / name
        written = write_film(source, target, patches.change, track, film["language"], film["end_pts"], encode)
        manifest = _manifest(film, shots, patches, written) | {"key": key, "film": name, "made_with": facts}
        manifest |= {"encode": asdict(encode), "film_digest": file_digest(target)}
        (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=2, sort_keys=True))
        proof = verify_films(source, target, Path(film["dub_uri"]), effects)
        if not proof.holds:
            raise ProofFailedError(proof)
        manifest["proof"] = json.loads(proof.to_json())
        (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=2, sort_keys=True))
        for extra, data in extra_files.items():
            (folder / extra).write_bytes(data)
    return _row(film, shots, delivery.folder / name, written.num_frames_changed)


def _check_unchanged(source: Path, film_id: str) -> None:
    if not source.is_file() or file_digest(source) != film_id:
        raise SourceChangedError(f"{source.name} is not the file that was admitted; start the job again")


def _manifest(film: Row, shots: Sequence[Row], patches: ShotPatches, written: Written) -> dict[str, Any]:
    return {
        "title": film["title"],
        "language": film["language"],
        "film_id": film["film_id"],
        "dub_id": film["dub_id"],
        "dub_digest": film["dub_digest"],
        "dub_kind": film["dub_kind"],
        "dialogue_only": film["dub_kind"] == "dub_stem" and not film["me_uri"],
        "dub_peak": round(written.dub_peak, 4),
        "num_frames": {
            "all": written.num_frames,
            "edited": written.num_frames_changed,
            "re_encoded_untouched": written.num_frames - written.num_frames_changed,
            "copied": 0,
        },
        "shots": [_shot(shot, patches) for shot in sorted(shots, key=lambda shot: int(shot["shot_index"]))],
    }


def _shot(shot: Row, patches: ShotPatches) -> dict[str, Any]:
    time_base = fraction(shot["time_base"])
    return {name: shot[name] for name in SHOT_FACTS} | {
        "start_pts": shot["shot_start_pts"],
        "end_pts": shot["shot_end_pts"],
        "start": clock(shot["shot_start_pts"] * time_base),
        "end": clock(shot["shot_end_pts"] * time_base),
        "changed_rect": patches.rects.get(shot["shot_index"]),
        "changed": patches.changed.get(shot["shot_index"], []),
        "patch": shot["patch_uri"] and shot["patch_uri"].rsplit("/", 1)[-1],
    }


def _check_shots(film: Row, shots: Sequence[Row]) -> None:
    indices = sorted(shot["shot_index"] for shot in shots)
    if not shots or indices != list(range(shots[0]["num_shots"])):
        raise ValueError(f"{film['title']}: shots {indices} are not all of the film's")


def _row(film: Row, shots: Sequence[Row], delivered: Path | None, num_frames_changed: int) -> Row:
    return {field.name: film[field.name] for field in FILM} | {
        "delivered_uri": None if delivered is None else str(delivered),
        "num_shots": len(shots),
        "num_shots_dubbed": sum(bool(shot["patch_uri"]) for shot in shots) if delivered else 0,
        "num_frames_changed": num_frames_changed,
        "failure": None,
    }
