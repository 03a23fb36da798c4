"""A cue sheet says the same in every form, and a flaw of a line is the line's alone."""

import json
import re
import unicodedata
from fractions import Fraction
from pathlib import Path

import pytest

from pipelines.cue_cells import CueSheetError
from pipelines.cue_sheet import cue_lines, flaws_in_words, sheet_digest, takes_of
from schemas.reason import LineFlaw


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "takes").mkdir()
    for name in ("a", "b"):
        (tmp_path / "takes" / f"{name}.wav").write_bytes(name.encode())
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


CSV = """character,id,take,start,end,text
ANA,17,takes/a.wav,62.48,00:01:04.200,"No, no lo sé."
,18,takes/b.wav,00:01:05,,
"""
SRT = """17
00:01:02,480 --> 00:01:04,200
ANA: No,
no lo sé.
take: takes/a.wav

18
00:01:05,000 --> 00:01:06,000
Take: takes/b.wav
"""


def test_the_three_forms_say_the_same(folder: Path) -> None:
    lines = [
        {"id": 17, "character": "ANA", "start": 62.48, "end": 64.2, "text": "No, no lo sé.", "take": "takes/a.wav"},
        {"id": 18, "character": None, "start": 65, "take": "takes/b.wav"},
    ]
    sheets = [
        write(folder, "sheet.csv", "\ufeff" + CSV),
        write(folder, "list.json", json.dumps(lines)),
        write(folder, "object.json", json.dumps({"lines": lines})),
        write(folder, "sheet.srt", SRT.replace("\n", "\r\n")),
    ]

    first, *others = [cue_lines(sheet) for sheet in sheets]

    assert (first[0].start_s, first[0].end_s) == (Fraction("62.48"), Fraction("64.2"))
    assert (first[0].character, first[0].text, first[0].take) == ("ANA", "No, no lo sé.", "takes/a.wav")
    assert (first[1].line_id, first[1].character, first[1].end_s, first[1].flaw) == ("18", None, None, None)
    assert [other[0] for other in others] == [first[0]] * 3
    assert [other[1].start_s for other in others] == [65] * 3


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("-1,2,takes/a.wav", LineFlaw.BAD_TIME),
        ("2,2,takes/a.wav", LineFlaw.BAD_TIME),
        ("3,2,takes/a.wav", LineFlaw.BAD_TIME),
        ("soon,2,takes/a.wav", LineFlaw.BAD_TIME),
        ("1,01:00:00:12,takes/a.wav", LineFlaw.BAD_TIME),
        ("00:75:00,,takes/a.wav", LineFlaw.BAD_TIME),
        (f"1,{'9' * 20},takes/a.wav", LineFlaw.BAD_TIME),
        (f"1,{'9' * 5000},takes/a.wav", LineFlaw.BAD_TIME),
        ("1,1e9,takes/a.wav", LineFlaw.BAD_TIME),
        (f"1,2,{'so many words ' * 30}", LineFlaw.MISSING_TAKE),
        ("1,2,../takes/a.wav", LineFlaw.MISSING_TAKE),
        ("1,2,/etc/hostname", LineFlaw.MISSING_TAKE),
        (",,takes/a.wav", LineFlaw.BAD_TIME),
        ("1,2,", LineFlaw.MISSING_TAKE),
        ("1,2,takes/c.wav", LineFlaw.MISSING_TAKE),
        ("1,2,takes", LineFlaw.MISSING_TAKE),
        ("1,2,https://example.org/a.wav", LineFlaw.MISSING_TAKE),
        ("1", LineFlaw.MISSING_TAKE),
    ],
)
def test_a_line_with_a_flaw_is_named_and_the_others_stay(folder: Path, line: str, flaw: LineFlaw) -> None:
    good, bad = cue_lines(write(folder, "sheet.csv", f"start,end,take\n0,1,takes/b.wav\n{line}\n"))

    assert good.flaw is None
    assert (bad.line_id, bad.flaw) == ("2", flaw)
    assert bad.detail
    assert list(takes_of(folder / "sheet.csv", [good, bad])) == ["takes/b.wav"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("sheet.txt", "start,take\n", ".csv, .json or .srt"),
        ("sheet.csv", "", "start and take at least"),
        ("sheet.csv", "start,take\n", "no lines"),
        ("sheet.csv", "begin,take\n0,takes/a.wav\n", "got begin, take"),
        ("sheet.csv", "start,take\n-1,takes/a.wav\n0,takes/c.wav\n", "line 2: there is no file takes/c.wav"),
        ("sheet.json", "{", "no JSON"),
        ("sheet.json", '{"line": []}', "a list of objects"),
        ("sheet.json", '[{"start": 0, "file": "takes/a.wav"}]', "got start, file"),
        ("sheet.srt", "hello", "none of its lines"),
        ("sheet.json", "[" * 100_000, "cannot be read"),
        ("sheet.csv", 'start,take\n0,"takes/a.wav\n', "cannot be read"),
        ("sheet.csv", f"{'x' * 200_000},take\n", "cannot be read"),
        ("sheet.csv", "start,take\n" + "0,takes/a.wav\n" * 20_001, "more than 20,000 lines"),
    ],
)
def test_a_sheet_of_which_nothing_can_be_placed_is_refused(folder: Path, name: str, text: str, words: str) -> None:
    with pytest.raises(CueSheetError, match=re.escape(words)):
        cue_lines(write(folder, name, text))


