"""How well the mouths of turned and nodding faces are painted: their own words painted anew, beside the film.

    python -m jobs.training_packages --packages FOLDER
    python -m benchmarks.turned_faces --packages FOLDER [--frames 8] [--level 30]

Every still of the training set whose face is turned by over 20 degrees or nods by over 15 talks for two seconds, and
so many level ones beside them, whether the model learnt from them or not. Some of the frames that are open most are
painted with their own sound and a closed mouth of the clip. PSNR is that of lips and what they uncover; `gained` is
how much nearer to the film the painted mouth is than that closed mouth. Thresholds of yaw and pitch (`docs/plan.md`)
should lie where it falls. Stills are flat: what a head that is turned further hides of its mouth is not in them.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.references import measured
from diff2lip.bundled import bundled_path
from diff2lip.checkpoint import read_config
from diff2lip.config import CropConfig, SamplerConfig
from jobs.people_cast import still_portrait
from jobs.portrait_clip import FRAME_RATE, said, talking_frames
from jobs.training_reader import read_aloud, voices
from jobs.training_stills import listed_stills
from pipelines.dub_mel import DubMel
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import crop_affine, mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.head_pose import pitch_deg, yaw_deg
from pipelines.paint import Painter
from pipelines.reference import closed_frames
from pipelines.storage import ObjectStore

CLIP_S = 2.0
TURNED_DEG, NODS_DEG = 20.0, 15.0
BANDS: dict[str, Callable[[float, float], bool]] = {  # of yaw and of pitch, in degrees, as told
    "level": lambda yaw, pitch: abs(yaw) <= TURNED_DEG and abs(pitch) <= NODS_DEG,
    "yaw 20 to 30": lambda yaw, pitch: TURNED_DEG < abs(yaw) <= 30 and abs(pitch) <= NODS_DEG,
    "yaw 30 to 45": lambda yaw, pitch: 30 < abs(yaw) <= 45,
    "yaw over 45": lambda yaw, pitch: abs(yaw) > 45,
    "pitch 15 to 20": lambda yaw, pitch: NODS_DEG < abs(pitch) <= 20,
    "pitch 20 to 25": lambda yaw, pitch: 20 < abs(pitch) <= 25,
    "pitch over 25": lambda yaw, pitch: abs(pitch) > 25,
}


@dataclass(frozen=True, slots=True)
class Talker:
    """A still that talks.

    Attributes:
        name: of the still.
        held_out: the shipped model did not learn from it.
        yaw: and `pitch`, in degrees, medians.
        crops: [F, S, S, 3] what the painter sees of each frame.
        openings: [F] of the mouth.
        wave: [N] at 16 kHz.
    """

    name: str
    held_out: bool
    yaw: float
    pitch: float
    crops: NDArray[np.uint8]
    openings: NDArray[np.float32]
    wave: NDArray[np.float32]


def talker(packages: Path, still: dict[str, Any], crop: CropConfig) -> Talker | None:
    """The still as a clip of two seconds; None where no face is found in it."""
    name = f"{still['archive']}/{still['file']}"
    dice = random.Random(name)
    voice = dice.choice([one for one in voices() if one.synthesiser == "flite"])
    spoken = said(list(read_aloud(packages, voice, dice, CLIP_S)), CLIP_S)
    frames = list(talking_frames(still_portrait(packages, still), spoken, np.random.default_rng(len(name))))
    mesh, found = FaceMesh(), FaceDetector().detect([frames[0]])[0]
    if not found:
        return None
    seen = [mesh.found(frames[0], found[0].box, found[0].points[:2]).landmarks]
    for frame in frames[1:]:
        seen.append(mesh.refined(frame, seen[-1]).landmarks)
    return Talker(
        name=name,
        held_out=still["held_out"],
        yaw=float(np.median([yaw_deg(one) for one in seen])),
        pitch=float(np.median([pitch_deg(one) for one in seen])),
        crops=np.stack(
            [crop_frame(frame, crop_affine(one, crop), crop.size_px) for frame, one in zip(frames, seen, strict=True)]
        ),
        openings=np.array([mouth_opening(one) for one in seen], np.float32),
        wave=spoken.wave,
    )


def figures(one: Talker, painter: Painter, crop: CropConfig, num_frames: int) -> tuple[float, float]:
    """PSNR of painted mouths and of the closed mouth in their place, in dB, over the frames that are open most."""
    chosen = np.sort(np.argsort(-one.openings, kind="stable")[: 2 * num_frames : 2])
    closed = closed_frames(one.openings)[0]
    windows = DubMel(one.wave, painter.sound).windows([Fraction(int(index), FRAME_RATE) for index in chosen])
    references = np.repeat(one.crops[closed][None], len(chosen), 0)
    crops, given = ([picture.tobytes() for picture in of] for of in (one.crops[chosen], references))
    painted = painter.paint(crops, given, windows, (one.name, 0, 0))
    pixels = np.stack([painter.pixels(picture) for picture in painted])
    return measured(pixels, one.crops[chosen], crop)[0], measured(references, one.crops[chosen], crop)[0]


def talkers(packages: Path, crop: CropConfig, num_level: int) -> Iterator[Talker]:
    """Whoever is turned or nods, and the first level ones in an order that is drawn once."""
    stills = listed_stills()
    random.Random(0).shuffle(stills)
    for still in stills:
        one = talker(packages, still, crop)
        if one is None:
            continue
        is_level = BANDS["level"](one.yaw, one.pitch)
        num_level -= is_level
        if not is_level or num_level >= 0:
            yield one


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package archives")
    parser.add_argument("--frames", type=int, default=8, help="of each still that are painted")
    parser.add_argument("--level", type=int, default=30, help="stills of level faces")
    wanted = parser.parse_args()
    model = bundled_path("small")
    crop = read_config(model).crop
    found: list[tuple[Talker, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        painter = Painter(Path(model), SamplerConfig(), ObjectStore(folder), torch.get_num_threads())
        for one in talkers(wanted.packages, crop, wanted.level):
            found.append((one, *figures(one, painter, crop, wanted.frames)))
            psnr, still = found[-1][1:]
            held = "held out" if one.held_out else ""
            print(f"{one.yaw:6.1f}{one.pitch:7.1f}{psnr:8.2f}{psnr - still:8.2f}  {held:<10}{one.name}", flush=True)
    print(f"{'':<18}{'stills':>8}{'mouth PSNR dB':>16}{'gained dB':>12}")
    for name, is_in in BANDS.items():
        mine = [(psnr, psnr - still) for one, psnr, still in found if is_in(one.yaw, one.pitch)]
        if mine:
            psnr, gained = np.median(mine, 0)
            print(f"{name:<18}{len(mine):>8}{psnr:>16.2f}{gained:>12.2f}")


if __name__ == "__main__":
    main()
