"""Takes in their places: to the sample, added where they overlap, at a tempo that fits, and never the film's loss."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pytest
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from pipelines.cue_sheet import sheet_digest
from pipelines.media.sound import read_channels, write_wav
from pipelines.placed_take import TakeConfig, fitting_tempo
from pipelines.stage import check_chain
from pipelines.storage import read_table
from pipelines.takes import PlaceTakes, SheetChangedError, SheetUnheardError
from schemas.film import FILM
from schemas.line import STEM_RATE_HZ
from schemas.timing import rational
from tests.film_rows import film_row
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

Floats = NDArray[np.float32]

LEVEL = 0.25
FILM_S = 4


@pytest.fixture(scope="module", name="film")
def _film(tmp_path_factory: pytest.TempPathFactory) -> SyntheticFilm:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return make_film(path, FilmSpec(num_frames=25 * FILM_S, cuts=(), width_px=64, height_px=48))


def tone(seconds: float, hertz: float = 220.0, rate_hz: int = STEM_RATE_HZ) -> Floats:
    return (LEVEL * np.cos(2 * np.pi * hertz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def take(folder: Path, name: str, *parts: Floats, rate_hz: int = STEM_RATE_HZ, channels: int = 1) -> None:
    write_wav(folder / name, np.repeat(np.concatenate(parts)[None], channels, 0), rate_hz)


def silence(seconds: float) -> Floats:
    return np.zeros(round(seconds * STEM_RATE_HZ), np.float32)


def place(film: SyntheticFilm, folder: Path, text: str, **changes: Any) -> tuple[Floats, list[dict[str, Any]]]:
    """The stem [N], and what became of the lines."""
    sheet = folder / "sheet.csv"
    sheet.write_text(f"start,end,take\n{text}")
    row = film_row(film, sheet_uri=str(sheet), sheet_digest=sheet_digest(sheet), dub_kind="cue_sheet", **changes)
    stage = PlaceTakes(str(folder / "work"))
    (placed,) = stage(pa.Table.from_pylist([row], schema=FILM)).to_pylist()
    samples, rate_hz, layout = read_channels(Path(placed["dub_uri"]))
    assert (rate_hz, layout) == (STEM_RATE_HZ, "mono")
    return samples[0], read_table(placed["lines_uri"]).to_pylist()


def test_it_goes_before_the_cuts_and_leaves_other_films_as_they_are(film: SyntheticFilm, tmp_path: Path) -> None:
    check_chain([PlaceTakes])
    row = film_row(film)
    assert PlaceTakes(str(tmp_path))(pa.Table.from_pylist([row], schema=FILM)).to_pylist() == [row]


def test_a_take_lies_to_the_sample_where_its_line_begins_and_the_stem_is_as_long_as_the_film(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    take(tmp_path, "a.wav", silence(0.3), tone(1.0), silence(0.5))

    stem, (line,) = place(film, tmp_path, "1.5,,a.wav\n")

    assert stem.shape == (FILM_S * STEM_RATE_HZ,)
    expected = np.zeros_like(stem)
    expected[72_000 : 72_000 + STEM_RATE_HZ] = tone(1.0)
    np.testing.assert_allclose(stem, expected, atol=1e-6)
    assert (line["tempo"], line["heard_end_sample"], line["flaw"]) == (1.0, 120_000, None)


def test_where_takes_overlap_they_add_up_over_full_scale_and_nothing_is_normalised(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    take(tmp_path, "a.wav", 3.6 * tone(1.0))
    take(tmp_path, "b.wav", 3.6 * tone(1.0))

    stem, _ = place(film, tmp_path, "1,,a.wav\n1.25,,b.wav\n")

    expected = np.zeros(FILM_S * STEM_RATE_HZ)
    for start in (1.0, 1.25):
        expected[round(start * STEM_RATE_HZ) :][:STEM_RATE_HZ] += 3.6 * tone(1.0)
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(stem, expected, atol=1e-6)


def test_lines_in_any_order_of_any_rate_and_layout_and_across_blocks_give_the_same_stem(
    film: SyntheticFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(tmp_path, "a.wav", tone(1.0))
    take(tmp_path, "b.wav", tone(1.0, rate_hz=44_100), rate_hz=44_100, channels=2)
    stem, lines = place(film, tmp_path, "2.5,,b.wav\n0.5,,a.wav\n")
    monkeypatch.setattr("pipelines.takes.BLOCK_SAMPLES", 7_001)
    (tmp_path / "again").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / "again" / name).write_bytes((tmp_path / name).read_bytes())
    blocks, _ = place(film, tmp_path / "again", "0.5,,a.wav\n2.5,,b.wav\n")

    assert [line["start_sample"] for line in lines] == [120_000, 24_000]  # as the sheet has them
    np.testing.assert_array_equal(stem, blocks)
    heard = stem[120_480 : 120_000 + STEM_RATE_HZ - 480]
    assert np.corrcoef(heard, tone(1.0)[480:-480])[0, 1] > 0.999


def test_a_take_is_as_loud_in_one_channel_as_in_two_and_of_more_the_centre_or_the_first_is_heard(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    voice = tone(0.5)
    for name, gains in {
        "1": (1,),
        "2": (1, 1),
        "centre": (0.3, 0, 1, 0, 0, 0),
        "right": (0, 1, 0, 0, 0, 0),
        "counted": (0, 0, 0, 1, 0.5, 0, 0, 0, 0, 0, 0),
    }.items():
        write_wav(tmp_path / f"{name}.wav", np.array(gains, np.float32)[:, None] * voice, STEM_RATE_HZ)

    stem, lines = place(film, tmp_path, "0,,1.wav\n0.6,,2.wav\n1.2,,centre.wav\n1.8,,right.wav\n2.4,,counted.wav\n")

    heard = stem[: 3 * STEM_RATE_HZ].reshape(5, -1)
    assert [line["flaw"] for line in lines] == [None] * 5
    assert np.abs(heard).max(1) == pytest.approx([LEVEL] * 5, abs=1e-3)


def test_a_take_is_as_loud_as_its_one_channel_that_is_heard_and_opposed_channels_do_not_cancel_it(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    hiss = np.random.default_rng(0).normal(0, 10 ** (-65 / 20), (2, STEM_RATE_HZ // 2)).astype(np.float32)
    voice, gains = tone(0.5), {"left": (1, 0), "right": (0, 1), "bleed": (1, 0.008), "opposed": (1, -0.9)}
    for name, gain in gains.items():
        pair = np.array(gain, np.float32)[:, None] * voice + hiss
        write_wav(tmp_path / f"{name}.wav", pair, STEM_RATE_HZ)

    stem, lines = place(film, tmp_path, "".join(f"{at},,{name}.wav\n" for at, name in enumerate(gains)))

    heard = stem.reshape(FILM_S, -1)
    assert np.abs(heard).max(1) == pytest.approx([LEVEL] * 4, abs=3e-3)
    assert [line["flaw"] for line in lines] == [None, None, None, "opposed_channels"]
    assert "only the louder is heard" in lines[3]["detail"]


def test_room_tone_and_an_offset_before_a_word_are_not_the_word(film: SyntheticFilm, tmp_path: Path) -> None:
    room = np.random.default_rng(0).normal(0, 10 ** (-55 / 20), 3 * STEM_RATE_HZ).astype(np.float32)
    room[2 * STEM_RATE_HZ :] += tone(1.0)
    take(tmp_path, "a.wav", room)
    take(tmp_path, "b.wav", 0.002 + np.concatenate([silence(2.0), tone(0.5)]))

    stem, lines = place(film, tmp_path, "0.5,1.5,a.wav\n2.5,,b.wav\n")

    assert [line["flaw"] for line in lines] == [None, None]
    assert lines[0]["tempo"] == pytest.approx(1, abs=0.02)
    loud = np.flatnonzero(np.abs(stem) > LEVEL / 2) / STEM_RATE_HZ
    assert loud[0] == pytest.approx(0.5, abs=0.011)
    assert loud[loud > 2][0] == pytest.approx(2.5, abs=0.001)


def test_a_soft_consonant_before_a_word_is_kept_before_the_line(film: SyntheticFilm, tmp_path: Path) -> None:
    soft = 0.003 * tone(0.06)
    take(tmp_path, "a.wav", silence(0.5), soft, tone(1.0))

    stem, _ = place(film, tmp_path, "1,,a.wav\n")

    np.testing.assert_allclose(stem[STEM_RATE_HZ - len(soft) : STEM_RATE_HZ], soft, atol=1e-6)
    assert not stem[: STEM_RATE_HZ - len(soft)].any()


def test_a_click_before_a_word_moves_no_line_and_a_whisper_after_a_shout_is_heard_and_fills_no_place(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    room = np.random.default_rng(0).normal(0, 10 ** (-52 / 20), round(2.8 * STEM_RATE_HZ)).astype(np.float32)
    words = [silence(0.3), 0.4 * tone(0.012), silence(0.488), 2 * tone(1.0), silence(0.3), 0.03 * tone(0.5)]
    spoken = np.concatenate(words)
    take(tmp_path, "a.wav", room[: len(spoken)] + spoken)

    stem, (line,) = place(film, tmp_path, "1,2,a.wav\n")

    assert (line["flaw"], line["tempo"]) == (None, pytest.approx(1, abs=0.02))
    assert np.flatnonzero(np.abs(stem) > LEVEL)[0] / STEM_RATE_HZ == pytest.approx(1, abs=0.011)
    whisper = stem[round(2.4 * STEM_RATE_HZ) : round(2.75 * STEM_RATE_HZ)]
    assert np.sqrt(np.mean(whisper**2)) > 1.5 * np.sqrt(np.mean(room**2))


def test_a_take_that_was_cut_out_of_a_broadcast_is_no_longer_than_it_sounds(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    """Its stream's time begins at five minutes."""
    with av.open(str(tmp_path / "take.ts"), "w") as file:
        stream = file.add_stream("mp2", rate=STEM_RATE_HZ, layout="mono")
        frame = AudioFrame.from_ndarray((tone(0.5)[None] * 32767).astype(np.int16), "s16p", "mono")
        frame.sample_rate, frame.time_base = STEM_RATE_HZ, Fraction(1, STEM_RATE_HZ)
        frame.pts = 300 * STEM_RATE_HZ
        for part in (frame, None):
            file.mux(stream.encode(part))

    stem, (line,) = place(film, tmp_path, "1.5,,take.ts\n")

    assert line["flaw"] is None
    assert abs(int(np.flatnonzero(np.abs(stem) > LEVEL / 4)[0]) - 72_000) < 480


