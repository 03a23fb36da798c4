"""A report needs no other file, and a title cannot break out of it."""

from html.parser import HTMLParser

from jobs.delivered_sound import sound_metrics
from jobs.film_review import FramePair, TrackSheet
from jobs.line_section import line_section
from jobs.portraits import Portrait
from jobs.report import ReportPictures, film_report, shots_by_reason
from jobs.tally import StageCount
from schemas.line import HEARD_LINE, LINE
from schemas.sound import SOUND

HEARD = [field.name for field in HEARD_LINE]
FILM = {
    "title": "<script>alert(1)</script>",
    "language": "de",
    "failure": None,
    "num_shots": 4,
    "num_shots_dubbed": 2,
    "num_frames": 100,
    "num_frames_changed": 30,
    "num_frames_copied": 60,
}
PLAN_ROW = {
    "shot_index": 0,
    "track_index": 0,
    "person": "<b>Ana</b>",
    "start": "00:00:00.000",
    "end": "00:00:01.000",
    "verdict": "dub",
    "reason": None,
    "measured": None,
    "speaking_score": 0.9,
    "face_height_px": 60.0,
    "frames_to_paint": 20,
}
PERSON = {
    "person": "<b>Ana</b>",
    **dict.fromkeys(("num_shots", "num_tracks", "num_dub", "num_review", "num_leave", "frames_to_paint"), 1),
    **dict.fromkeys(("seen_s", "heard_s"), 2.5),
}


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("src", "href")]


def parsed(html: str) -> Links:
    links = Links()
    links.feed(html)
    return links


def test_every_picture_is_inside_the_page() -> None:
    sheet = TrackSheet(shot_index=1, track_index=0, png=b"png")
    pair = FramePair(shot_index=1, before=b"a", after=b"b")
    heads = [Portrait(person="<b>Ana</b>", picture=b"jpeg")]
    pictures = ReportPictures(timeline=b"png", people=heads, sheets=[sheet], frames=[pair])
    links = parsed(film_report(FILM, [PLAN_ROW], [PERSON], {"paint": StageCount(done=1)}, pictures))

    assert len(links.targets) == 5
    assert "b" not in links.tags
    assert all(target.startswith("data:image/") for target in links.targets)


def test_a_title_is_text_and_not_markup() -> None:
    assert "script" not in parsed(film_report(FILM, [], [], {}, ReportPictures())).tags


def test_lines_of_a_cue_sheet_are_told_with_their_flaws_and_are_text() -> None:
    nothing = dict.fromkeys(LINE.names)
    good = nothing | {"line_id": "17", "character": "<b>Ana</b>", "text": "Yes.", "start_sample": 62 * 48_000 + 480}
    bad = nothing | {"line_id": "18", "flaw": "bad_time", "detail": "a line begins at 0 or later"}

    page = film_report(FILM, [], [], {}, ReportPictures(), lines=[good | {"tempo": 1.1}, bad])

    assert "2 lines, 1 with flaws" in page
    assert "<td>00:01:02.010</td>" in page
    assert "<td>a line begins at 0 or later</td>" in page
    assert "b" not in parsed(page).tags
    assert "<h2>Lines</h2>" not in film_report(FILM, [], [], {}, ReportPictures())


def test_lines_of_a_script_and_the_sounds_of_a_delivery_are_told() -> None:
    heard = dict.fromkeys(HEARD) | {
        "line_index": 0,
        "line_id": "17",
        "character": "Ana",
        "text": "<b>Yes.</b>",
        "doubt": "other_words",
    }
    heard |= {"start": 16_000 * 12, "heard": "No.", "word_error_rate": 1.0}
    words = {"word_error_rate": 1.0, "words_expected": 1, "speech_outside_lines_s": 2.5}
    sound = dict.fromkeys(SOUND.names) | {"role": "delivered", "integrated_lufs": -23.04, "flaws": []}
    track = {"mix": "in_centre", "layout": "5.1", "sample_rate_hz": 48_000, "codec": "aac", "peak": 1.26}
    manifest = {"heard_lines": [heard], "words": words, "sounds": [sound], "dub_track": track, "conform": None}
    film = FILM | {"start_pts": 250, "time_base": {"num": 1, "den": 25}}

    page = film_report(film, [], [], {}, ReportPictures(), manifest=manifest)

    assert "1 lines, 0 with flaws, 1 to be looked at. Of 1 words 100% are not heard as they are written. 2.5 s" in page
    assert "<td>Ana</td>" in page
    assert "<td>00:00:02.000</td>" in page  # from the film's first frame
    assert "in place of the centre of the film&#x27;s own sound: 5.1, 48000 Hz, aac." in page
    assert "+2.0 dB over full scale" in page
    assert '<td class="number">-23.04</td>' in page
    assert "b" not in parsed(page).tags


def test_what_was_recognised_is_told_as_no_script() -> None:
    found = {"words_timed": 2, "shots": [{"shot_index": 1, "text": "<b>Hola</b> a todos."}]}
    manifest = {"recognised": found, "shots": [{"shot_index": 1, "start": "00:00:04.000"}]}

    section = line_section([], manifest, FILM)

    assert "<h2>Recognised</h2><p>This is no script: nobody gave a text." in section
    assert "2 of its words have times" in section
    assert "<td>00:00:04.000</td><td>&lt;b&gt;Hola&lt;/b&gt; a todos.</td>" in section
    assert line_section([], {"recognised": None}, FILM) == ""
    assert sound_metrics(manifest) == {"recognised_words_timed": 2.0}


def test_a_film_that_was_not_delivered_says_why() -> None:
    assert "Not delivered: disk &amp; full" in film_report(
        FILM | {"failure": "disk & full"}, [], [], {}, ReportPictures()
    )


def test_tracks_are_counted_by_reason() -> None:
    rows = [PLAN_ROW, PLAN_ROW | {"reason": "no_face"}, PLAN_ROW | {"reason": "no_face"}]
    assert shots_by_reason(rows) == {"dubbed": 1, "no_face": 2}


def test_a_dub_without_a_frame_to_paint_is_not_counted_as_dubbed() -> None:
    assert shots_by_reason([PLAN_ROW, PLAN_ROW | {"frames_to_paint": 0}]) == {"dubbed": 1, "nothing_to_paint": 1}


def test_a_face_that_a_person_dubs_by_hand_is_counted_as_dubbed() -> None:
    dubbed = PLAN_ROW | {"verdict": "dub", "reason": "by_hand"}
    rows = [dubbed, dubbed | {"frames_to_paint": 0}, dubbed | {"verdict": "leave", "frames_to_paint": 0}]
    assert shots_by_reason(rows) == {"dubbed": 1, "nothing_to_paint": 1, "by_hand": 1}
