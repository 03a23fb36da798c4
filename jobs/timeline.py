"""The timeline of a film as a picture: shots, speech, and the faces of each person with what is decided of them."""

import io
from collections import defaultdict
from collections.abc import Sequence
from math import ceil

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
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
ROWS = ("shots", "original speech", "dub speech")  # above the people
WIDTH_INCH, ROW_INCH, EDGE_INCH, DPI = 14.0, 0.27, 0.55, 100
LETTERS = 8  # points, of names and times
# Places of what has one size: the legend, times below a strip, those between two, half a time and a tick beside one.
LEGEND_INCH, CLOCK_INCH, GAP_INCH, RIGHT_INCH, TICK_INCH = 0.33, 0.25, 0.29, 0.29, 0.14
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
    figure = Figure(figsize=(WIDTH_INCH, height), dpi=DPI)
    FigureCanvasAgg(figure)
    left = _names_inch(figure, people)
    for number in range(count):
        first = start_s + number * strip_s
        axes = figure.add_axes(_place(number, count, height, left))
        axes.set_xlim(first, first + strip_s)
        inside = [shot for shot in shots if _overlaps(shot, first, first + strip_s)]
        _draw_strip(axes, inside, people)
    figure.legend(handles=_legend(), loc="upper center", ncols=7, fontsize=8, frameon=False)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _names_inch(figure: Figure, people: Sequence[str]) -> float:
    """Width of the names beside the strips, with their ticks: of all texts it alone differs from film to film."""
    texts = [figure.text(0, 0, name, fontsize=LETTERS, parse_math=False) for name in (*ROWS, *people)]
    width = max(text.get_window_extent().width for text in texts) / DPI
    for text in texts:
        text.remove()
    return min(WIDTH_INCH / 2, width + TICK_INCH)


def _place(number: int, count: int, height: float, left: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a strip in shares of the picture."""
    own = (height - LEGEND_INCH - CLOCK_INCH - (count - 1) * GAP_INCH) / count
    bottom = CLOCK_INCH + (count - 1 - number) * (own + GAP_INCH)
    return left / WIDTH_INCH, bottom / height, 1 - (left + RIGHT_INCH) / WIDTH_INCH, own / height


class _Bars:
    """Bars of a strip in the order in which they are drawn, as one artist: thousands of them would take minutes."""

    def __init__(self) -> None:
        self._corners: list[list[tuple[float, float]]] = []
        self._colours: list[str] = []

    def add(self, spans: Sequence[Span], row: float, height: float, colour: str) -> None:
        top, bottom = row - height / 2, row + height / 2
        for start, length in spans:
            after = start + length
            self._corners.append([(start, top), (start, bottom), (after, bottom), (after, top)])
            self._colours.append(colour)

    def draw(self, axes: Axes) -> None:
        axes.add_collection(PolyCollection(self._corners, facecolors=self._colours, linewidth=0), autolim=False)


def _draw_strip(axes: Axes, shots: Sequence[Row], people: Sequence[str]) -> None:
    names = [*ROWS, *people]
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, fontsize=LETTERS, parse_math=False)  # a name may have dollars
    axes.tick_params(axis="x", labelsize=LETTERS)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: clock(max(0, round(at * 1000)) / 1000)[:8]))
    starts = [_seconds(shot, shot["shot_start_pts"]) for shot in shots]
    axes.vlines(starts, 0, 1, "#bbbbbb", linewidth=0.5, zorder=0, transform=axes.get_xaxis_transform())
    bars = _Bars()
    for shot in shots:
        _draw_shot(axes, bars, shot)
        for name, row, colour in (("original_speech", 1, ORIGINAL), ("dub_speech", 2, DUB)):
            bars.add([_heard(span) for span in shot[name]], row, 0.6, colour)
        decided = {verdict["track_index"]: verdict for verdict in shot["verdicts"]}
        for track in shot["tracks"]:
            verdict = decided[track["track_index"]]
            row = len(ROWS) + people.index(_row_name(verdict["person"], people))
            _add_track(bars, shot, track, Verdict(verdict["verdict"]), row)
    bars.draw(axes)


def _draw_shot(axes: Axes, bars: _Bars, shot: Row) -> None:
    start = _seconds(shot, shot["shot_start_pts"])
    length = _seconds(shot, shot["shot_end_pts"]) - start
    bars.add([(start, length)], 0, 0.9, SHADES[shot["shot_index"] % 2])
    axes.text(start + length / 2, 0, str(shot["shot_index"]), fontsize=7, ha="center", va="center", clip_on=True)


def _add_track(bars: _Bars, shot: Row, track: Row, verdict: Verdict, row: int) -> None:
    start, end = _seconds(shot, track["start_pts"]), _seconds(shot, track["end_pts"])
    bars.add([(start, end - start)], row, 0.8, COLOURS[verdict])
    heard = [_heard(piece) for piece in track["speech_scores"] if piece["score"] >= MIN_HEARD]
    within = [(max(start, at), min(end, at + length) - max(start, at)) for at, length in heard]
    bars.add([span for span in within if span[1] > 0], row, 0.25, HEARD)
    hidden = [(_seconds(shot, one["start_pts"]), _seconds(shot, one["end_pts"])) for one in track["covers"]]
    bars.add([(first, after - first) for first, after in hidden], row + 0.3, 0.2, HIDDEN)


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
