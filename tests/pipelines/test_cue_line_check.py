"""Each line of a dub is looked for where it is to be heard: its words, whether it speaks, what else speaks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jobs.demo_lines import LINES
from jobs.dub_notices import dub_notices
from pipelines import recognised
from pipelines.align import AlignDub
from pipelines.heard_film import heard_lines_of, recognised_summary, words_summary
from pipelines.line_check import WordsConfig, is_borne_out
from pipelines.media.sound import read_mono, write_wav
from pipelines.shots import DetectShots
from pipelines.spoken_lines import ScriptChangedError, said, spoken_lines
from pipelines.stage import Row
from pipelines.storage import file_digest
from pipelines.words import word_error_rate
from schemas.timing import ANALYSIS_RATE_HZ as RATE
from tests.film_rows import film_row
from tests.synthetic import FilmSpec, make_film

TEXTS = {line.name: line.text for line in LINES}
PLACES_S = {"lecturer": 1.0, "psychology": 5.0}  # the first one crosses the cut at 2 s
FRAMES, CUT = 250, 50
START_FRAME = 100


def script(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(lines))
    return path


def line(name: str, start_s: float, end_s: float, text: str | None = None) -> dict[str, Any]:
    return {"id": name, "start": start_s, "end": end_s, "text": text or TEXTS[name]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of two shots whose picture begins late, and a dub of two Spanish takes."""
    folder = tmp_path_factory.mktemp("lines")
    make_film(folder / "film.mp4", FilmSpec(num_frames=FRAMES, cuts=(CUT,), start_frame=START_FRAME, languages=()))
    stem = np.zeros(FRAMES * RATE // 25, np.float32)
    for name, start_s in PLACES_S.items():
        take = read_mono(next(line.take for line in LINES if line.name == name))
        first = round(start_s * RATE)
        stem[first : first + len(take)] = take
    write_wav(folder / "dub.wav", stem, RATE)
    return folder


def heard(
    folder: Path,
    lines: list[dict[str, Any]],
    name: str = "script.json",
    words: WordsConfig | None = None,
    **changes: Any,
) -> list[Row]:
    """The shots of the film with this script."""
    film = make_film(
        folder / "film.mp4", FilmSpec(num_frames=FRAMES, cuts=(CUT,), start_frame=START_FRAME, languages=())
    )
    place = script(folder / name, lines)
    facts = {"script_uri": str(place), "script_digest": file_digest(place), "language": "es"} | changes
    row = film_row(film, folder / "dub.wav", dub_digest=file_digest(folder / "dub.wav"), **facts)
    films = pa.Table.from_pylist([row], schema=DetectShots.consumes)
    store = str(folder / "store")
    return list(AlignDub(store, words=words)(DetectShots(store)(films)).to_pylist())


RIGHT = [line("lecturer", 1.0, 3.6), line("psychology", 5.0, 8.5)]


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_lines_that_are_spoken_as_written_have_words_in_their_shots_and_no_doubt(folder: Path) -> None:
    first, second = heard(folder, RIGHT)

    lines = heard_lines_of([second, first])
    assert [(one["line_id"], one["doubt"]) for one in lines] == [("lecturer", None), ("psychology", None)]
    assert all(one["word_error_rate"] <= 0.2 and abs(one["start_error_s"]) < 0.2 for one in lines)
    assert all(one["speech_s"] > 1 for one in lines)
    zero = START_FRAME * RATE // 25
    cut = zero + CUT * RATE // 25
    assert lines[0]["start"] == zero + RATE
    words = [word for shot in (first, second) for word in shot["dub_words"]]
    assert " ".join(word["text"] for word in words) == f"{TEXTS['lecturer']} {TEXTS['psychology']}"
    assert all(zero + RATE <= word["start"] < cut for word in first["dub_words"])
    assert all(word["start"] >= cut for word in second["dub_words"])
    assert second["dub_words"][0]["line_index"] == 0  # of the line that crosses the cut
    assert f"{first['dub_text']} {second['dub_text']}" == f"{TEXTS['lecturer']} {TEXTS['psychology']}"
    assert not any(word["recognised"] for word in words)
    assert first["unlined_speech_s"] == second["unlined_speech_s"] == 0
    summary = words_summary([first, second])
    assert summary is not None
    assert (summary["lines"], summary["lines_to_look_at"], summary["words_timed"]) == (2, 0, len(words))
    assert dub_notices([first, second]) == []


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_what_is_not_as_written_is_named(folder: Path) -> None:
    wrong = [
        line("lecturer", 1.0, 3.6, "Nadie vino ayer a la estaci\u00f3n con nosotros."),
        line("nothing", 3.9, 4.7, "Buenas noches a todos ustedes."),
        line("psychology", 4.0, 8.5),
        line("backward", 9.0, 8.0, "Nunca."),
        line("beyond", 700.0, 701.0, "Nunca."),
        line("door", 2.0, 3.0, "[Se cierra una puerta]"),
    ]

    shots = heard(folder, wrong, "wrong.json")

    doubts = {one["line_id"]: one["doubt"] for one in heard_lines_of(shots)}
    assert doubts == {
        "lecturer": "other_words",
        "nothing": "no_speech",
        "psychology": "not_in_time",
        "backward": "bad_time",
        "beyond": "after_film",
    }
    told = dub_notices(shots)
    assert [notice.split(": ")[0] for notice in told] == [f"line {name}" for name in doubts]
    assert "nobody speaks in its place" in told[1]
    assert "s late" in told[2]


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_speech_outside_all_lines_is_measured(folder: Path) -> None:
    first, second = heard(folder, [line("lecturer", 1.0, 3.6)], "one.json")

    spoken = sum(one["end"] - one["start"] for one in second["dub_speech"]) / RATE
    own = words_summary([first, second])
    assert own is not None
    assert 1 < own["speech_outside_lines_s"] < spoken
    assert heard(folder, RIGHT, words=WordsConfig(align=False, hear=False))[0]["dub_words"] == []


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
@pytest.mark.parametrize(("language", "is_named"), [("de", True), ("es-419", False), ("tlh", False)])
def test_a_dub_in_another_language_than_the_catalog_s_is_named(folder: Path, language: str, is_named: bool) -> None:
    shots = heard(folder, [], f"{language}.json", language=language, script_uri=None, script_digest=None)

    named = [notice for notice in dub_notices(shots) if "heard in another language, es" in notice]
    assert bool(named) is is_named
    assert [shot["dub_lines"] for shot in shots] == [[], []]


RECOGNISED = WordsConfig(recognise=True, hear=False)


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_a_dub_whose_text_nobody_gave_is_recognised_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = {"script_uri": None, "script_digest": None}
    shots = heard(folder, [], "none.json", words=RECOGNISED, **nothing)

    first, second = shots
    cut = START_FRAME * RATE // 25 + CUT * RATE // 25
    assert all(word["start"] < cut for word in first["dub_words"])
    assert all(word["start"] >= cut for word in second["dub_words"])
    words = [word for shot in shots for word in shot["dub_words"]]
    assert {(word["recognised"], word["line_index"]) for word in words} == {(True, None)}
    text = f"{first['recognised_text']} {second['recognised_text']}"
    assert [word["text"] for word in words] == text.split()
    assert (word_error_rate(f"{TEXTS['lecturer']} {TEXTS['psychology']}", text, "es") or 0) <= 0.25  # names of towns
    assert [shot["dub_text"] for shot in shots] == [None, None]
    assert (heard_lines_of(shots), words_summary(shots)) == ([], None)
    assert (recognised_summary(shots) or {})["words_timed"] == len(words)

    monkeypatch.setattr(recognised, "listened", None)
    assert heard(folder, [], "none.json", words=RECOGNISED, **nothing) == shots


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_nothing_is_recognised_unasked_or_where_texts_are_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognised, "listened", None)
    unasked = heard(folder, [], "none.json", script_uri=None, script_digest=None, words=WordsConfig(hear=False))
    given = heard(folder, RIGHT, words=RECOGNISED)

    assert [shot["recognised_text"] for shot in (*unasked, *given)] == [None] * 4
    assert [shot["dub_words"] for shot in unasked] == [[], []]
    assert recognised_summary(unasked) is None