def test_numbers_and_words_are_taken_as_other_programs_write_them(folder: Path) -> None:
    (folder / "takes" / unicodedata.normalize("NFD", "\u00e1\u3000b.wav")).write_bytes(b"a")
    lines = [
        {"start": 5e-05, "end": "2,5", "take": "takes/a.wav", "text": "cut \ud83d"},
        {"start": 1e1, "take": unicodedata.normalize("NFC", "takes/\u00e1\u3000b.wav")},
    ]

    first, second = cue_lines(write(folder, "sheet.json", json.dumps(lines)))

    assert (first.start_s, first.end_s, first.text) == (Fraction(1, 20_000), Fraction(5, 2), "cut ?")
    assert (second.start_s, second.flaw) == (10, None)
    assert takes_of(folder / "sheet.json", [second])[second.take or ""].is_file()


@pytest.mark.parametrize("take", ["a.wave", "a.mp2", "a.dts", "a.WV", "reel.1/a.m2ts", "the first.wav"])
def test_a_take_of_an_srt_is_a_take_whatever_its_ending(folder: Path, take: str) -> None:
    (folder / take).parent.mkdir(exist_ok=True)
    (folder / take).write_bytes(b"a")

    (line,) = cue_lines(write(folder, "sheet.srt", f"00:00:01,000 --> 00:00:02,000\nHola.\ntake: {take}"))

    assert (line.text, line.take) == ("Hola.", take)


