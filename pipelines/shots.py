"""Stage 1: cuts. One film row becomes one row per shot; the shots tile the film exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from pipelines.content_cuts import CONTENT_SIDE_PX
from pipelines.cuts import DETECTORS, Bytes, Frames
from pipelines.film_parts import PartShots, ShotPlace
from pipelines.media.picture import rgb_frames
from pipelines.progress import Tell, telling, untold
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from schemas.film import FILM
from schemas.shot import SHOT
from schemas.timing import fraction

VERSION = 10  # raised when the same film gives other shots


@dataclass(frozen=True, kw_only=True, slots=True)
class ShotConfig:
    """What counts as a cut."""

    detector: str = "content"  # PySceneDetect, light and exact on hard cuts; "transnet" also sees dissolves
    threshold: float | None = None  # None: the detector's own, 27 of 255 for content and 0.5 for transnet
    min_shot_frames: int = 3  # montages have shots of a tenth of a second; shorter is a flaw of the picture

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ValueError(f"detector must be one of {', '.join(sorted(DETECTORS))}, got {self.detector!r}")
        if self.min_shot_frames < 1:
            raise ValueError(f"min_shot_frames must be at least 1, got {self.min_shot_frames}")
        if self.threshold is not None and self.threshold <= 0:
            raise ValueError(f"threshold must be positive, got {self.threshold}")


class DetectShots:
    """Cuts a film into its shots. Neither dub nor language matters: a second language finds the shots done.

    Of a film that was watched in parts (`pipelines/watch.py`) they are put together; any other is decoded once.
    """

    consumes: ClassVar[pa.Schema] = FILM
    produces: ClassVar[pa.Schema] = SHOT
    tell: Tell = staticmethod(untold)

    def __init__(self, store_uri: str, config: ShotConfig | None = None) -> None:
        self._store = ObjectStore(store_uri)
        self._config = config or ShotConfig()

    def __call__(self, rows: pa.Table) -> pa.Table:
        shots = [film | shot for film in rows.to_pylist() for shot in self._shots(film)]
        return pa.Table.from_pylist(shots, schema=self.produces)

    def _shots(self, film: Row) -> list[Row]:
        key = shots_key(film["film_id"], self._config)
        if not self._store.has(key):
            watched = PartShots(self._store, shot_facts(self._config)).of_film(film)
            self._store.put_json(key, shot_columns(watched) if watched else self._found(film))
        shots: list[Row] = self._store.get_json(key)
        return shots

    def _found(self, film: Row) -> list[Row]:
        frames = rgb_frames(Path(film["film_uri"]), film["start_pts"], film["end_pts"], CONTENT_SIDE_PX)
        return detect_shots(telling(frames, self.tell), film["end_pts"], fraction(film["time_base"]), self._config)


def shots_key(film_id: str, config: ShotConfig) -> str:
    """Under which the shots of a film are kept."""
    return content_key("shots", VERSION, {"film_id": film_id, "config": asdict(config)})


def shot_facts(config: ShotConfig) -> dict[str, Any]:
    """All that the cuts of a film depend on beside its frames, as JSON values."""
    return {"version": VERSION, "config": asdict(config)}


def detect_shots(frames: Frames, end_pts: int, time_base: Fraction, config: ShotConfig) -> list[Row]:
    """The shots of a film as columns of SHOT, in order.

    Args:
        frames: all frames of the film with their pts, in display order.
        end_pts: end of the last frame shown.
        time_base: seconds per pts tick.
        config: what counts as a cut.

    Raises:
        ValueError: the film has no frames.
    """
    seen: list[int] = []
    found = DETECTORS[config.detector](_noting_pts(frames, seen), config.threshold, time_base, config.min_shot_frames)
    if not seen:
        raise ValueError("a film without frames has no shots")
    cuts = keep_apart(found, len(seen), config.min_shot_frames)
    spans = list(pairwise([0, *cuts, len(seen)]))
    pts = [*seen, end_pts]
    return shot_columns([(pts[first], pts[after], after - first) for first, after in spans])


def shot_columns(places: Sequence[ShotPlace]) -> list[Row]:
    """The columns of SHOT of all shots of a film, in order.

    Args:
        places: first pts, first pts after it and number of frames of each.
    """
    return [
        {
            "shot_index": index,
            "num_shots": len(places),
            "shot_start_pts": start_pts,
            "shot_end_pts": end_pts,
            "shot_num_frames": num_frames,
        }
        for index, (start_pts, end_pts, num_frames) in enumerate(places)
    ]


def keep_apart(cuts: Sequence[int], num_frames: int, min_shot_frames: int) -> list[int]:
    """The cuts, as indices of first frames, that leave no shot shorter than `min_shot_frames`.

    Of two cuts that are too near the earlier one stays: after a flash the new shot has begun.
    """
    kept: list[int] = []
    for cut in cuts:
        if cut - (kept[-1] if kept else 0) >= min_shot_frames and num_frames - cut >= min_shot_frames:
            kept.append(cut)
    return kept


def _noting_pts(frames: Frames, seen: list[int]) -> Iterator[tuple[int, Bytes]]:
    for pts, frame in frames:
        seen.append(pts)
        yield pts, frame
