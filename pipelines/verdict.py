"""The verdict of each face track of a shot: painted or not, and why. Pure functions of small facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import hidden_share, spoken_spans
from pipelines.stage import Row
from pipelines.voices import rivals, scored_pieces
from schemas.reason import Cover, Reason, Verdict
from schemas.timing import ANALYSIS_RATE_HZ

MEASURED = ("face_height_px", "enlargement", "yaw_deg", "pitch_deg")
TELLING = 0.1  # a score that the voice lowers by less needs no word
Decision = tuple[Verdict, Reason | None]


def decide_track(row: Row, track: Row, eligibility: Eligibility) -> Decision:
    """The verdict of one face track of a shot.

    Args:
        row: TRACKED_SHOT.
        track: one of its tracks.
        eligibility: the thresholds.

    Returns:
        The verdict, and the reason unless the track is simply dubbed.
    """
    found = list(_demands(row, track, eligibility))
    for demand in found:
        if demand.verdict is Verdict.LEAVE:
            return Verdict.LEAVE, demand.reason
    heard = heard_samples(row, track, eligibility)
    if not heard.total:
        return Verdict.LEAVE, Reason.NOT_SPEAKING
    if heard.unsure > eligibility.max_unsure_share * heard.total:
        return Verdict.REVIEW, Reason.SPEAKER_UNSURE
    doubtful = (demand.reason for demand in found if demand.verdict is Verdict.REVIEW)
    reason = next(doubtful, None)
    return (Verdict.REVIEW, reason) if reason else (Verdict.DUB, None)


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
    Where two voices are heard at once, it is heard if it takes the dub's line (`pipelines.overlaps`).
    """
    sure = unsure = 0
    others, index = rivals(row, track), track["track_index"]
    for piece in scored_pieces(row):
        score = piece.scores.get(index, -1.0)
        is_alone = piece.best_of(others) < eligibility.min_doubt_score and not piece.overlapped
        if piece.takes.get(index, score >= eligibility.min_speaking_score and is_alone):
            sure += piece.end - piece.start
        elif score >= eligibility.min_doubt_score and index not in piece.takes:
            unsure += piece.end - piece.start
    return HeardSamples(sure, unsure)


def measured(row: Row, track: Row, reason: Reason | None, eligibility: Eligibility) -> str | None:
    """What a reason of `decide_track` was found by, beside its threshold, in words for people; None for any other."""
    if reason is Reason.NOT_SPEAKING:
        score = f"speaking score {track['speaking_score']:.3f}, at least {eligibility.min_doubt_score:g}"
        return score + _without_voice(track) + _without_line(track)
    if reason is Reason.SPEAKER_UNSURE:
        heard, most = heard_samples(row, track, eligibility), eligibility.max_unsure_share
        share = heard.unsure / max(1, heard.total)
        return (
            f"unsure for {share:.0%} of the {heard.total / ANALYSIS_RATE_HZ:.1f} s it may be heard, at most {most:.0%}"
            + _without_voice(track)
        )
    unmet = [
        one for one in _demands(row, track, eligibility) if one.reason is reason and one.verdict is not Verdict.DUB
    ]
    unmet.sort(key=lambda demand: demand.verdict is not Verdict.LEAVE)
    return unmet[0].words if unmet else None


def _without_voice(track: Row) -> str:
    """What the mouth alone would say of a track that the voices of the film's people made less sure."""
    mouth = max((_mouth_score(piece) for piece in track["speech_scores"]), default=0.0)
    is_less = mouth - track["speaking_score"] >= TELLING
    return f"; its mouth alone {mouth:.2f}, less with the voices of the film's people" if is_less else ""


def _without_line(track: Row) -> str:
    gives = any(piece.get("takes_line") is False for piece in track["speech_scores"])
    return "; where two speak at once, the dub's line is another's" if gives else ""