def test_a_sheet_of_which_nothing_is_heard_is_no_dub(film: SyntheticFilm, tmp_path: Path) -> None:
    take(tmp_path, "silent.wav", silence(1.0))
    with pytest.raises(SheetUnheardError, match="can be heard"):
        place(film, tmp_path, "1,,silent.wav\n")
    assert not [path for path in (tmp_path / "work").rglob("*") if path.is_file()]


def test_a_line_that_is_a_little_too_long_is_played_faster_and_one_that_is_too_short_slower(
    film: SyntheticFilm, tmp_path: Path
) -> None:
    take(tmp_path, "a.wav", tone(1.0))

    for end, tempo in ((1.95, 1 / 0.95), (2.1, 1 / 1.1), (3.0, 1.0)):
        stem, (line,) = place(film, tmp_path, f"1,{end},a.wav\n")
        assert line["tempo"] == pytest.approx(tempo, rel=1e-4)
        assert line["flaw"] is None
        heard = np.flatnonzero(np.abs(stem) > LEVEL / 10)
        last = 2.0 if tempo == 1 else end
        assert heard[[0, -1]] / STEM_RATE_HZ == pytest.approx([1.0, last], abs=0.02)


def test_a_take_that_is_much_too_long_ends_later_and_says_so(film: SyntheticFilm, tmp_path: Path) -> None:
    take(tmp_path, "a.wav", tone(2.0))

    stem, (line,) = place(film, tmp_path, "1,2,a.wav\n")

    assert (line["tempo"], line["flaw"]) == (1.15, "take_too_long")
    assert line["detail"] == "at 1.15 times its tempo it ends 0.74 s after its place"
    assert np.flatnonzero(np.abs(stem) > LEVEL / 10)[-1] == pytest.approx(line["heard_end_sample"], abs=480)


