"""A talking portrait as a clip of VoxCeleb2: a still whose mouth says what is heard, while the head sways.

The picture is 224 px at 25 frames a second, the sound AAC at 16 kHz, as in VoxCeleb2; the opening and width of
every frame are those of the phones (`pipelines.viseme`), so what the mouth does is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import torch
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from jobs.training_speech import SAMPLE_RATE_HZ, Utterance
from jobs.training_stills import WINDOW
from pipelines.face_crop import crop_frame
from pipelines.face_frame import apply, compose, face_to_crop, invert
from pipelines.portrait import MouthFrame, warp_mouth
from pipelines.storage import whole_file
from pipelines.viseme import viseme_track

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

FRAME_RATE = 25
# What a clip shows: the face is 60 % of its height, as in VoxCeleb2.
VIEW = CropConfig(size_px=224, left=-1.9, top=-1.6, width=3.8)
MOST_OPEN = (0.5, 0.95)  # some people open wider than others
SWAY_RAD, SWAY_SHIFT, SWAY_SCALE = 0.05, 0.05, 0.03  # of the head, in the face frame
SWAY_HZ = (0.1, 0.5)
FRAMES_AT_ONCE = 25
SOUND_BIT_RATE = 96_000


@dataclass(frozen=True, slots=True)
class Portrait:
    """A still, and how the face lies in it.

    Attributes:
        picture: [H, W, 3] RGB, the whole still.
        window: [2, 3] picture px to px of `jobs.training_stills.WINDOW`.
        mouth: [4, 2] left, right, inner top, inner bottom in px of that window.
    """

    picture: Pixels
    window: Floats
    mouth: Floats


def said(utterances: Sequence[Utterance], length_s: float) -> Utterance:
    """Utterances of one voice, one after another, cut at a length."""
    phones, begin = [], 0.0
    for one in utterances:
        phones += [(phone, begin + end_s) for phone, end_s in one.phones]
        begin += len(one.wave) / SAMPLE_RATE_HZ
    wave = np.concatenate([one.wave for one in utterances])[: round(length_s * SAMPLE_RATE_HZ)]
    ended = [*phones, ("pau", max(begin, length_s))]
    return Utterance(utterances[0].voice, wave, ended)


def talking_frames(portrait: Portrait, spoken: Utterance, rng: np.random.Generator) -> Iterator[Pixels]:
    """[224, 224, 3] RGB of each frame of 1/25 s that the speech fills."""
    count = len(spoken.wave) * FRAME_RATE // SAMPLE_RATE_HZ
    shapes = viseme_track(spoken.phones, FRAME_RATE)[:count]
    gain = rng.uniform(*MOST_OPEN)
    affines = [_view(portrait.window, sway) for sway in head_sways(count, rng)]
    for first in range(0, count, FRAMES_AT_ONCE):
        part = slice(first, min(count, first + FRAMES_AT_ONCE))
        images = np.stack([crop_frame(portrait.picture, affine, VIEW.size_px) for affine in affines[part]])
        mouths = np.stack([_moved(portrait, affine) for affine in affines[part]])
        yield from with_mouths(images, mouths, shapes[part, 0] * gain, shapes[part, 1])


def write_clip(
    path: Path,
    frames: Iterator[Pixels],
    wave: NDArray[np.float32],
    size_px: tuple[int, int] = (VIEW.size_px, VIEW.size_px),
) -> None:
    """Write an .mp4 of H.264 and AAC at 25 frames a second; whole, or not at all.

    Args:
        path: where it comes to lie.
        frames: [H, W, 3] RGB each.
        wave: [N] mono at 16 kHz.
        size_px: width and height of the picture.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as unfinished, av.open(str(unfinished), "w", format="mp4") as out:
        picture = cast(Any, out.add_stream("libx264", rate=FRAME_RATE, options={"crf": "16", "preset": "fast"}))
        picture.width, picture.height = size_px
        picture.pix_fmt, picture.time_base = "yuv420p", Fraction(1, FRAME_RATE)
        sound = cast(Any, out.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono", bit_rate=SOUND_BIT_RATE))
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        heard = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        heard.sample_rate, heard.pts = SAMPLE_RATE_HZ, 0
        out.mux(sound.encode(heard))
        out.mux(sound.encode(None))


def with_mouths(images: Pixels, mouths: Floats, openings: NDArray[Any], widths: NDArray[Any]) -> Iterator[Pixels]:
    """[S, S, 3] RGB each: pictures [F, S, S, 3] with their mouths, [F, 4, 2] in px, opened and widened by [F] each."""
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    at = MouthFrame.from_points(torch.from_numpy(mouths).float())
    warped = warp_mouth(pictures, at, torch.from_numpy(openings).float(), torch.from_numpy(widths).float())
    codes = (warped * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    yield from codes.numpy()


def head_sways(count: int, rng: np.random.Generator) -> Floats:
    """[F, 4] turn, shift along x and y, and scale of the head at each frame: slow and small."""
    strength = np.array([SWAY_RAD, SWAY_SHIFT, SWAY_SHIFT, SWAY_SCALE]) * rng.uniform(0, 1, 4)
    hertz, phase = rng.uniform(*SWAY_HZ, 4), rng.uniform(0, 2 * np.pi, 4)
    time_s = np.arange(count)[:, None] / FRAME_RATE
    return np.asarray(strength * np.sin(2 * np.pi * hertz * time_s + phase))


def _view(window: Floats, sway: Floats) -> Floats:
    """[2, 3] picture px to px of the clip, the face having moved by `sway`."""
    return compose(face_to_crop(VIEW), swayed(window, sway))


def swayed(window: Floats, sway: Floats) -> Floats:
    """[2, 3] picture px to the face frame, the head having moved by `sway` (turn, shift along x and y, scale)."""
    turn, right, down, scale = sway
    cos, sin = (1 + scale) * np.cos(turn), (1 + scale) * np.sin(turn)
    moved = np.array([[cos, -sin, right], [sin, cos, down]])
    return compose(moved, compose(invert(face_to_crop(WINDOW)), window))


def _moved(portrait: Portrait, affine: Floats) -> Floats:
    """The mouth in px of the clip."""
    return apply(affine, apply(invert(portrait.window), portrait.mouth))
