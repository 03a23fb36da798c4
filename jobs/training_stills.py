"""Stills of faces with closed lips in package archives, and the window of the face frame that they are cut to.

Which picture of which package, the affine that cuts it and where its mouth lies are listed in
`training_stills.json`, so the same stills can be cut again without detector or mesh.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

STILLS_LIST = Path(__file__).with_name("training_stills.json")
# Wider than what the model sees, so that crops can be turned and shifted while training.
WINDOW = CropConfig(size_px=192, left=-1.1, top=-0.35, width=2.2)


def packages() -> list[dict[str, Any]]:
    """The packages that training data come from: registry, name, version, archive, licence."""
    listed: list[dict[str, Any]] = json.loads(STILLS_LIST.read_text())["packages"]
    return listed


def listed_stills() -> list[dict[str, Any]]:
    """What `training_stills.json` says of each still."""
    listed: list[dict[str, Any]] = json.loads(STILLS_LIST.read_text())["stills"]
    return listed


def decode(content: bytes) -> Pixels:
    """A picture file as RGB."""
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise ValueError("not a picture that OpenCV can read")
    return np.asarray(picture, np.uint8)
