"""One take of a cue sheet in its place: without the silence around it, at a tempo that fits."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.cue_sheet import CueLine
from pipelines.media.container import UndecodableError
from pipelines.media.sound import panned_blocks, read_layout
from pipelines.media.tempo import at_tempo
from pipelines.stage import Row
from schemas.line import STEM_RATE_HZ
from schemas.reason import LineFlaw

Floats = NDArray[np.float32]

LEVEL_STEP = STEM_RATE_HZ // 100  # 10 ms
MAX_TAKE_S = 600  # of one line; more is a reel, not a take


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeConfig:
    """How a take is fitted to its line."""

    # Beyond these the ear notices: a vowel that drags, consonants that run into each other.
    min_tempo: float = 0.85
    max_tempo: float = 1.15
    silence_dbfs: float = -60.0  # before the first and after the last louder 10 ms a take is cut off

    def __post_init__(self) -> None:
        if not 0.5 <= self.min_tempo <= 1 <= self.max_tempo <= 2:
            raise ValueError(
                f"0.5 <= min_tempo <= 1 <= max_tempo <= 2 must hold, got {self.min_tempo} and {self.max_tempo}"
            )


@dataclass(frozen=True, slots=True)
class PlacedTake:
    """The sound of a line, and what is to be said of it.

    Attributes:
        start: first sample in the stem.
        samples: [C, N] as it is heard.
        tempo: how much faster than it was spoken.
    """

    start: int
    samples: Floats
    tempo: float


class TakeFlawError(Exception):
    """A take that cannot be placed."""

    def __init__(self, flaw: LineFlaw, detail: str) -> None:
        super().__init__(detail)
        self.flaw, self.detail = flaw, detail


def placed_take(line: CueLine, take: Path, layout: str, config: TakeConfig) -> PlacedTake:
    """A take as it lies in the stem.

    Its first sound lies at the line's start. Where the sheet says when the line ends, the take is played slower or
    faster to fill it, within the limits of the configuration; one that is much shorter stays as it was spoken.

    Args:
        line: with a start.
        take: where its recording lies.
        layout: mono or stereo.
        config: the limits.

    Raises:
        TakeFlawError: nothing in it can be heard.
    """
    assert line.start_s is not None
    spoken = _spoken(_samples(take, layout), config.silence_dbfs)
    if not spoken.shape[1]:
        raise TakeFlawError(
            LineFlaw.SILENT_TAKE, f"nothing in {take.name} is louder than {config.silence_dbfs:g} dBFS"
        )
    tempo = 1.0 if line.end_s is None else fitting_tempo(spoken.shape[1], _length(line.end_s - line.start_s), config)
    return PlacedTake(_length(line.start_s), at_tempo(spoken, STEM_RATE_HZ, tempo), tempo)


def fitting_tempo(num_samples: int, place: int, config: TakeConfig) -> float:
    """The tempo at which a take of so many samples fills its place, or comes nearest to it from above."""
    wanted = num_samples / max(1, place)
    return 1.0 if wanted < config.min_tempo else min(wanted, config.max_tempo)


def line_row(line: CueLine, placed: PlacedTake | None = None) -> Row:
    """The line as LINE says it."""
    start, end = (None if at is None else _length(at) for at in (line.start_s, line.end_s))
    heard_end = placed.start + placed.samples.shape[1] if placed else None
    flaw, detail = line.flaw, line.detail
    if placed and heard_end is not None and end is not None and heard_end > end + LEVEL_STEP:
        flaw = LineFlaw.TAKE_TOO_LONG
        late_s = (heard_end - end) / STEM_RATE_HZ
        detail = f"at {placed.tempo:.2f} times its tempo it ends {late_s:.2f} s after its place"
    return {
        "line_id": line.line_id,
        "character": line.character,
        "text": line.text,
        "start_sample": start,
        "end_sample": end,
        "take": line.take,
        "tempo": placed.tempo if placed else None,
        "heard_end_sample": heard_end,
        "flaw": flaw,
        "detail": detail,
    }


def take_layout(take: Path) -> str:
    """The layout, mono or stereo, that a stem must have to hold it.

    Raises:
        TakeFlawError: it has no sound that can be decoded.
    """
    try:
        return "mono" if read_layout(take)[1] == "mono" else "stereo"
    except UndecodableError as error:
        raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, str(error)) from error


def _samples(take: Path, layout: str) -> Floats:
    blocks, length = [], 0
    try:
        for block in panned_blocks(take, STEM_RATE_HZ, layout):
            blocks.append(block)
            length += block.shape[1]
            if length > MAX_TAKE_S * STEM_RATE_HZ:
                raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, f"{take.name} is longer than {MAX_TAKE_S} s")
    except UndecodableError as error:
        raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, str(error)) from error
    return np.concatenate(blocks, axis=1)


def _spoken(samples: Floats, silence_dbfs: float) -> Floats:
    """What lies between the first and the last louder 10 ms."""
    padded = np.pad(samples, ((0, 0), (0, -samples.shape[1] % LEVEL_STEP))).reshape(len(samples), -1, LEVEL_STEP)
    levels = np.sqrt((padded.astype(np.float64) ** 2).mean(2)).max(0)
    loud = np.flatnonzero(levels > 10 ** (silence_dbfs / 20))
    return samples[:, loud[0] * LEVEL_STEP : (loud[-1] + 1) * LEVEL_STEP] if len(loud) else samples[:, :0]


def _length(seconds: Fraction) -> int:
    return round(seconds * STEM_RATE_HZ)
