"""How bright a film of high dynamic range was graded to be: what travels with its frames, and encoders are told anew.

SMPTE ST 2086 (the screen on which it was graded) and CTA-861.3 (its brightest pixel and frame), as FFmpeg's frames
carry them.
"""

import struct
from collections.abc import Iterator
from typing import cast

from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

SCREEN = struct.Struct("=22i")  # three primaries and white as x and y, least and most light: ratios; then two flags
LEVELS = struct.Struct("=2I")
CHROMATICITY_STEP, LIGHT_STEP = 50_000, 10_000  # of the units that bitstreams count in
SCREEN_DATA, LEVEL_DATA = "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"


def light_params(frame: VideoFrame, names: tuple[str, str]) -> list[str]:
    """What an encoder is told so that its stream says what the frame says; nothing of what it does not say.

    Args:
        frame: decoded.
        names: under which the encoder knows the screen and the levels.
    """
    found = {one.type.name: bytes(one) for one in cast("Iterator[SideData]", iter(frame.side_data))}
    params = []
    if len(found.get(SCREEN_DATA, b"")) == SCREEN.size and (screen := _screen(found[SCREEN_DATA])):
        params.append(f"{names[0]}={screen}")
    if len(found.get(LEVEL_DATA, b"")) == LEVELS.size:
        params.append(f"{names[1]}={','.join(map(str, LEVELS.unpack(found[LEVEL_DATA])))}")
    return params


def _screen(data: bytes) -> str:
    """As x264 and x265 read it: primaries in steps of 0.00002, light in steps of 0.0001 cd/m2."""
    *ratios, has_primaries, has_light = SCREEN.unpack(data)
    if not has_primaries or not has_light:
        return ""
    pairs = list(zip(ratios[::2], ratios[1::2], strict=True))
    red, green, blue, white, light = (pairs[at : at + 2] for at in range(0, 10, 2))
    places = [[_steps(one, CHROMATICITY_STEP) for one in pair] for pair in (green, blue, red, white)]
    named = zip(("G", "B", "R", "WP"), places, strict=True)
    colours = "".join(f"{name}({x},{y})" for name, (x, y) in named)
    least, most = (_steps(one, LIGHT_STEP) for one in light)
    return f"{colours}L({most},{least})"


def _steps(ratio: tuple[int, int], step: int) -> int:
    over, under = ratio
    return round(over * step / under) if under else 0