def test_flaws_of_takes_cost_their_lines_alone(film: SyntheticFilm, tmp_path: Path) -> None:
    take(tmp_path, "a.wav", tone(0.5))
    take(tmp_path, "silent.wav", silence(1.0))
    (tmp_path / "text.wav").write_text("no sound")
    samples = np.full(STEM_RATE_HZ, np.nan, "<f4")
    header = np.array([0xFE], "u1").tobytes()  # no sound either
    (tmp_path / "noise.wav").write_bytes(header + samples.tobytes())
    write_float_wav(tmp_path / "nan.wav", samples)
    take(tmp_path, "reel.wav", tone(121.0))
    rows = "0,,a.wav\n1,,silent.wav\n2,,text.wav\n2,,noise.wav\n2,,nan.wav\n2,,reel.wav\n"
    rows += "4,,a.wav\n3.8,,a.wav\n-1,,a.wav\n"

    stem, lines = place(film, tmp_path, rows)

    flaws = [line["flaw"] for line in lines]
    assert flaws == [
        *(None, "silent_take", *["unreadable_take"] * 4),
        *("after_film", "take_too_long", "bad_time"),
    ]
    assert all(bool(line["detail"]) == bool(line["flaw"]) for line in lines)
    assert not stem[24_000 : round(3.8 * STEM_RATE_HZ)].any()
    assert len(stem) == FILM_S * STEM_RATE_HZ


