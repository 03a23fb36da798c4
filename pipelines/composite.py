"""Stage 6, CompositeShot: painted crops back into the frames, as lossless patches on the film's own planes.

A frame at a time: neither the painted crops of a shot nor its patches are ever all in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, blend_planes, colour_offset, replacement, to_film
from pipelines.cover_mask import CoverMasks
from pipelines.covered_share import covered_share, with_hidden
from pipelines.face_config import COVER_FACTS
from pipelines.face_frame import apply
from pipelines.film_look import FilmLook, film_look
from pipelines.grain import grain_at, noise_of
from pipelines.mask import MaskConfig, Rect, mask_rect, mouth_mask
from pipelines.media.coding import Coding
from pipelines.media.container import UndecodableError
from pipelines.media.picture import coded_frames
from pipelines.mouth_cover import CoverMeter
from pipelines.painted_frame import PaintedFrame, painted_frame
from pipelines.patch import Patch, corner_of, lay, shape_of, window
from pipelines.patch_meter import PatchMeter
from pipelines.progress import Tell, telling
from pipelines.row_table import FrameRows, draft_table, read_rows
from pipelines.sharpness import sharpened
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from schemas.frames import PATCH
from schemas.reason import Reason, Verdict
from schemas.shot import COMPOSITED_SHOT, PAINTED_SHOT
from schemas.timing import fraction

VERSION = 9  # raised when the same facts give other samples

Floats = NDArray[np.float32]
Plane = NDArray[Any]


class CompositeShot(RowStage):
    """Adds the changed rectangles of each frame: those to deliver, and those that wait for a person."""

    consumes: ClassVar[pa.Schema] = PAINTED_SHOT
    produces: ClassVar[pa.Schema] = COMPOSITED_SHOT

    def __init__(
        self, store_uri: str, crop: CropConfig, mask: MaskConfig | None = None, blend: BlendConfig | None = None
    ) -> None:
        self._store = ObjectStore(store_uri)
        self._crop = crop
        self._mask = mask or MaskConfig()
        self._blend = blend or BlendConfig()
        self._covers = CoverMeter()

    def facts(self, row: Row) -> Row:
        verdicts = {verdict["track_index"]: verdict["verdict"] for verdict in row["verdicts"]}
        deliver, review = (
            self._composite(row, [track for track in row["painted"] if verdicts[track["track_index"]] == wanted])
            for wanted in (Verdict.DUB, Verdict.REVIEW)
        )
        reason = row["reason"] or deliver.pop("reason", None) or review.pop("reason", None)
        hidden = {*deliver.pop("hidden_tracks"), *review["hidden_tracks"]}
        all_hidden = bool(hidden) and hidden >= {index for index, one in verdicts.items() if one != Verdict.LEAVE}
        return {
            **deliver,
            "review_patch_uri": review["patch_uri"],
            "covered_share": _most(deliver["covered_share"], review["covered_share"]),
            "hidden_tracks": sorted(hidden),
            "verdicts": with_hidden(row["verdicts"], hidden),
            "reason": reason or (Reason.MOUTH_HIDDEN.value if all_hidden else None),
        }

    def _composite(self, row: Row, tracks: list[Row]) -> Row:
        if not tracks:
            return _facts_of(0, [])
        key = self._key(row, tracks)
        if self._store.find_facts(key, "patch_key") is None:
            try:
                self._commit(key, row, tracks)
            except UndecodableError:
                return _facts_of(0, []) | {"reason": Reason.UNDECODABLE.value}
        facts: Row = self._store.get_json(key)
        patch_key = facts.pop("patch_key")
        return facts | {"patch_uri": self._store.uri(patch_key) if patch_key else None}

    def _key(self, row: Row, tracks: list[Row]) -> str:
        made_of = {
            "film_id": row["film_id"],
            "painted": [[track["track_index"], track["painted_uri"].rsplit("/", 1)[-1]] for track in tracks],
            "config": [asdict(config) for config in (self._crop, self._mask, self._blend)],
            "cover": COVER_FACTS if self._mask.least_cover < 1 else None,
        }
        return content_key("composite", VERSION, made_of)

    def _commit(self, key: str, row: Row, tracks: list[Row]) -> None:
        painters = [_TrackPainter(row, track, self._crop, self._mask, self._blend, self._covers) for track in tracks]
        changed: set[int] = set()
        with draft_table(self._store, PATCH) as patches:
            for patch in _patches(row, [painter for painter in painters if not painter.is_hidden], self.tell):
                patches.add(patch.row())
                changed.add(patch.pts)
            patch_key = content_key("patch", VERSION, {"facts": key}) if changed else None
            if patch_key:
                patches.commit(patch_key)
        self._store.put_json(key, _facts_of(len(changed), painters) | {"patch_key": patch_key})


def _patches(row: Row, painters: "list[_TrackPainter]", tell: Tell) -> Iterator[Patch]:
    pts = [moment for painter in painters for moment in painter.pts]
    if not pts:
        return
    for moment, planes, coding in telling(coded_frames(Path(row["film_uri"]), min(pts), max(pts) + 1), tell):
        for painter in painters:
            patch = painter.patch(moment, planes, coding)
            if patch is not None:
                yield patch
                lay(patch, planes, coding)  # a second face beside it sees the first one painted


class _TrackPainter:
    """The painted frames of one face track, and how each becomes a patch."""

    def __init__(
        self, row: Row, track: Row, crop: CropConfig, mask: MaskConfig, blend: BlendConfig, meter: CoverMeter
    ) -> None:
        self._film, self._shot = Path(row["film_uri"]), f"{row['film_id']}:{row['shot_index']}"
        self.index, self._uri = track["track_index"], track["painted_uri"]
        self._crop, self._mask, self._blend = crop, mask, blend
        self.meter = PatchMeter()
        self._grained: tuple[int, Plane] | None = None  # the frame whose grain was drawn last, and its luma
        self._frames = FrameRows(self._uri)
        size = row["width_px"], row["height_px"]
        self._covers = CoverMasks(meter, crop, mask, fraction(row["time_base"]), size)
        self._covers.see(self._all_frames())
        looks = ((frame, self._covers.free_crop(pts)) for pts, frame in self._all_frames())
        self._offset = colour_offset(looks, crop, mask, blend)
        self.covered_share = covered_share(self._uri, self._covers, crop, mask)

    @property
    def is_hidden(self) -> bool:
        """Whether so little of the mask is left that the face stays as it was filmed."""
        return self.covered_share > self._mask.max_covered_share

    @property
    def pts(self) -> list[int]:
        """The painted frames."""
        return self._frames.pts

    def patch(self, pts: int, planes: list[Plane], coding: Coding) -> Patch | None:
        """What this track changes in a frame; None when it changes nothing. Frames come in order."""
        rows = self._frames.at(pts)
        if not rows or rows[-1]["weight"] <= 0:
            return None
        frame = painted_frame(rows[-1], self._crop.size_px)
        affine = frame.affine
        rect = mask_rect(affine, self._crop, planes[0].shape[1], planes[0].shape[0])
        if rect is None:
            return None
        free = self._covers.free(pts, affine, rect)
        face = mouth_mask(frame.landmarks, affine, rect, self._crop, self._mask)
        mask = face * free
        source, painted = frame.source.astype(np.float32), frame.painted + self._offset
        replace = replacement(source, painted, apply(affine, frame.landmarks), self._crop, self._blend)
        source, painted = (sharpened(crop, self._look.sharpening) for crop in (source, painted))
        before = window(planes, rect, coding)
        after = blend_planes(
            before,
            to_film(source, affine, rect),
            to_film(painted, affine, rect),
            to_film(replace, affine, rect).clip(0, 1),
            mask * np.float32(frame.weight),
            coding,
            self._grain(pts, planes[0], rect, coding),
        )
        self.meter.see(pts, before[0], after[0], mask, 1 << (coding.bits - 8), np.where(free < 1, 0, face))
        changed = _may_change(mask, coding)
        return Patch(pts, self.index, rect, after, changed) if _differs(before, after) else None

    def _all_frames(self) -> Iterator[tuple[int, PaintedFrame]]:
        return ((row["pts"], painted_frame(row, self._crop.size_px)) for row in read_rows(self._uri))

    @cached_property
    def _look(self) -> FilmLook:
        """Of the film around this mouth."""
        return film_look(self._film, self._uri, self._crop, self._mask, self._blend, self._covers.free)

    def _grain(self, pts: int, luma: Plane, rect: Rect, coding: Coding) -> list[Floats]:
        """What each plane of the rectangle is given of the film's grain. A frame that is shown again keeps its own."""
        if not self._look.grains:
            return []
        if self._grained is None or not np.array_equal(self._grained[1], luma):
            self._grained = pts, luma.copy()
        drawn = []
        for index, grain in enumerate(self._look.grains):
            rng = noise_of(f"{self._shot}:{self.index}:{self._grained[0]}:{index}")
            field = grain_at(grain, corner_of(rect, coding, index), shape_of(rect, coding, index), rng)
            drawn.append(field * np.float32(self._blend.grain))
        return drawn


def _may_change(mask: Floats, coding: Coding) -> NDArray[np.bool_]:
    """Luma samples whose own code or whose chroma code may change: a chroma filter reaches one sample further."""
    chroma = coding.at_chroma(mask) > 0
    luma = np.repeat(np.repeat(chroma, coding.chroma_y, 0), coding.chroma_x, 1)
    return np.asarray(luma | (mask > 0))


def _differs(before: Iterable[Plane], after: Iterable[Plane]) -> bool:
    return any(not np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def _facts_of(num_frames: int, painters: list[_TrackPainter]) -> Row:
    """Facts of a set of patches; its ratios are those of the worst track."""
    return {
        "patch_uri": None,
        "num_frames_changed": num_frames,
        "seam_ratio": _most(*(painter.meter.seam_ratio for painter in painters)),
        "flicker_ratio": _most(*(painter.meter.flicker_ratio for painter in painters)),
        "covered_share": _most(*(painter.covered_share for painter in painters)),
        "hidden_tracks": [painter.index for painter in painters if painter.is_hidden],
    }


def _most(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)