@pytest.mark.parametrize("said", ["Take: one of these", "Take: this. And that", "Take: that...yes", "Take: it."])
def test_speech_of_an_srt_that_begins_as_a_take_stays_speech(folder: Path, said: str) -> None:
    (line,) = cue_lines(write(folder, "sheet.srt", f"00:00:01,000 --> 00:00:02,000\n{said}\ntake: takes/a.wav"))

    assert (line.text, line.take) == (said, "takes/a.wav")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["Par\u00eds: una ciudad."], [(None, "Par\u00eds: una ciudad.")]),
        (["OLD MAN: Go away."], [("OLD MAN", "Go away.")]),
        (["DR. L\u00d3PEZ: No.", "GUARD #2: Stop."], [("DR. L\u00d3PEZ", "No."), ("GUARD #2", "Stop.")]),
        (["\u0410\u041d\u041d\u0410: \u041d\u0435\u0442."], [("\u0410\u041d\u041d\u0410", "\u041d\u0435\u0442.")]),
        (
            ["\u00c1lvaro: Vete.", "No.", "\u00c1lvaro: Ya."],
            [("\u00c1lvaro", "Vete."), (None, "No."), ("\u00c1lvaro", "Ya.")],
        ),
        (
            ["What I mean is: go away.", "What I mean is: stay."],
            [(None, "What I mean is: go away."), (None, "What I mean is: stay.")],
        ),
        (["<i>ANA: hola</i>", "{\\an8}<b>ANA:</b> adi\u00f3s"], [("ANA", "hola"), ("ANA", "adi\u00f3s")]),
        (["- ANA: hola\n- LUIS: adi\u00f3s"], [(None, "hola adi\u00f3s")]),
        (["ANA: hola\nLUIS: adi\u00f3s", "LUIS: ya"], [(None, "hola adi\u00f3s"), ("LUIS", "ya")]),
        (["ANA: Para.\nOJO: no entres"], [("ANA", "Para. OJO: no entres")]),
        (
            ["ANA: Dice\nNOTA: mentira", "No.\nNOTA: s\u00ed"],
            [("ANA", "Dice NOTA: mentira"), (None, "No. NOTA: s\u00ed")],
        ),
        (["- ANA: hola\n- Adi\u00f3s"], [(None, "hola - Adi\u00f3s")]),
        (["- ANA: hola"], [("ANA", "hola")]),
        (["Son las 10: 30 minutos."], [(None, "Son las 10: 30 minutos.")]),
        (["Take: one of these"], [(None, "Take: one of these")]),
    ],
)
def test_words_before_a_colon_are_a_character_where_scripts_write_names_so(
    folder: Path, texts: list[str], said: list[tuple[str | None, str]]
) -> None:
    times = [f"00:00:0{at},000 --> 00:00:0{at},500" for at in range(len(texts))]
    blocks = [f"{time}\n{words}\ntake: takes/a.wav" for time, words in zip(times, texts, strict=True)]

    lines = cue_lines(write(folder, "sheet.srt", "\n\n".join(blocks)))

    assert [(line.character, line.text) for line in lines] == said
    assert [line.take for line in lines] == ["takes/a.wav"] * len(texts)


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("semicolons.csv", "id;start;end;text;take\n7;1,5;2,5;No, no;takes/a.wav\n", "utf-8"),
        ("sep.csv", "sep=;\r\nid;start;end;text;take\r\n7;1,5;2,5;No, no;takes/a.wav\r\n", "utf-8-sig"),
        ("tabs.csv", "id\tstart\tend\ttext\ttake\r\n7\t1.5\t2.5\tNo, no\ttakes/a.wav\r\n", "utf-16"),
        ("empty.csv", 'id,start,end,text,take,\n7,1.5,2.5,"No, no",takes/a.wav,\n', "utf-8-sig"),
        ("more.csv", 'Notes,"id",start,end,text,take\nx;y;z,7,1.5,2.5,"No, no",takes/a.wav\n', "utf-16"),
        ("slash.csv", 'id,start,end,text,take\n7,1.5,2.5,"No, no",takes\\a.wav\n', "utf-8"),
        ("upper.srt", "7\n00:00:01,500 --> 00:00:02,500\nNo, no\n  TAKE: takes/a.wav\n", "utf-16"),
        ("more.json", '[{"id":7,"start":1.5,"end":2.5,"text":"No, no","take":"takes/a.wav","reel":1}]', "utf-8"),
    ],
)
def test_a_sheet_is_read_as_other_programs_save_it(folder: Path, name: str, text: str, encoding: str) -> None:
    (folder / name).write_bytes(text.encode(encoding))

    (line,) = cue_lines(folder / name)

    assert (line.line_id, line.start_s, line.end_s, line.text) == ("7", Fraction(3, 2), Fraction(5, 2), "No, no")
    assert line.flaw is None
    assert list(takes_of(folder / name, [line]).values()) == [folder / "takes" / "a.wav"]


def test_takes_outside_the_folder_are_not_reached_by_the_other_slash_either(folder: Path) -> None:
    text = "start,take\n0,takes/a.wav\n1,..\\x\\takes\\a.wav\n2,\\\\host\\a.wav\n"
    _, above, away = cue_lines(write(folder, "sheet.csv", text))
    assert [line.flaw for line in (above, away)] == [LineFlaw.MISSING_TAKE] * 2
    assert "takes lie in the folder of their sheet" in (above.detail or "")
    assert "takes lie in the folder of their sheet" in (away.detail or "")


