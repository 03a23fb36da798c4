"""Which faces a plan would paint in films of which it is known who speaks.

    python -m jobs.people_films --packages FOLDER --out FILMS
    python -m benchmarks.who_speaks FILMS [--store STORE] [--least 0.9] [--set eligibility.min_speaking_score=0.5]

Tells of every kind of shot how often the right faces, and only those, came out `dub`, and of all of them: shots with a
wrong face, unambiguous shots that are dubbed whole, frames painted while another one speaks, who is taken for whom,
tracks that mix people, and cuts. It exits 1 where a shot has a wrong face, a cut is missed or added, or fewer
unambiguous shots with a speaker than `--least` are dubbed whole. The mouths of these films follow the table of visemes
that `expected_opening` was fitted to, and their voices are some of those it was fitted with: real people are harder.
There are three real speakers at hand, in the tests.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from benchmarks.claim import Claim, all_hold
from jobs.cluster import prepare_ray
from pipelines.paint_spans import spans_to_paint
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key, read_table
from schemas.line import LINE, STEM_RATE_HZ
from schemas.reason import Verdict

FRAME_RATE = 25
SLACK_S = 0.3  # lines begin and end within the pauses around them
MIXED_SHARE = 0.05  # of a track's frames on another person than the rest
Cut = tuple[str, int]  # title, and the frame at which a shot begins


@dataclass(frozen=True, slots=True)
class Track:
    """A face track, and whom of the two it shows."""

    person: int
    who: str  # in truth: a member of the film's cast, or a real person by side
    named: str | None  # by the plan
    mixed: bool  # it changes person on its way
    verdict: str
    reason: str | None
    score: float
    num_frames: int
    num_painted: int
    num_astray: int  # painted while another one speaks


@dataclass(frozen=True, slots=True)
class Judged:
    """A shot as it is and as it was planned."""

    kind: str
    name: str
    speakers: frozenset[int]
    ambiguous: bool
    found: bool  # a shot begins where this one does
    tracks: list[Track]

    @property
    def dubbed(self) -> set[int]:
        """Who is painted and delivered."""
        return {track.person for track in self.tracks if track.verdict == Verdict.DUB}

    @property
    def wrong(self) -> bool:
        """A face is painted that says nothing, or one of two that speak at once was picked."""
        return bool(self.dubbed) if self.ambiguous else bool(self.dubbed - self.speakers)

    @property
    def whole(self) -> bool:
        """Everybody who speaks is painted, and nobody else."""
        return self.found and not self.ambiguous and self.dubbed == self.speakers


def judged_shots(planned: pa.Table, truth: list[dict[str, Any]]) -> Iterator[Judged]:
    """Every shot of the films with what was planned of it; shots are paired by where they begin."""
    rows: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in planned.to_pylist():
        rows[row["title"]][_frame(row, row["shot_start_pts"])] = row
    for film in truth:
        first = 0
        for index, shot in enumerate(film["shots"]):
            row = rows[film["title"]].get(first)
            speakers = frozenset(who for who, person in enumerate(shot["people"]) if person["speaks_s"])
            tracks = list(_tracks(row, shot, first)) if row else []
            name = f"{film['title']}/{index}"
            yield Judged(shot["kind"], name, speakers, shot["talks_over"], row is not None, tracks)
            first += shot["num_frames"]


def _frame(row: Row, pts: int) -> int:
    return round(pts * row["time_base"]["num"] / row["time_base"]["den"] * FRAME_RATE)


def _tracks(row: Row, shot: dict[str, Any], first: int) -> Iterator[Track]:
    if not row["tracks"]:
        return
    table = read_table(row["tracks_uri"])
    verdicts = {verdict["track_index"]: verdict for verdict in row["verdicts"]}
    paths = np.array([person["path"] for person in shot["people"]])  # [P, F, 3]
    for track in row["tracks"]:
        mine = table.filter(pa.compute.equal(table["track_index"], track["track_index"]))
        at = [min(_frame(row, pts) - first, paths.shape[1] - 1) for pts in mine["pts"].to_pylist()]
        boxes = np.array(mine["box"].to_pylist())
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        nearest = np.linalg.norm(paths[:, at, :2] - middles, axis=-1).argmin(0)
        shares = np.bincount(nearest, minlength=2) / len(nearest)
        verdict, person = verdicts[track["track_index"]], int(shares.argmax())
        painted = _painted(row, track, first)
        yield Track(
            person=person,
            who=_member(shot["people"][person]["cast"], person),
            named=verdict["person"],
            mixed=bool(sorted(shares)[-2] > MIXED_SHARE),
            verdict=verdict["verdict"],
            reason=verdict["reason"],
            score=track["speaking_score"],
            num_frames=track["num_frames"],
            num_painted=len(painted),
            num_astray=sum(_is_astray(frame, person, shot) for frame in painted),
        )


def _member(cast: int | None, side: int) -> str:
    return f"filmed {side}" if cast is None else f"member {cast}"


def identity_lines(shots: list[Judged]) -> Iterator[str]:
    """How pairs of tracks of one film are named, in lines."""
    films: dict[str, list[Track]] = defaultdict(list)
    for shot in shots:
        films[shot.name.partition("/")[0]] += [track for track in shot.tracks if not track.mixed]
    pairs = [pair for tracks in films.values() for pair in combinations(tracks, 2)]
    for is_one, words in ((True, "of one person, named alike"), (False, "of two people, named alike")):
        alike = [one.named == other.named for one, other in pairs if (one.who == other.who) is is_one]
        yield f"pairs of tracks {words}: {sum(alike)} of {len(alike)}"
    unnamed = sum(track.named is None for tracks in films.values() for track in tracks)
    yield f"tracks without a name: {unnamed}"


def _painted(row: Row, track: Row, first: int) -> list[int]:
    """Frames of the shot that are painted."""
    spans = spans_to_paint(row, track)
    return [frame for start, end in spans for frame in range(_frame(row, start) - first, _frame(row, end) - first)]


def _is_astray(frame: int, person: int, shot: dict[str, Any]) -> bool:
    """Whether a frame lies well within what another one says, and beside what this person says."""
    at_s = frame / FRAME_RATE
    near = [
        any(start - slack_s <= at_s < end + slack_s for start, end in one["speaks_s"])
        for slack_s, one in ((SLACK_S if who == person else -SLACK_S, one) for who, one in enumerate(shot["people"]))
    ]
    return not near[person] and any(near)


def claims(shots: list[Judged], found_cuts: set[Cut], cuts: set[Cut], least: float) -> list[Claim]:
    """What is claimed of films of which it is known who speaks.

    Args:
        shots: of all films.
        found_cuts: where shots were found to begin: title and frame.
        cuts: where they do.
        least: of the unambiguous shots with a speaker, the share that must be dubbed whole.
    """
    wrong = [shot.name for shot in shots if shot.wrong]
    seen = with_speaker(shots)
    whole = sum(shot.whole for shot in seen)
    missed, added = len(cuts - found_cuts), len(found_cuts - cuts)
    return [
        Claim("shots with a wrong face", ", ".join(wrong) or "none", bool(shots) and not wrong),
        Claim("cuts", f"{missed} missed, {added} added", bool(cuts) and not missed and not added),
        Claim(
            "unambiguous shots with a speaker dubbed whole",
            f"{whole} of {len(seen)}, at least {least:.0%}",
            bool(seen) and whole >= least * len(seen),
        ),
    ]


def with_speaker(shots: list[Judged]) -> list[Judged]:
    """Those of which it is certain who is to be dubbed."""
    return [shot for shot in shots if shot.speakers and not shot.ambiguous]


def report(shots: list[Judged], found_cuts: set[Cut], cuts: set[Cut]) -> Iterator[str]:
    """The figures, in lines."""
    for kind in sorted({shot.kind for shot in shots}):
        of_kind = [shot for shot in shots if shot.kind == kind]
        whole, wrong = sum(shot.whole for shot in of_kind), sum(shot.wrong for shot in of_kind)
        yield f"{kind:48} {len(of_kind):3} shots, right {whole}, wrong face {wrong}"
        for shot in of_kind:
            said = "; ".join(
                f"{'LR'[track.person]}{'*' if track.person in shot.speakers else ''} {track.verdict}"
                f"{' ' + track.reason if track.reason else ''} {track.score:.2f} {track.num_frames}"
                f"{' MIXED' if track.mixed else ''}"
                for track in shot.tracks
            )
            yield f"    {shot.name:14} {said}"
    plain = [shot for shot in shots if not shot.ambiguous]
    seen = with_speaker(shots)
    yield f"shots: {len(shots)}, with a wrong face: {sum(shot.wrong for shot in shots)}"
    dubbed = sum(shot.whole for shot in seen) / len(seen)
    yield f"unambiguous shots with a speaker: {len(seen)}, dubbed whole: {dubbed:.3f}"
    yield f"unambiguous shots: {len(plain)}, right: {sum(shot.whole for shot in plain) / len(plain):.3f}"
    dubbed_tracks = [track for shot in plain for track in shot.tracks if track.verdict == Verdict.DUB]
    painted, astray = (sum(getattr(track, name) for track in dubbed_tracks) for name in ("num_painted", "num_astray"))
    yield f"frames painted: {painted}, while another one speaks: {astray}"
    yield from identity_lines(shots)
    yield f"tracks that mix people: {sum(track.mixed for shot in shots for track in shot.tracks)}"
    yield f"cuts: {len(cuts)}, found {len(cuts & found_cuts)}, more {len(found_cuts - cuts)}"


def sheet_of(film: dict[str, Any]) -> pa.Table:
    """LINE rows as the film's cue sheet would have them: who says what is seen to be said. Voices off have none."""
    lines, before = [], 0
    for shot in film["shots"]:
        for side, person in enumerate(shot["people"]):
            for span_s in person["speaks_s"]:
                start, end = (round((before / FRAME_RATE + at_s) * STEM_RATE_HZ) for at_s in span_s)
                who = _member(person["cast"], side)
                lines.append({"character": who.upper(), "start_sample": start, "end_sample": end})
        before += shot["num_frames"]
    nothing = dict.fromkeys(LINE.names)
    return pa.Table.from_pylist([nothing | {"line_id": str(at)} | line for at, line in enumerate(lines)], schema=LINE)


