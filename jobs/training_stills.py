"""Stills of faces with closed lips out of package archives, cut to one window of the face frame.

Which picture of which package, the affine that cuts it and where its mouth lies are listed in
`training_stills.json`, so the same stills can be cut again without detector or mesh.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from jobs.training_archive import by_archive, read_members
from pipelines.face_crop import crop_frame

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

STILLS_LIST = Path(__file__).with_name("training_stills.json")
# Wider than what the model sees, so that crops can be turned and shifted while training.
WINDOW = CropConfig(size_px=192, left=-1.1, top=-0.35, width=2.2)


@dataclass(frozen=True, slots=True)
class Still:
    """One face: [192, 192, 3] RGB of `WINDOW`, and its mouth [4, 2] (left, right, inner top, inner bottom) in px."""

    pixels: Pixels
    mouth: NDArray[np.float32]
    held_out: bool


def packages() -> list[dict[str, Any]]:
    """The packages that training data come from: registry, name, version, archive, licence."""
    listed: list[dict[str, Any]] = json.loads(STILLS_LIST.read_text())["packages"]
    return listed


def listed_stills() -> list[dict[str, Any]]:
    """What `training_stills.json` says of each still."""
    listed: list[dict[str, Any]] = json.loads(STILLS_LIST.read_text())["stills"]
    return listed


def read_stills(folder: Path) -> Iterator[Still]:
    """All listed stills, in the order of the list.

    Args:
        folder: where the package archives lie.
    """
    listed = listed_stills()
    wanted = by_archive((entry["archive"], entry["file"]) for entry in listed)
    for entry in listed:
        picture = decode(read_members(folder / entry["archive"], wanted[entry["archive"]])[entry["file"]])
        pixels = crop_frame(picture, np.array(entry["window"]), WINDOW.size_px)
        yield Still(pixels, np.array(entry["mouth"], np.float32), entry["held_out"])


def decode(content: bytes) -> Pixels:
    """A picture file as RGB."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise ValueError("not a picture that OpenCV can read")
    return np.asarray(picture, np.uint8)
