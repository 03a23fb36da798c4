"""Where a face track is painted: wherever its voice is heard in original or dub, and nothing hides its mouth."""

from fractions import Fraction
from math import ceil, floor

from pipelines.eligibility import Eligibility
from pipelines.stage import Row
from pipelines.voices import own_zones
from schemas.reason import Cover
from schemas.timing import ANALYSIS_RATE_HZ, Span, fraction

PtsSpan = tuple[int, int]  # half-open


def spans_to_paint(row: Row, track: Row, eligibility: Eligibility | None = None) -> list[PtsSpan]:
    """Where the track is painted: `spoken_spans` without the frames in which something hides the mouth.

    Args:
        row: TRACKED_SHOT or wider.
        track: TRACK_FACTS of one of its tracks.
        eligibility: how much earlier to begin and later to end, and from which score on a face is heard.

    Returns:
        Half-open pts spans within the track and the shot, in order, apart from each other. Their ends are
        not pts of frames: the caller takes the frames whose pts lies within.
    """
    free = spoken_spans(row, track, eligibility)
    for cover in track["covers"]:
        free = [part for span in free for part in _without(span, cover["start_pts"], cover["end_pts"])]
    return free


def hidden_share(row: Row, track: Row, kind: Cover, eligibility: Eligibility) -> float:
    """How much of its `spoken_spans` something of a kind hides, 0..1."""
    spoken = spoken_spans(row, track, eligibility)
    covers = [(cover["start_pts"], cover["end_pts"]) for cover in track["covers"] if cover["kind"] == kind]
    hidden = sum(max(0, min(end, after) - max(start, first)) for start, end in spoken for first, after in covers)
    return float(hidden / max(1, sum(end - start for start, end in spoken)))


def _without(span: PtsSpan, start_pts: int, end_pts: int) -> list[PtsSpan]:
    parts = (span[0], min(span[1], start_pts)), (max(span[0], end_pts), span[1])
    return [part for part in parts if part[0] < part[1]]


def spoken_spans(row: Row, track: Row, eligibility: Eligibility | None = None) -> list[PtsSpan]:
    """Where its mouth should move or rest: wherever the original or the dub speaks in its turn, with a margin.

    Where only the original speaks, silence is painted: otherwise the lips would go on moving without sound.
    Pauses shorter than two margins are painted through. Lines of others are not its own (`own_zones`).

    Args, and what is returned: as of `spans_to_paint`.
    """
    rules, time_base = eligibility or Eligibility(), fraction(row["time_base"])
    zones = own_zones(row, track, rules.min_doubt_score)
    spoken = sorted((span["start"], span["end"]) for span in [*row["dub_speech"], *row["original_speech"]])
    mine = [(max(start, zone[0]), min(end, zone[1])) for start, end in spoken for zone in zones]
    first = max(row["shot_start_pts"], track["start_pts"])
    after = min(row["shot_end_pts"], track["end_pts"])
    spans: list[PtsSpan] = []
    for start, end in (_widened(span, rules.paint_margin_s, time_base) for span in sorted(mine) if span[0] < span[1]):
        start, end = max(start, first), min(end, after)
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        elif start < end:
            spans.append((start, end))
    return spans


def _widened(span: tuple[float, float], margin_s: Fraction, time_base: Fraction) -> PtsSpan:
    start_s, end_s = (Fraction(sample) / ANALYSIS_RATE_HZ for sample in span)
    return floor((start_s - margin_s) / time_base), ceil((end_s + margin_s) / time_base)


def num_frames_to_paint(row: Row, track: Row, eligibility: Eligibility) -> int:
    """About how many frames `spans_to_paint` covers: their share of the shot's time, in frames of the shot."""
    shot = Span(row["shot_start_pts"], row["shot_end_pts"], fraction(row["time_base"]))
    ticks = sum(end - start for start, end in spans_to_paint(row, track, eligibility))
    return round(Fraction(ticks * row["shot_num_frames"], shot.end_pts - shot.start_pts))
