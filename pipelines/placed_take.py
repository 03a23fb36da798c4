"""One take of a cue sheet in its place: without the silence around it, at a tempo that fits."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.cue_sheet import CueLine
from pipelines.media.channels import channels_of
from pipelines.media.container import UndecodableError
from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.sound import panned_blocks, read_layout, sound_blocks
from pipelines.media.tempo import at_tempo
from pipelines.spoken_part import LEVEL_STEP, quiet_end, spoken_part
from pipelines.stage import Row
from pipelines.take_channels import main_channel, one_channel
from schemas.line import STEM_RATE_HZ
from schemas.reason import LineFlaw

Floats = NDArray[np.float32]

MAX_TAKE_S = 120  # of one line; more is a reel, not a take
MIN_FITTED_S = 0.2  # a shorter one, a breath or a cry, is heard as it was spoken
OPPOSED_WORDS = "its take's channels are of opposite phase, so only the louder is heard: turn one of them, or give one"
ROLL_S, FADE_S = 0.1, 0.005  # kept before and after, so that a soft consonant is not cut off; begins and ends softly


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeConfig:
    """How a take is fitted to its line."""

    # Beyond these the ear notices: a vowel that drags, consonants that run into each other.
    min_tempo: float = 0.85
    max_tempo: float = 1.15
    silence_dbfs: float = -60.0  # where no 10 ms are louder nothing is heard

    def __post_init__(self) -> None:
        if not 0.5 <= self.min_tempo <= 1 <= self.max_tempo <= 2:
            raise ValueError(
                f"0.5 <= min_tempo <= 1 <= max_tempo <= 2 must hold, got {self.min_tempo} and {self.max_tempo}"
            )


@dataclass(frozen=True, slots=True)
class PlacedTake:
    """The sound of a line, and what is to be said of it.

    Attributes:
        start: first sample in the stem; before the line where a soft sound leads into it.
        samples: [N] mono, as it is heard.
        tempo: how much faster than it was spoken.
        heard_end: sample of the stem at which the spoken part ends.
        opposed: its two channels are of opposite phase, and the louder alone is heard.
    """

    start: int
    samples: Floats
    tempo: float
    heard_end: int
    opposed: bool = False


class TakeFlawError(Exception):
    """A take that cannot be placed."""

    def __init__(self, flaw: LineFlaw, detail: str) -> None:
        super().__init__(detail)
        self.flaw, self.detail = flaw, detail


def placed_take(line: CueLine, take: Path, config: TakeConfig) -> PlacedTake:
    """A take as it lies in the stem.

    Its first sound that lasts lies at the line's start. Where the sheet says when the line ends, the take is played
    slower or faster to fill it, within the limits of the configuration; one that is much shorter stays as it was.

    Args:
        line: with a start.
        take: where its recording lies.
        config: the limits.

    Raises:
        TakeFlawError: nothing in it can be heard.
    """
    assert line.start_s is not None
    samples, opposed = one_channel(_channels(take))
    first, after = spoken_part(samples, config.silence_dbfs)
    if first == after:
        raise TakeFlawError(
            LineFlaw.SILENT_TAKE, f"nothing in {take.name} is louder than {config.silence_dbfs:g} dBFS"
        )
    is_fitted = line.end_s is not None and after - first >= MIN_FITTED_S * STEM_RATE_HZ
    place = _length(line.end_s - line.start_s) if line.end_s is not None else 0
    tempo = fitting_tempo(after - first, place, config) if is_fitted else 1.0
    roll = round(ROLL_S * STEM_RATE_HZ)
    kept = quiet_end(samples, after, config.silence_dbfs)  # what is whispered later is heard, and fills no place
    lead, tail = min(roll, first), min(roll, len(samples) - kept)
    heard = _faded(samples[first - lead : kept + tail], lead, tail)
    start = _length(line.start_s)
    played = at_tempo(heard[None], STEM_RATE_HZ, tempo)[0]
    return PlacedTake(start - round(lead / tempo), played, tempo, start + round((after - first) / tempo), opposed)


def fitting_tempo(num_samples: int, place: int, config: TakeConfig) -> float:
    """The tempo at which a take of so many samples fills its place, or comes nearest to it from above."""
    wanted = num_samples / max(1, place)
    return 1.0 if wanted < config.min_tempo else min(wanted, config.max_tempo)


def line_row(line: CueLine, placed: PlacedTake | None = None) -> Row:
    """The line as LINE says it."""
    start, end = (None if at is None else _length(at) for at in (line.start_s, line.end_s))
    heard_end = placed.heard_end if placed else None
    flaw, detail = line.flaw, line.detail
    if placed and placed.opposed:
        flaw, detail = LineFlaw.OPPOSED_CHANNELS, OPPOSED_WORDS
    if placed and heard_end is not None and end is not None and heard_end > end + LEVEL_STEP:
        flaw = LineFlaw.TAKE_TOO_LONG
        late_s = (heard_end - end) / STEM_RATE_HZ
        detail = f"at {placed.tempo:.2f} times its tempo it ends {late_s:.2f} s after its place"
        detail += f"; {OPPOSED_WORDS}" if placed.opposed else ""
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


def _channels(take: Path) -> Floats:
    """[2, N]; of a take in mono, or of the main one of more than two channels, twice the same."""
    blocks, length = [], 0
    try:
        layout = read_layout(take)[1]
        is_pair = layout in ("mono", "stereo")
        read, wanted = (panned_blocks, "stereo") if is_pair else (sound_blocks, layout)
        for block in read(take, STEM_RATE_HZ, wanted, dub_origin_s(take)):
            blocks.append(block)
            length += block.shape[1]
            if length > MAX_TAKE_S * STEM_RATE_HZ:
                raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, f"{take.name} is longer than {MAX_TAKE_S} s")
    except UndecodableError as error:
        raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, str(error)) from error
    except OSError as error:  # it was there when the job began
        raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, f"{take.name}: {error.strerror}") from error
    samples = np.concatenate(blocks, axis=1)
    if not np.isfinite(samples).all():
        raise TakeFlawError(LineFlaw.UNREADABLE_TAKE, f"{take.name} holds values that are no numbers")
    return samples if is_pair else np.stack([main_channel(samples, channels_of(layout))] * 2)


def _faded(samples: Floats, lead: int, tail: int) -> Floats:
    """Room tone comes and goes softly; what is spoken is not touched."""
    fade, gains = round(FADE_S * STEM_RATE_HZ), np.ones_like(samples)
    for ends, room in ((gains, min(fade, lead)), (gains[::-1], min(fade, tail))):
        ends[:room] = np.linspace(0, 1, room, endpoint=False, dtype=np.float32)
    return samples * gains


def _length(seconds: Fraction) -> int:
    return round(seconds * STEM_RATE_HZ)
