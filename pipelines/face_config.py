"""How faces are found and followed: settings alone, which who reads what was found needs no network for."""

from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from diff2lip.config import CropConfig
from pipelines.storage import file_digest

VERSION = 14  # raised when the same film gives other tracks
BACKENDS = {"mobilenet": "retinaface-mobilenet025", "resnet50": "retinaface-resnet50"}
DEVICES = ("cpu", "cuda")
COVER_WEIGHTS = Path(__file__).with_name("cover_network.safetensors")
COVER_FACTS = {"weights": file_digest(COVER_WEIGHTS)}
MESH_SIDE_PX = 1920  # of a larger picture landmarks are found in a smaller one: 4K costs what 1080p costs


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorConfig:
    """How faces are looked for."""

    backend: str = "mobilenet"  # or resnet50: retinaface-pytorch, whose weights the user supplies
    min_score: float = 0.6  # faces of the test clips score 0.98 and more, what is no face under 0.5
    max_overlap: float = 0.4  # boxes that share more are one face
    max_side_px: int = 1280  # larger pictures are shrunk to this long side: 4K costs what 720p costs
    min_side_px: int = 480  # smaller pictures are enlarged to it, at most twice: faces below 30 px are then sure
    detect_every: int = 10  # frames; between, the face mesh follows faces that stay; fewer than 10 are never painted
    batch_size: int = 4  # frames at once; does not change the result, but for last bits on a GPU
    device: str = "cpu"  # or cuda: on a slice of a GPU, which has other last bits; pays with resnet50

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise ValueError(f"unknown detector backend {self.backend}; known are {', '.join(BACKENDS)}")
        if self.device not in DEVICES:
            raise ValueError(f"unknown detector device {self.device}; known are {', '.join(DEVICES)}")
        if self.detect_every < 1:
            raise ValueError(f"detect_every must be at least 1, got {self.detect_every}")
        if not 0 < self.min_side_px <= self.max_side_px:
            raise ValueError(f"min_side_px must be in 1..max_side_px, got {self.min_side_px} and {self.max_side_px}")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackConfig:
    """How faces become tracks, and how calm their crops are."""

    max_gap_s: Fraction = Fraction(1, 2)  # a face hidden for longer comes back as another track
    least_hidden: float = 0.1  # of what would be painted: from it on something hides the mouth
    min_overlap: float = 0.25  # of a face with the place where its track expects it
    landmarks_sigma_s: float = 0.03  # takes the mesh's own tremor, leaves speech
    centre_sigma_s: float = 0.06  # of the crop: follows the head
    shape_sigma_s: float = 0.12  # of its scale and rotation: calmer, yet a nod lags by less than one crop pixel


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceConfig:
    """How faces are found and followed, and the window that is cut of them."""

    crop: CropConfig = field(default_factory=CropConfig)
    detector: DetectorConfig = field(default_factory=DetectorConfig)
    tracks: TrackConfig = field(default_factory=TrackConfig)

    @property
    def facts(self) -> dict[str, Any]:
        """All that tracks depend on beside the frames, as JSON values."""
        return {
            "version": VERSION,
            "cover": COVER_FACTS,
            "crop": asdict(self.crop),
            "detector": asdict(self.detector) | ({"batch_size": None} if self.detector.device == "cpu" else {}),
            "tracks": {name: str(value) for name, value in asdict(self.tracks).items()},
        }