def test_a_script_is_a_sheet_without_takes_and_its_lines_reach_to_the_next(tmp_path: Path) -> None:
    sheet = tmp_path / "script.srt"
    sheet.write_text("1\n00:00:01,000 --> 00:00:02,500\nANA: Hola.\n\n2\n00:00:04,000 --> 00:00:05,000\nAdi\u00f3s.\n")
    table = tmp_path / "script.csv"
    table.write_text("start,text\n1,Hola.\n-3,Nunca.\n4,Adi\u00f3s.\n")

    of_sheet, of_table = (spoken_lines(None, str(path), file_digest(path)) for path in (sheet, table))

    assert [(one.line_id, one.character, one.text, one.start, one.end) for one in of_sheet] == [
        ("1", "ANA", "Hola.", RATE, 2.5 * RATE),
        ("2", None, "Adi\u00f3s.", 4 * RATE, 5 * RATE),
    ]
    assert [(one.line_index, one.start, one.end, one.doubt) for one in of_table] == [
        (0, RATE, 4 * RATE, None),
        (1, 0, 0, "bad_time"),
        (2, 4 * RATE, 19 * RATE, None),
    ]
    with pytest.raises(ScriptChangedError):
        spoken_lines(None, str(table), "0" * 64)
    assert spoken_lines(None, None, None) == []


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_a_line_that_is_spoken_early_is_heard_whole_and_named(folder: Path) -> None:
    shots = heard(folder, [line("lecturer", 1.7, 3.6), line("psychology", 5.0, 8.5)], "early.json")

    early, _ = heard_lines_of(shots)

    assert early["doubt"] == "not_in_time"
    assert early["start_error_s"] == pytest.approx(-0.7, abs=0.15)
    assert early["word_error_rate"] <= 0.3
    assert "s early" in dub_notices(shots)[0]
    assert shots[0]["dub_words"][0]["text"] == "Soy"


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_a_line_inserted_before_others_does_not_let_them_be_listened_to_again(folder: Path) -> None:
    heard(folder, RIGHT)
    before = {path for path in (folder / "store").rglob("*") if path.is_file()}
    more = {"id": "first", "start": 0.2, "end": 0.4, "text": "No."}

    shots = heard(folder, [more, *RIGHT], "more.json")

    assert [one["line_index"] for one in heard_lines_of(shots)] == [0, 1, 2]
    assert {path for path in (folder / "store").rglob("*") if path.is_file()} == before


def test_what_of_a_subtitle_is_not_spoken_is_not_expected() -> None:
    assert said("<i>Hello</i> {\\an8}there (laughs)") == "Hello there"
    assert said("[Door slams]") is None
    assert said("\u266a La la \u266a") == "La la"
    assert said(None) is None


@pytest.mark.parametrize(
    ("source", "heard", "rate", "num_words", "language", "kept"),
    [
        ("pocketsphinx", "Quite another line.", 1.0, 4, "es", False),
        ("pocketsphinx", "OK.", 1.0, 1, "es", True),  # of one word a wrong one says little
        ("pocketsphinx", None, 0.0, 5, "es", False),  # nothing is heard: other words would be found as well
        ("pocketsphinx", None, 0.0, 5, "en-GB", True),
        ("pocketsphinx", "As it is written, nearly.", 0.25, 4, "de", True),
        ("whisper", "OK.", 1.0, 1, "es", False),
        ("whisper", None, 0.0, 5, "es", True),
    ],
)
def test_words_are_believed_where_the_line_is_heard_much_as_it_is_written(
    source: str, heard: str | None, rate: float, num_words: int, language: str, kept: bool
) -> None:
    assert is_borne_out(source, heard, rate, num_words, language) == kept