def test_all_rows_whose_cells_cannot_be_told_apart_are_told_together(folder: Path) -> None:
    rows = ["1,0,1,takes/a.wav,No, no", "2,1,2,takes/a.wav,Yes", "2,2,3,takes/a.wav,,,", "3,3,4,takes/a.wav,a,b,c"]
    with pytest.raises(CueSheetError) as refused:
        cue_lines(write(folder, "sheet.csv", "\n".join(["id,start,end,take,text", *rows])))

    assert str(refused.value).splitlines() == [
        "line 2 of the file has 6 cells under 5 columns: what holds a comma stands in quotes",
        "line 5 of the file has 7 cells under 5 columns: what holds a comma stands in quotes",
        "2 lines have the id '2', the 2. and the 3. among them: give each its own",
    ]


def test_rows_below_a_line_that_names_the_separator_are_told_by_their_line_of_the_file(folder: Path) -> None:
    with pytest.raises(CueSheetError, match="line 3 of the file has 3 cells under 2 columns"):
        cue_lines(write(folder, "sheet.csv", '"sep=;"\nstart;take\n0;takes/a.wav;x\n'))


def test_of_many_wrong_rows_the_first_are_told(folder: Path) -> None:
    with pytest.raises(CueSheetError) as refused:
        cue_lines(write(folder, "sheet.csv", "start,take\n" + "0,takes/a.wav,x\n" * 50))
    told = str(refused.value).splitlines()
    assert (len(told), told[-1]) == (21, "30 more rows are wrong")


def test_two_columns_of_one_name_are_refused(folder: Path) -> None:
    with pytest.raises(CueSheetError, match="two columns are called start"):
        cue_lines(write(folder, "sheet.csv", "start,Start ,take\n0,1,takes/a.wav\n"))


def test_lines_of_an_srt_without_a_blank_one_between_are_refused_and_not_one_text(folder: Path) -> None:
    with pytest.raises(CueSheetError, match="stands another time: a blank line parts it from the next"):
        cue_lines(write(folder, "sheet.srt", SRT.replace("wav\n\n", "wav\n")))


def test_counters_of_joined_reels_of_an_srt_name_no_line(folder: Path) -> None:
    lines = cue_lines(write(folder, "sheet.srt", SRT.replace("18\n", "17\n")))
    assert [line.line_id for line in lines] == ["1", "2"]


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "sheet.csv").write_bytes(b"start,take\n\xff\xfe,takes/a.wav\n")
    with pytest.raises(CueSheetError, match="not UTF-8"):
        cue_lines(folder / "sheet.csv")


def test_the_digest_is_of_the_sheet_and_of_what_its_takes_hold(folder: Path) -> None:
    sheet = write(folder, "sheet.csv", "start,take\n0,takes/a.wav\n1,takes/b.wav\n2,takes/gone.wav\n")
    before = sheet_digest(sheet)
    assert sheet_digest(sheet) == before

    a, b = folder / "takes" / "a.wav", folder / "takes" / "b.wav"
    a.write_bytes(b"b")
    b.write_bytes(b"a")
    exchanged = sheet_digest(sheet)
    sheet.write_text(sheet.read_text().replace("2,", "3,"))

    assert len({before, exchanged, sheet_digest(sheet)}) == 3


def test_of_many_flaws_the_first_are_told() -> None:
    lines = [{"line_id": str(number), "flaw": "missing_take", "detail": "no take"} for number in range(30)]

    told = flaws_in_words([*lines, {"line_id": "good", "flaw": None, "detail": None}])

    assert told[0] == "line 0: missing_take, no take"
    assert told[-1] == "10 more lines have flaws: see the manifest"
    assert len(told) == 21


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sheet.csv", "Line ID,Start,Take_File\n7,1.0,takes/a.wav\n"),
        ("sheet.json", '[{"line_id": 7, "start": 1.0, "take_file": "takes/a.wav"}]'),
    ],
)
def test_a_line_id_and_a_take_file_are_what_they_say(folder: Path, name: str, text: str) -> None:
    [line] = cue_lines(write(folder, name, text))

    assert (line.line_id, line.start_s, line.take) == ("7", 1, "takes/a.wav")