def _with_sheets(shots: pa.Table, truth: list[dict[str, Any]], store: ObjectStore) -> pa.Table:
    """The shots as if the dub of each film had come as a cue sheet."""
    places = {}
    for film in truth:
        sheet = sheet_of(film)
        key = content_key("benchmark-sheet", 1, {"lines": sheet.to_pylist()})
        places[film["title"]] = store.put_table(key, sheet)
    rows = [row | {"lines_uri": places[row["title"]]} for row in shots.to_pylist()]
    return pa.Table.from_pylist(rows, schema=shots.schema)


def planned_shots(catalog: Path, store: str, settings: list[str], sheets_of: list[dict[str, Any]]) -> pa.Table:
    """PLANNED_SHOT of a catalog, its tracks in a store; as with cue sheets where films are named for it."""
    prepare_ray(None)  # before anything imports Ray
    from jobs.dub_pipeline import open_pipeline
    from jobs.intake import take_in
    from jobs.progress import Silence

    pipeline = open_pipeline(store, Path(store), "bundled:small", settings)
    intake = take_in(catalog, Silence(), store)
    with pipeline.running():
        shots = pipeline.analyse(intake.films, Silence()).shots
        return pipeline.plan(_with_sheets(shots, sheets_of, ObjectStore(store)) if sheets_of else shots)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", type=Path, help="what jobs.people_films wrote")
    parser.add_argument("--store", help="where intermediates are kept; a second run finds them")
    parser.add_argument("--sheets", action="store_true", help="as if each dub came as a cue sheet with characters")
    parser.add_argument("--least", type=float, default=0.9, help="of the shots with a speaker that are dubbed whole")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    truth = json.loads((chosen.films / "truth.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        sheets_of = truth if chosen.sheets else []
        planned = planned_shots(chosen.films / "catalog.csv", chosen.store or folder, chosen.settings, sheets_of)
        shots = list(judged_shots(planned, truth))
    found = {(row["title"], _frame(row, row["shot_start_pts"])) for row in planned.to_pylist()}
    starts = {
        (film["title"], sum(shot["num_frames"] for shot in film["shots"][:index]))
        for film in truth
        for index in range(len(film["shots"]))
    }
    print(*report(shots, found, starts), sep="\n")
    sys.exit(not all_hold(claims(shots, found, starts, chosen.least)))


if __name__ == "__main__":
    main()
