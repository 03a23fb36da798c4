"""How much of its films' picture a plan would have encoded again: whole GOPs, wherever a frame is painted."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import spans_to_paint
from pipelines.stage import Row
from schemas.reason import Verdict


def re_encoded_share(planned: Sequence[Row], eligibility: Eligibility) -> float:
    """The share of all frames, 0..1, as if all GOPs of a film were equally long.

    Args:
        planned: PLANNED_SHOT rows, all of each film.
        eligibility: with which they were planned.
    """
    films: dict[str, list[Row]] = defaultdict(list)
    for row in planned:
        films[row["dub_id"]].append(row)
    frames = sum(shots[0]["num_frames"] for shots in films.values())
    again = sum(_share(shots, eligibility) * shots[0]["num_frames"] for shots in films.values())
    return float(again / max(frames, 1))


def _share(shots: Sequence[Row], eligibility: Eligibility) -> float:
    film = shots[0]
    gops: int = 1 if film["whole"] else max(1, film["num_gops"])
    ticks = Fraction(film["end_pts"] - film["start_pts"], gops)
    touched: set[int] = set()
    for shot in shots:
        for start, end in _painted(shot, eligibility):
            first, after = ((pts - film["start_pts"]) / ticks for pts in (start, end))
            touched.update(range(int(first), ceil(after)))
    return min(1.0, len(touched) / gops)


def _painted(shot: Row, eligibility: Eligibility) -> list[tuple[int, int]]:
    dubbed = {verdict["track_index"] for verdict in shot["verdicts"] if verdict["verdict"] == Verdict.DUB}
    tracks = [track for track in shot["tracks"] if track["track_index"] in dubbed]
    return [span for track in tracks for span in spans_to_paint(shot, track, eligibility)]