def _mouth_score(piece: Row) -> float:
    weighed = piece.get("mouth_score")
    return float(piece["score"] if weighed is None else weighed)


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a track must be."""

    reason: Reason  # why it is not painted, or waits for a person
    words: str  # what was measured and what is demanded
    verdict: Verdict  # what follows from it alone


def _demands(row: Row, track: Row, eligibility: Eligibility) -> Iterator[Demand]:
    """Every demand, the most telling reason first."""
    one, frames = eligibility, track["num_frames"]
    spoken = bool(spoken_spans(row, track, one))
    yield Demand(Reason.NO_SPEECH, "no speech while it is seen", Verdict.DUB if spoken else Verdict.LEAVE)
    long_enough = Verdict.DUB if frames >= one.min_frames else Verdict.LEAVE
    yield Demand(Reason.TRACK_TOO_SHORT, f"{frames} frames, at least {one.min_frames}", long_enough)
    score = f"detector score {track['score']:.3f}"
    yield _at_least(Reason.FACE_UNSURE, score, track["score"], 0.0, one.sure_face_score)
    spread = f"pictures of it {track['spread']:.2f} apart, as of two people"
    yield _at_most(Reason.FACE_UNSURE, spread, track["spread"], inf, one.sure_spread)
    seen = while_it_speaks(row, track, one)
    height, small = seen["face_height_px"], Reason.FACE_TOO_SMALL
    yield _at_least(small, f"face {height:.1f} px high", height, one.min_face_height_px, one.sure_face_height_px)
    enlargement = seen["enlargement"]
    words = f"{enlargement:.2f} film px a crop px"
    yield _at_least(small, words, enlargement, one.min_enlargement, one.min_enlargement)
    yield _at_most(Reason.FACE_TOO_LARGE, words, enlargement, one.max_enlargement, one.sure_enlargement)
    yaw, pitch, turned = seen["yaw_deg"], seen["pitch_deg"], Reason.FACE_TURNED
    yield _at_most(turned, f"yaw {yaw:.1f} deg", abs(yaw), one.max_yaw_deg, one.sure_yaw_deg)
    yield _at_most(turned, f"pitch {pitch:.1f} deg", abs(pitch), one.max_pitch_deg, one.sure_pitch_deg)
    smear = f"moves {track['smear']:.2f} of its width while the shutter is open"
    yield _at_most(Reason.MOTION_BLUR, smear, track["smear"], one.max_smear, one.sure_smear)
    for kind, (reason, sure_share) in _covers(one).items():
        share = hidden_share(row, track, kind, one) if spoken else 0.0
        words = f"hidden by a {kind} for {share:.0%} of its frames"
        yield _at_most(reason, words, share, one.max_hidden_share, sure_share)


def while_it_speaks(row: Row, track: Row, eligibility: Eligibility) -> dict[str, float]:
    """How large and turned a face is while it would be painted: medians over the half seconds in which it speaks.

    A head that looks aside while others speak, or comes near only to listen, is judged by neither. Turns count
    whichever way they go. Where nothing is known of stretches, or it never speaks, those of the whole track.

    Args:
        row: TRACKED_SHOT or wider.
        track: one of its tracks.
        eligibility: when it speaks.
    """
    spoken = spoken_spans(row, track, eligibility)
    speaks = [one for one in track["stretches"] if _meets((one["start_pts"], one["end_pts"]), spoken)]
    return {name: median(abs(one[name]) for one in speaks or [track]) for name in MEASURED}


def _meets(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _covers(eligibility: Eligibility) -> dict[Cover, tuple[Reason, float]]:
    """What each kind is a reason for, and the share from which on it is for a person."""
    sure = eligibility.sure_hidden_share
    return {
        Cover.THING: (Reason.MOUTH_HIDDEN, sure),
        Cover.TEXT: (Reason.TEXT_ON_MOUTH, sure),
        Cover.FACE: (Reason.MOUTH_HIDDEN, eligibility.max_hidden_share),  # who is behind another face shows no mouth
    }


def _at_least(reason: Reason, words: str, value: float, least: float, sure: float) -> Demand:
    verdict = Verdict.LEAVE if value < least else Verdict.REVIEW if value < sure else Verdict.DUB
    return Demand(reason, f"{words}, at least {sure if verdict is Verdict.REVIEW else least:g}", verdict)


def _at_most(reason: Reason, words: str, value: float, most: float, sure: float) -> Demand:
    verdict = Verdict.LEAVE if value > most else Verdict.REVIEW if value > sure else Verdict.DUB
    return Demand(reason, f"{words}, at most {sure if verdict is Verdict.REVIEW else most:g}", verdict)


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
