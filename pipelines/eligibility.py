"""Which face tracks are painted: a verdict and a reason for every track of a shot. Pure functions of small facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from pipelines.stage import Row
from pipelines.voices import own_zones, rivals, scored_pieces
from schemas.reason import Reason, Verdict
from schemas.timing import ANALYSIS_RATE_HZ, Span, fraction

PtsSpan = tuple[int, int]  # half-open
Decision = tuple[Verdict, Reason | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Eligibility:
    """What a face track must be to be painted. Each threshold with its reason."""

    # 10 frames: 0.4 s at 25 fps, two syllables; a shorter glimpse shows no dub.
    min_frames: int = 10
    # 36 px: below it the mouth is some 12 px wide, and landmarks jitter by as much as lips move.
    min_face_height_px: float = 36.0
    # 0.2 film px per crop px: a painted mouth is shrunk to a fifth; less than that no viewer can read from lips.
    min_enlargement: float = 0.2
    # 3 film px per crop px: beyond, the painted mouth is visibly softer than the skin around it.
    max_enlargement: float = 3.0
    # 50 degrees: beyond, one corner of the mouth is hidden, and the model has seen only faces that look ahead.
    max_yaw_deg: float = 50.0
    # 0.7: measured on films of two people (`benchmarks/who_speaks.py`); whoever only may be heard waits for a person.
    min_speaking_score: float = 0.7
    # 0.3: below it a face is a listener's; from it on it may be the speaker's, and so no other face is surely.
    min_doubt_score: float = 0.3
    # 0.2 of the time in which a face is heard: a moment of doubt within a line is decided by the rest of the line.
    max_unsure_share: float = 0.2
    # 0.12 s, three frames at 25 fps: room to fade in and out, and lips move before the sound is heard.
    paint_margin_s: Fraction = Fraction(3, 25)

    def __post_init__(self) -> None:
        if not 0 <= self.min_enlargement < self.max_enlargement:
            raise ValueError(f"enlargement must lie in order, got {self.min_enlargement} .. {self.max_enlargement}")
        if not (0 <= self.min_doubt_score <= self.min_speaking_score <= 1 and 0 <= self.max_unsure_share <= 1):
            raise ValueError(
                "0 <= min_doubt_score <= min_speaking_score <= 1 and max_unsure_share in [0, 1] must hold"
            )
        if self.min_frames < 1 or self.min_face_height_px < 0 or self.max_yaw_deg < 0 or self.paint_margin_s < 0:
            raise ValueError("min_frames must be at least 1; sizes, angles and margins must not be negative")


def decide_track(row: Row, track: Row, eligibility: Eligibility) -> Decision:
    """The verdict of one face track of a shot.

    Args:
        row: TRACKED_SHOT.
        track: one of its tracks.
        eligibility: the thresholds.

    Returns:
        The verdict, and the reason unless the track is simply dubbed.
    """
    reason = _unfit(row, track, eligibility)
    if reason is not None:
        return Verdict.LEAVE, reason
    heard = heard_samples(row, track, eligibility)
    if not heard.total:
        return Verdict.LEAVE, Reason.NOT_SPEAKING
    if heard.unsure > eligibility.max_unsure_share * heard.total:
        return Verdict.REVIEW, Reason.SPEAKER_UNSURE
    return Verdict.DUB, None


@dataclass(frozen=True, slots=True)
class HeardSamples:
    """How long a track is heard, in samples at 16 kHz: surely, and where it may as well be another face."""

    sure: int
    unsure: int

    @property
    def total(self) -> int:
        """Both."""
        return self.sure + self.unsure


def heard_samples(row: Row, track: Row, eligibility: Eligibility) -> HeardSamples:
    """How long a track of a TRACKED_SHOT is heard.

    It is unsure where it may be heard, and another face too or nobody who is seen: a person must say whose line it is.
    """
    sure = unsure = 0
    others = rivals(row, track)
    for piece in scored_pieces(row):
        score = piece.scores.get(track["track_index"], -1.0)
        is_alone = piece.best_of(others) < eligibility.min_doubt_score and not piece.overlapped
        if score >= eligibility.min_speaking_score and is_alone:
            sure += piece.end - piece.start
        elif score >= eligibility.min_doubt_score:
            unsure += piece.end - piece.start
    return HeardSamples(sure, unsure)


def measured(row: Row, track: Row, reason: Reason | None, eligibility: Eligibility) -> str | None:
    """What a reason of `decide_track` was found by, beside its threshold, in words for people; None for any other."""
    if reason is Reason.NOT_SPEAKING:
        return f"speaking score {track['speaking_score']:.2f}, at least {eligibility.min_doubt_score:g}"
    if reason is Reason.SPEAKER_UNSURE:
        heard, most = heard_samples(row, track, eligibility), eligibility.max_unsure_share
        share = heard.unsure / max(1, heard.total)
        return (
            f"unsure for {share:.0%} of the {heard.total / ANALYSIS_RATE_HZ:.1f} s it may be heard, at most {most:.0%}"
        )
    demands = _demands(row, track, eligibility)
    return next((words for failed, words, met in demands if failed is reason and not met), None)


def _unfit(row: Row, track: Row, eligibility: Eligibility) -> Reason | None:
    """Why the track is not painted whoever speaks; the most telling reason first."""
    return next((reason for reason, _, met in _demands(row, track, eligibility) if not met), None)


def _demands(row: Row, track: Row, eligibility: Eligibility) -> Iterator[tuple[Reason, str, bool]]:
    """Each demand: the reason when it is not met, what was measured and what is demanded, and whether it is met."""
    one, frames, height_px = eligibility, track["num_frames"], track["face_height_px"]
    enlargement, yaw_deg = track["enlargement"], track["yaw_deg"]
    yield Reason.NO_SPEECH, "no speech while it is seen", bool(spans_to_paint(row, track, one))
    yield Reason.TRACK_TOO_SHORT, f"{frames} frames, at least {one.min_frames}", frames >= one.min_frames
    small = f"face {height_px:.0f} px high, at least {one.min_face_height_px:g}"
    yield Reason.FACE_TOO_SMALL, small, height_px >= one.min_face_height_px
    shrunk = f"{enlargement:.2f} film px a crop px, at least {one.min_enlargement:g}"
    yield Reason.FACE_TOO_SMALL, shrunk, enlargement >= one.min_enlargement
    enlarged = f"{enlargement:.2f} film px a crop px, at most {one.max_enlargement:g}"
    yield Reason.FACE_TOO_LARGE, enlarged, enlargement <= one.max_enlargement
    yield Reason.FACE_TURNED, f"yaw {yaw_deg:.0f} deg, at most {one.max_yaw_deg:g}", abs(yaw_deg) <= one.max_yaw_deg


def shot_reason(row: Row, verdicts: Sequence[Row]) -> Reason | None:
    """Why nothing in the shot is painted; None when some track is dubbed or waits for review.

    With several faces it is the reason of the one that seems most to speak.
    """
    if any(verdict["verdict"] != Verdict.LEAVE for verdict in verdicts):
        return None
    if row["picture_lost"]:
        return Reason.UNDECODABLE
    if not row["tracks"]:
        return Reason.NO_FACE
    if not row["dub_speech"] and not row["original_speech"]:
        return Reason.NO_SPEECH
    likeliest = max(row["tracks"], key=lambda track: track["speaking_score"])
    reasons = {verdict["track_index"]: verdict["reason"] for verdict in verdicts}
    return Reason(reasons[likeliest["track_index"]])


def spans_to_paint(row: Row, track: Row, eligibility: Eligibility | None = None) -> list[PtsSpan]:
    """Where the track is painted: wherever the original or the dub speaks in its turn, with a margin.

    Where only the original speaks, silence is painted: otherwise the lips would go on moving without sound.
    Pauses shorter than two margins are painted through. Lines of others are not its own (`own_zones`).

    Args:
        row: TRACKED_SHOT or wider.
        track: TRACK_FACTS of one of its tracks.
        eligibility: how much earlier to begin and later to end, and from which score on a face is heard.

    Returns:
        Half-open pts spans within the track and the shot, in order, apart from each other. Their ends are
        not pts of frames: the caller takes the frames whose pts lies within.
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
