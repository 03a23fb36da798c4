"""report.html: one self-contained page a film, for the person who decides whether it may be delivered."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from jobs.cost import PLAN_HEADS
from jobs.delivered_picture import picture_section
from jobs.delivered_sound import Manifest, sound_section
from jobs.film_review import FramePair, TrackSheet
from jobs.gate_section import gate_section
from jobs.html_table import html_table
from jobs.line_section import line_section
from jobs.portraits import Portrait
from jobs.tally import StageCount
from pipelines.stage import Row
from schemas.reason import Reason, Verdict

NOTHING_TO_PAINT = "nothing_to_paint"
_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width">
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem; color: #1c1c1c }
h1 { margin-bottom: 0 } h2 { margin-top: 2.2rem; border-bottom: 1px solid #ccc }
.wide { overflow-x: auto }
table { border-collapse: collapse } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top }
th { border-bottom: 1px solid #ccc; font-weight: 600 } td.number { text-align: right }
figure { margin: 1rem 0 } figcaption { color: #555 } img { max-width: 100% }
.pair { display: flex; gap: 4px } .pair img { width: 50% }
.people { display: flex; flex-wrap: wrap; gap: 1rem } .people figure { margin: 0 }
.failed { color: #a00; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } figcaption { color: #aaa } }
</style></head><body>
<h1>$title</h1><p>$summary</p>$notice
<h2>Timeline</h2>$timeline
<h2>People, as planned</h2>$people
$lines$picture$sound$gate
<h2>Why shots keep their original picture</h2>$reasons
<h2>Before and after</h2>$frames
<h2>Painted mouths</h2>$sheets
<h2>Shots and face tracks</h2><div class="wide">$plan</div>
<h2>Time by stage</h2>$stages
</body></html>
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportPictures:
    """The pictures of a report.

    Attributes:
        timeline: PNG; empty where there is none.
        people: what everybody looks like.
        sheets: contact sheets of the painted tracks.
        frames: whole frames, before and after.
    """

    timeline: bytes = b""
    people: Sequence[Portrait] = ()
    sheets: Sequence[TrackSheet] = ()
    frames: Sequence[FramePair] = ()


def film_report(
    film: Row,
    plan: Sequence[Row],
    people: Sequence[Row],
    stages: Mapping[str, StageCount],
    pictures: ReportPictures,
    notice: str = "",
    lines: Sequence[Row] = (),
    manifest: Manifest | None = None,
) -> str:
    """The page; everything in it is escaped, every picture is a data URI.

    Args:
        film: DUBBED_FILM.
        plan: PLAN rows of the film, with the reasons that its shots have in the end.
        people: PEOPLE rows of the film.
        stages: what each stage did.
        pictures: to show.
        notice: what a person must know first, such as shots that could not be worked on.
        lines: LINE rows of the film's cue sheet.
        manifest: of the delivery.
    """
    return _PAGE.substitute(
        title=escape(f"{film['title']} \u2013 {film['language']}"),
        summary=_summary(film),
        notice=f'<p class="failed">{escape(notice)}</p>' if notice else "",
        timeline=_timeline(pictures.timeline),
        people=_people(people, pictures.people),
        lines=line_section(lines, manifest or {}, film),
        sound=sound_section(manifest or {}),
        picture=picture_section(manifest or {}),
        gate=gate_section(manifest or {}),
        reasons=_reasons(plan),
        frames="".join(_frame_pair(pair) for pair in pictures.frames) or "<p>No picture was changed.</p>",
        sheets="".join(_sheet(sheet) for sheet in pictures.sheets) or "<p>Nothing was painted.</p>",
        plan=_plan(plan),
        stages=_stages(stages),
    )


def shots_by_reason(plan: Sequence[Row]) -> Counter[str]:
    """How many face tracks, and shots without one, have which reason.

    Those with none, and those that a person dubs by hand, are `dubbed`, or `nothing_to_paint` where a person's dub has
    no frame to paint.
    """
    return Counter(_counted_as(row) for row in plan)


def _counted_as(row: Row) -> str:
    is_dubbed = not row["reason"] or (row["verdict"], row["reason"]) == (Verdict.DUB, Reason.BY_HAND)
    if not is_dubbed:
        return str(row["reason"])
    return "dubbed" if row["frames_to_paint"] else NOTHING_TO_PAINT


def _summary(film: Row) -> str:
    if film["failure"]:
        return f'<span class="failed">Not delivered: {escape(str(film["failure"]))}</span>'
    return escape(
        f"{film['num_shots_dubbed']} of {film['num_shots']} shots have a painted mouth; "
        f"{film['num_frames_changed']} of {film['num_frames']} frames are changed, "
        f"{film['num_frames_copied']} are the film's own to the bit."
    )


def _timeline(png: bytes) -> str:
    words = "Shots, speech, and the faces of each person with what was planned for them"
    return f"<figure>{_image(png, 'png', words)}<figcaption>{words}</figcaption></figure>" if png else "<p>None.</p>"


def _people(people: Sequence[Row], portraits: Sequence[Portrait]) -> str:
    """Faces with names, then the figures of each."""
    if not people:
        return "<p>Nobody was recognised.</p>"
    faces = "".join(
        f"<figure>{_image(one.picture, 'jpeg', one.person)}<figcaption>{escape(one.person)}</figcaption></figure>"
        for one in portraits
    )
    columns = ["person", "num_shots", "num_tracks", "seen_s", "heard_s", "num_dub", "num_review", "num_leave"]
    heads = ["person", "shots", "faces", "seen, s", "heard, s", "dub", "review", "leave", "frames to paint"]
    rows = [[row[name] for name in [*columns, "frames_to_paint"]] for row in people]
    return f'<div class="people">{faces}</div>{html_table(heads, rows)}'


def _reasons(plan: Sequence[Row]) -> str:
    counts = shots_by_reason(plan)
    return html_table(
        ["reason", "face tracks and empty shots"], [[name, count] for name, count in counts.most_common()]
    )


def _plan(plan: Sequence[Row]) -> str:
    return html_table(list(PLAN_HEADS.values()), [[row[name] for name in PLAN_HEADS] for row in plan])


def _stages(stages: Mapping[str, StageCount]) -> str:
    rows = [
        [name, count.done, count.cached, count.num_frames, count.seconds, count.peak_mib]
        for name, count in stages.items()
    ]
    return html_table(["stage", "pieces", "found done", "frames", "seconds of work", "peak memory, MiB"], rows)


def _sheet(sheet: TrackSheet) -> str:
    words = f"Shot {sheet.shot_index}, face {sheet.track_index}: source, painted, difference x4"
    return f"<figure>{_image(sheet.png, 'png', words)}<figcaption>{words}</figcaption></figure>"


def _frame_pair(pair: FramePair) -> str:
    words = f"Shot {pair.shot_index}: source, delivered"
    images = _image(pair.before, "jpeg", f"{words} (source)") + _image(pair.after, "jpeg", f"{words} (delivered)")
    return f'<figure><div class="pair">{images}</div><figcaption>{words}</figcaption></figure>'


def _image(data: bytes, kind: str, words: str) -> str:
    return f'<img alt="{escape(words)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
