"""The timeline of a film as a picture: shots, speech, and the faces of each person with what is decided of them."""

import io
from collections import defaultdict
from collections.abc import Sequence
from math import ceil

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from pipelines.stage import Row
from schemas.reason import Verdict
from schemas.timing import ANALYSIS_RATE_HZ, clock, fraction

STRIP_S = 240.0  # of film in one strip; the last one is as long, so that all have one scale
SHORTEST_STRIP_S = 10.0
MOST_PEOPLE = 10  # rows in a strip; whoever is seen less shares the last one
UNKNOWN, OTHERS = "not recognised", "others"
WIDTH_INCH, ROW_INCH, EDGE_INCH, DPI = 14.0, 0.27, 0.55, 100
SHADES = ("#d7d7d7", "#efefef")  # of shots in turn
COLOURS = {Verdict.DUB: "#2a9d5c", Verdict.REVIEW: "#e8a33d", Verdict.LEAVE: "#a3a3a3"}
HEARD, HIDDEN, ORIGINAL, DUB = "#10331f", "#c0392b", "#4a6fa5", "#7d4fa3"
MIN_HEARD = 0.5  # of the speaking score: more likely than not
Span = tuple[float, float]  # start and length in seconds


def film_timeline(shots: Sequence[Row]) -> bytes:
    """A PNG: a strip for every four minutes.

    Rows from the top: shots, what the original and the dub say, and one for each person, longest seen first.
    A face is green where it is dubbed, orange where it waits for review, grey where it stays as filmed; dark inside
    where it is heard in the original; red where something hides its mouth.

    Args:
        shots: PLANNED_SHOT or wider, all of one film and language, in order.
    """
    start_s, end_s = _seconds(shots[0], shots[0]["shot_start_pts"]), _seconds(shots[-1], shots[-1]["shot_end_pts"])
    strip_s = min(STRIP_S, max(SHORTEST_STRIP_S, end_s - start_s))
    people = _rows_of_people(shots)
    count = max(1, ceil((end_s - start_s) / strip_s - 1e-9))
    height = EDGE_INCH + count * (ROW_INCH * (3 + len(people)) + EDGE_INCH)
    figure = Figure(figsize=(WIDTH_INCH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for number, axes in enumerate(figure.subplots(count, 1, squeeze=False)[:, 0]):
        first = start_s + number * strip_s
        inside = [shot for shot in shots if _overlaps(shot, first, first + strip_s)]
        _draw_strip(axes, inside, people)
        axes.set_xlim(first, first + strip_s)
    figure.legend(handles=_legend(), loc="outside upper center", ncols=7, fontsize=8, frameon=False)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _draw_strip(axes: Axes, shots: Sequence[Row], people: Sequence[str]) -> None:
    names = ["shots", "original speech", "dub speech", *people]
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)  # a name may have dollars
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: clock(max(0, round(at * 1000)) / 1000)[:8]))
    for shot in shots:
        _draw_shot(axes, shot)
        for name, row, colour in (("original_speech", 1, ORIGINAL), ("dub_speech", 2, DUB)):
            _bars(axes, [_heard(span) for span in shot[name]], row, 0.6, colour)
        decided = {verdict["track_index"]: verdict for verdict in shot["verdicts"]}
        for track in shot["tracks"]:
            verdict = decided[track["track_index"]]
            row = 3 + people.index(_row_name(verdict["person"], people))
            _draw_track(axes, shot, track, Verdict(verdict["verdict"]), row)


def _draw_shot(axes: Axes, shot: Row) -> None:
    start = _seconds(shot, shot["shot_start_pts"])
    length = _seconds(shot, shot["shot_end_pts"]) - start
    _bars(axes, [(start, length)], 0, 0.9, SHADES[shot["shot_index"] % 2])
    axes.text(start + length / 2, 0, str(shot["shot_index"]), fontsize=7, ha="center", va="center", clip_on=True)
    axes.axvline(start, color="#bbbbbb", linewidth=0.5, zorder=0)


def _draw_track(axes: Axes, shot: Row, track: Row, verdict: Verdict, row: int) -> None:
    start, end = _seconds(shot, track["start_pts"]), _seconds(shot, track["end_pts"])
    _bars(axes, [(start, end - start)], row, 0.8, COLOURS[verdict])
    heard = [_heard(piece) for piece in track["speech_scores"] if piece["score"] >= MIN_HEARD]
    within = [(max(start, at), min(end, at + length) - max(start, at)) for at, length in heard]
    _bars(axes, [span for span in within if span[1] > 0], row, 0.25, HEARD)
    hidden = [(_seconds(shot, one["start_pts"]), _seconds(shot, one["end_pts"])) for one in track["covers"]]
    _bars(axes, [(first, after - first) for first, after in hidden], row + 0.3, 0.2, HIDDEN)


def _bars(axes: Axes, spans: Sequence[Span], row: float, height: float, colour: str) -> None:
    axes.broken_barh(list(spans), (row - height / 2, height), facecolors=colour, linewidth=0)


def _rows_of_people(shots: Sequence[Row]) -> list[str]:
    """Whom the rows are for."""
    seen: dict[str, float] = defaultdict(float)
    for shot in shots:
        spans = {track["track_index"]: track["end_pts"] - track["start_pts"] for track in shot["tracks"]}
        for verdict in shot["verdicts"]:
            seen[verdict["person"] or UNKNOWN] += spans[verdict["track_index"]]
    known = sorted((name for name in seen if name != UNKNOWN), key=lambda name: (-seen[name], name))
    rest = [OTHERS] if len(known) > MOST_PEOPLE else []
    return [*known[:MOST_PEOPLE], *rest, *([UNKNOWN] if UNKNOWN in seen else [])]


def _row_name(person: str | None, people: Sequence[str]) -> str:
    if person is None:
        return UNKNOWN
    return person if person in people else OTHERS


def _overlaps(shot: Row, first_s: float, after_s: float) -> bool:
    return _seconds(shot, shot["shot_start_pts"]) < after_s and _seconds(shot, shot["shot_end_pts"]) > first_s


def _seconds(shot: Row, pts: int) -> float:
    return float(pts * fraction(shot["time_base"]))


def _heard(span: Row) -> Span:
    return span["start"] / ANALYSIS_RATE_HZ, (span["end"] - span["start"]) / ANALYSIS_RATE_HZ


def _legend() -> list[Patch]:
    verdicts = [Patch(color=colour, label=verdict.value) for verdict, colour in COLOURS.items()]
    more = {"heard": HEARD, "mouth hidden": HIDDEN, "original speech": ORIGINAL, "dub speech": DUB}
    return [*verdicts, *(Patch(color=colour, label=label) for label, colour in more.items())]
