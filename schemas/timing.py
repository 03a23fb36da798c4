"""Exact time: integer pts with a `Fraction` time base. Only this file converts pts, samples and seconds."""

import re
from dataclasses import dataclass
from fractions import Fraction

SPREADSHEET_S = Fraction(1, 10)  # to which spreadsheets round times
ANALYSIS_RATE_HZ = 16_000  # mono float32 sound that models listen to; delivered sound keeps its own rate


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of picture, [start_pts, end_pts), in ticks of `time_base` seconds."""

    start_pts: int
    end_pts: int
    time_base: Fraction

    def __post_init__(self) -> None:
        if self.end_pts <= self.start_pts:
            raise ValueError(f"empty span: [{self.start_pts}, {self.end_pts})")
        if self.time_base <= 0:
            raise ValueError(f"time_base must be positive, got {self.time_base}")

    @property
    def duration(self) -> Fraction:
        """Length in seconds, exact."""
        return (self.end_pts - self.start_pts) * self.time_base

    def to_samples(self, sample_rate_hz: int) -> tuple[int, int]:
        """First sample of the span and first after it. Spans that touch in pts touch in samples."""
        return (
            pts_to_sample(self.start_pts, self.time_base, sample_rate_hz),
            pts_to_sample(self.end_pts, self.time_base, sample_rate_hz),
        )


def pts_to_sample(pts: int, time_base: Fraction, sample_rate_hz: int) -> int:
    """The sample nearest to a pts; sample 0 lies at pts 0."""
    return round(pts * time_base * sample_rate_hz)


def rational(value: Fraction) -> dict[str, int]:
    """A Fraction as a row holds it."""
    return {"num": value.numerator, "den": value.denominator}


def fraction(value: dict[str, int]) -> Fraction:
    """A row's rational as a Fraction."""
    return Fraction(value["num"], value["den"])


def same_time(written: str | None, wanted: str) -> bool:
    """Whether a time that a person's spreadsheet may have written its own way is the one that `clock` wrote.

    Spreadsheets drop leading zeros, digits after the first of a second, and hours where they show minutes and seconds.
    What is no time at all says nothing against it.
    """
    found = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)", (written or "").strip())
    if not found:
        return True
    hours, minutes, seconds = (Fraction((part or "0").replace(",", ".")) for part in found.groups())
    apart = 3600 * hours + 60 * minutes + seconds - _seconds(wanted)
    return abs(apart if found[1] else (apart + 1800) % 3600 - 1800) <= SPREADSHEET_S


def _seconds(told: str) -> Fraction:
    hours, minutes, seconds = told.lstrip("-").split(":")
    total = 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)
    return -total if told.startswith("-") else total


def clock(seconds: Fraction) -> str:
    """HH:MM:SS.mmm for people; never computed with."""
    millis = round(seconds * 1000)
    sign, millis = ("-", -millis) if millis < 0 else ("", millis)
    return f"{sign}{millis // 3_600_000:02}:{millis // 60_000 % 60:02}:{millis // 1000 % 60:02}.{millis % 1000:03}"