def write_float_wav(path: Path, samples: NDArray[np.floating[Any]]) -> None:
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_f32le", rate=STEM_RATE_HZ, layout="mono")
        frame = AudioFrame.from_ndarray(samples[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = STEM_RATE_HZ
        container.mux([*stream.encode(frame), *stream.encode(None)])


def test_the_same_sheet_is_placed_once_and_the_same_sound_has_one_digest(film: SyntheticFilm, tmp_path: Path) -> None:
    take(tmp_path, "a.wav", tone(1.0))
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("start,take,text\n1,a.wav,Yes.\n")
    row = film_row(film, sheet_uri=str(sheet), sheet_digest=sheet_digest(sheet), dub_kind="cue_sheet")
    table = pa.Table.from_pylist([row], schema=FILM)
    (first,) = PlaceTakes(str(tmp_path / "work"))(table).to_pylist()
    (tmp_path / "a.wav").unlink()

    (found,) = PlaceTakes(str(tmp_path / "work"))(table).to_pylist()
    with pytest.raises(SheetChangedError, match="start the job again"):
        PlaceTakes(str(tmp_path / "other"))(table)

    take(tmp_path, "a.wav", tone(1.0))
    sheet.write_text("start,take,text\n1,a.wav,No.\n")
    (spoken,) = PlaceTakes(str(tmp_path / "other"))(
        pa.Table.from_pylist([row | {"sheet_digest": sheet_digest(sheet)}], schema=FILM)
    ).to_pylist()
    assert found == first
    assert spoken["dub_digest"] == first["dub_digest"]
    assert read_table(spoken["lines_uri"]).to_pylist()[0]["text"] == "No."


def test_the_stem_lies_on_the_film_also_where_its_time_base_is_odd(film: SyntheticFilm, tmp_path: Path) -> None:
    take(tmp_path, "a.wav", tone(0.5))
    base = Fraction(1001, 24_000)
    stem, _ = place(film, tmp_path, "0,,a.wav\n", time_base=rational(base), start_pts=7, end_pts=7 + 96)
    assert len(stem) == round(96 * base * STEM_RATE_HZ)


@pytest.mark.parametrize(
    ("num_samples", "tempo"), [(40, 1.0), (84, 1.0), (85, 0.85), (100, 1.0), (110, 1.1), (300, 1.15)]
)
def test_the_tempo_fills_the_place_within_its_limits(num_samples: int, tempo: float) -> None:
    assert fitting_tempo(num_samples, 100, TakeConfig()) == pytest.approx(tempo)


@pytest.mark.parametrize("limits", [{"min_tempo": 1.1}, {"max_tempo": 0.9}, {"min_tempo": 0.2}, {"max_tempo": 3.0}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must hold"):
        TakeConfig(**limits)
