"""Rows of a film without faces, ready to be stitched, and with a painted rectangle where a test wants one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines import admit
from pipelines.admission import examine
from pipelines.admit import AdmitRequest, Admitted
from pipelines.mask import Rect
from pipelines.media.sound import write_wav
from pipelines.patch import Patch
from pipelines.stage import Row
from pipelines.storage import ObjectStore, file_digest
from schemas.frames import PATCH
from schemas.shot import JUDGED_SHOT
from tests.synthetic import SyntheticFilm, ticking

DUB_HZ = 880.0
RECT = Rect(40, 60, 32, 24)
PAINTED_CODES = (200, 90, 170)


def film_row(film: SyntheticFilm, language: str = "pt-BR", **more: Any) -> Row:
    """The admitted film, with a dub that ticks at each half second as the original does."""
    dub = film.path.with_name("dub.wav")
    write_wav(dub, ticking(round(float(film.duration_s + 1) * 48_000), 48_000, DUB_HZ), 48_000)
    given = {"dub": dub, "dub_kind": "dub_stem"} | more
    request = AdmitRequest(row_number=1, title="one", language=language, film=film.path, **given)
    admitted = admitted_here(request)
    assert admitted.film, admitted.refused
    return admitted.film


class LooksHere:
    """Answers as the child of `admit_films` does, in this process: a child takes a second to start."""

    def __init__(self, timeout_s: float) -> None: ...

    def __enter__(self) -> "LooksHere":
        return self

    def __exit__(self, *_: object) -> None: ...

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """What goes over the pipe is JSON."""
        answer: dict[str, Any] = json.loads(json.dumps(examine(json.loads(json.dumps(question)))))
        return answer


def admitted_here(request: AdmitRequest) -> Admitted:
    """A request that is admitted without a child, which `test_admit.py` has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admit, "_Examiner", LooksHere)
        (admitted,) = admit.admit_films([request])
    return admitted


def shot_rows(
    film: SyntheticFilm, row: dict[str, Any], store: ObjectStore, painted: int | None
) -> list[dict[str, Any]]:
    """The film's shots, with a flat rectangle painted on all frames of one of them."""
    edges = [film.pts[0], *film.cuts, film.end_pts]
    empty: Row = {field.name: None for field in JUDGED_SHOT} | {"dub_words": [], "dub_lines": []}
    shots = []
    for index in range(len(edges) - 1):
        inside = [pts for pts in film.pts if edges[index] <= pts < edges[index + 1]]
        is_painted = index == painted
        shots.append(
            empty
            | row
            | {
                "shot_index": index,
                "num_shots": len(edges) - 1,
                "shot_start_pts": edges[index],
                "shot_end_pts": edges[index + 1],
                "shot_num_frames": len(inside),
                "verdicts": [],
                "reason": None if is_painted else "no_face",
                "patch_uri": _patches(inside, film, store) if is_painted else None,
                "num_frames_changed": len(inside) if is_painted else 0,
            }
        )
    return shots


def _patches(moments: list[int], film: SyntheticFilm, store: ObjectStore) -> str:
    scale = next((scale for depth, scale in (("p10", 4), ("p12", 16)) if depth in film.spec.pixel_format), 1)
    dtype = np.uint8 if scale == 1 else np.uint16
    half_x = 1 if "444" in film.spec.pixel_format else 2
    half_y = 2 if "420" in film.spec.pixel_format else 1
    shapes = [(RECT.height, RECT.width)] + [(RECT.height // half_y, RECT.width // half_x)] * 2
    planes = [np.full(shape, code * scale, dtype) for shape, code in zip(shapes, PAINTED_CODES, strict=True)]
    mask = np.ones((RECT.height, RECT.width), bool)
    rows = [Patch(pts, 0, RECT, planes, mask).row() for pts in moments]
    return store.put_table("ab" * 32, pa.Table.from_pylist(rows, schema=PATCH))


class Changing:
    """What a function makes of the planes of a frame; by default nothing."""

    def __init__(self, make: Callable[[int, Callable[[], Any]], Any] = lambda pts, planes_of: None) -> None:
        self.change = make

    def painted(self, pts: int) -> list[list[int]]:
        """Nothing is said of where."""
        return []


def vouched(film: Path, manifest: Path | None = None) -> Path:
    """The film, beside a manifest that says its digest: of a mutation all but the digest is looked at then.

    Args:
        film: what was made of a delivered film.
        manifest: of that delivery; None: that beside the film.
    """
    beside = film.with_name("manifest.json")
    facts = json.loads((manifest or beside).read_text())
    beside.write_text(json.dumps(facts | {"film_digest": file_digest(film)}))
    return film


def visible(folder: Path) -> list[str]:
    """All that lies in a folder of deliveries, hidden names too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
