"""Two mouths that move to one line of the dub: never by the plan itself, but a person may ask for it."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from pipelines.eligibility import Eligibility
from pipelines.speech import SampleSpan
from pipelines.stage import Row
from pipelines.voices import Zone, own_zones
from schemas.reason import Verdict
from schemas.timing import ANALYSIS_RATE_HZ, clock, fraction

LEAST_S = 0.3  # of less, margins meet


def shared_lines(planned: Sequence[Row], eligibility: Eligibility) -> Iterator[str]:
    """Where two faces of a shot are both dubbed to one line, in words for whoever edited the plan.

    Args:
        planned: PLANNED_SHOT.
        eligibility: from which score on a face may be heard.
    """
    for row in planned:
        dubbed = {one["track_index"] for one in row["verdicts"] if one["verdict"] == Verdict.DUB}
        tracks = [track for track in row["tracks"] if track["track_index"] in dubbed]
        for one, other in combinations(tracks, 2):
            seconds = _shared_s(row, one, other, eligibility)
            if seconds >= LEAST_S:
                faces = f"faces {one['track_index']} and {other['track_index']}"
                at = clock(row["shot_start_pts"] * fraction(row["time_base"]))
                yield (
                    f"{row['title']} {row['language']}: shot {row['shot_index']} at {at}: {faces} both move to one "
                    f"line of the dub for {seconds:.1f} s; set one of them to leave unless they speak in unison"
                )


def _shared_s(row: Row, one: Row, other: Row, eligibility: Eligibility) -> float:
    """How long the dub speaks in the turn of both while both are seen."""
    time_base = fraction(row["time_base"])
    seen = [
        edge(track[name] for track in (one, other)) * time_base * ANALYSIS_RATE_HZ
        for edge, name in ((max, "start_pts"), (min, "end_pts"))
    ]
    spoken = [(span["start"], span["end"]) for span in row["dub_speech"]]
    mine, theirs = (own_zones(row, track, eligibility.min_doubt_score) for track in (one, other))
    shared = sum(_overlap(span, zone, other_zone, *seen) for span in spoken for zone in mine for other_zone in theirs)
    return float(shared) / ANALYSIS_RATE_HZ


def _overlap(span: SampleSpan, zone: Zone, other: Zone, first: float, after: float) -> float:
    return max(0.0, min(span[1], zone[1], other[1], after) - max(span[0], zone[0], other[0], first))
