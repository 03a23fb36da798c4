"""Music and effects that are late or run at another speed are summed in time; what is not sure is not touched.

What is late is delivered in time, be it music and effects or a full mix.
"""

from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from jobs.delivered_sound import sound_metrics, sound_section
from jobs.dub_notices import dub_notices
from pipelines.conform import ConformConfig, ConformDub, conform_notice, shared_sound
from pipelines.delivery import read_manifest
from pipelines.media.dub_track import DubSource, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.sound import read_channels, write_wav
from pipelines.stage import Row
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore, file_digest
from pipelines.verify import verify_films
from schemas.film import FILM
from tests.pipelines.deliveries import film_row as delivered_row
from tests.pipelines.deliveries import shot_rows
from tests.shared_sound import laid, music, speech
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

Floats = NDArray[np.float32]

HZ = 48_000
SECONDS = 20
SPEC = FilmSpec(num_frames=SECONDS * 25, cuts=(), width_px=64, height_px=48, sound_start_s=0, languages=("eng",))
SHOTS_S = (6.25, 13.5)  # moments of an effect that lasts a millisecond
MS = HZ // 1000


@cache
def effects() -> Floats:
    """Music in which two shots are heard."""
    shared = music(np.random.default_rng(21), SECONDS, HZ)
    for moment in SHOTS_S:
        around = slice(round(moment * HZ) - HZ // 10, round(moment * HZ) + HZ // 10)
        shared[around] *= 0.05
        shared[round(moment * HZ) : round(moment * HZ) + MS] = 0.8
    return shared


def film_of(folder: Path, own: Floats) -> SyntheticFilm:
    return make_film(folder / "film.mkv", SPEC, sound=lambda number, _: np.pad(own, (0, HZ))[:number])


def film_with(folder: Path, given: Floats, shared: Floats) -> Row:
    """FILM of a film with those effects under voices, a silent stem, and what is given as its music and effects."""
    return row_of(film_of(folder, shared + speech(np.random.default_rng(5), SECONDS, HZ)), given)


def row_of(film: SyntheticFilm, given: Floats) -> Row:
    """FILM of a film with a silent stem and those music and effects."""
    folder = film.path.parent
    write_wav(folder / "stem.wav", np.zeros((1, SECONDS * HZ), np.float32), HZ)
    write_wav(folder / "me.wav", np.stack([given, given]), HZ)
    names = {"dub_uri": str(folder / "stem.wav"), "dub_digest": file_digest(folder / "stem.wav")}
    places = {"me_uri": str(folder / "me.wav"), "me_digest": file_digest(folder / "me.wav")}
    row = delivered_row(film) | {"dub_kind": "dub_stem", "film_id": file_digest(film.path)}
    return {name: (row | names | places)[name] for name in FILM.names}


def conformed(row: Row, folder: Path, config: ConformConfig | None = None) -> Row:
    (made,) = ConformDub(str(folder / "work"), config)(pa.Table.from_pylist([row], schema=FILM)).to_pylist()
    return dict(made)


def summed(row: Row) -> Floats:
    """[C, N] what is delivered of a row."""
    source = DubSource(
        film=Path(row["film_uri"]),
        start_s=Fraction(0),
        dub=Path(row["dub_uri"]),
        dub_kind=row["dub_kind"],
        music_and_effects=Path(row["me_uri"]),
    )
    return np.concatenate(list(dub_track(source, ".mkv").blocks(SECONDS * HZ)), axis=1)


def onset(sound: Floats, moment: float) -> int:
    """The sample at which a shot is first heard that lies within 20 ms of a moment."""
    first = round((moment - 0.02) * HZ)
    return first + int(np.argmax(np.abs(sound[first : first + HZ // 25]) > 0.4))


@pytest.mark.parametrize(("rate", "name"), [(1.0, ""), (25 / 24, "25/24")])
@pytest.mark.parametrize("lag_s", [0.731, -0.4])
def test_an_effect_of_late_or_slow_music_and_effects_is_delivered_at_its_sample(
    tmp_path: Path, lag_s: float, rate: float, name: str
) -> None:
    late, exact_s = laid(effects(), rate, lag_s, HZ)
    row = film_with(tmp_path, late, effects())

    made = conformed(row, tmp_path)

    told = made["me_conform"]
    assert (told["moved"], told["name"]) == (True, name)
    assert told["lag_s"] == pytest.approx(exact_s, abs=1e-3)
    assert told["lag_after_s"] == pytest.approx(0, abs=5e-4)
    assert made["me_digest"] == file_digest(Path(made["me_uri"])) != row["me_digest"]
    assert (made["conform"], made["dub_uri"], made["dub_digest"]) == (None, row["dub_uri"], row["dub_digest"])
    for channel in summed(made):
        assert [abs(onset(channel, moment) - round(moment * HZ)) <= MS for moment in SHOTS_S] == [True, True]
    words = f"its me_stem is moved: it was {abs(exact_s):.3f} s {'late' if lag_s > 0 else 'early'}"
    assert dub_notices([made | {"sounds_uri": None, "dub_lines": []}])[-2].startswith(words)


def test_music_and_effects_that_are_in_time_are_left_and_nothing_is_told(tmp_path: Path) -> None:
    row = film_with(tmp_path, effects(), effects())

    made = conformed(row, tmp_path)

    assert (made["me_uri"], made["me_digest"], made["me_conform"]["moved"]) == (row["me_uri"], row["me_digest"], False)
    assert dub_notices([made | {"sounds_uri": None, "dub_lines": []}]) == []


def test_music_and_effects_that_are_unsure_are_left_and_it_is_told_why(tmp_path: Path) -> None:
    """Half of them is a second later: no line is right for both."""
    shared = effects()
    torn = np.concatenate([shared[: len(shared) // 2], np.zeros(HZ, np.float32), shared[len(shared) // 2 :]])
    row = film_with(tmp_path, torn, shared)

    made = conformed(row, tmp_path)

    assert (made["me_uri"], made["me_digest"]) == (row["me_uri"], row["me_digest"])
    (notice,) = dub_notices([made | {"sounds_uri": None, "dub_lines": []}])
    assert notice.startswith("its me_stem is not moved: its lag is not known, ")
    assert notice.endswith("contradict; see that it is of the same cut as the film")


def test_music_and_effects_of_which_nothing_is_found_are_left_without_a_word(tmp_path: Path) -> None:
    row = film_with(tmp_path, np.zeros_like(effects()), effects())

    made = conformed(row, tmp_path)

    assert made["me_uri"] == row["me_uri"]
    assert conform_notice("it is", made["me_conform"])[0].startswith("it is not moved: too little")
    assert dub_notices([made | {"sounds_uri": None, "dub_lines": []}]) == []


def test_late_music_and_effects_stay_where_a_person_says_so_and_their_lag_is_told(tmp_path: Path) -> None:
    late, _ = laid(effects(), 1.0, 0.731, HZ)
    row = film_with(tmp_path, late, effects())

    made = conformed(row, tmp_path, ConformConfig(move=False))

    assert made["me_uri"] == row["me_uri"]
    (notice,) = dub_notices([made | {"sounds_uri": None, "dub_lines": []}])
    assert notice.startswith("its me_stem is not moved, as set: it is 0.731 s late; ")


def test_of_a_full_mix_the_mix_is_conformed_and_of_a_stem_alone_nothing_is(tmp_path: Path) -> None:
    row = film_with(tmp_path, effects(), effects())

    mix, alone, sheet = (shared_sound(row | changed) for changed in ({"dub_kind": "dub_mix"}, {"me_uri": None}, {}))

    assert mix is not None
    assert sheet is not None
    assert (mix.uri, alone, sheet.uri) == ("dub_uri", None, "me_uri")


def test_damage_in_late_music_and_effects_is_silence_and_is_told(tmp_path: Path) -> None:
    late, _ = laid(effects(), 1.0, 0.731, HZ)
    row = film_with(tmp_path, late, effects())
    broken = tmp_path / "me.mka"
    coded(late, broken)
    spoil(broken)

    made = conformed(row | {"me_uri": str(broken), "me_digest": file_digest(broken)}, tmp_path)

    assert made["me_conform"]["moved"]
    assert "places, which are silent: " in made["me_conform"]["detail"]
    assert abs(onset(read_channels(Path(made["me_uri"]))[0][0], SHOTS_S[1]) - round(SHOTS_S[1] * HZ)) <= MS


def coded(sound: Floats, path: Path) -> None:
    """The sound as FLAC."""
    with av.open(str(path), "w", format="matroska") as out:
        stream = out.add_stream("flac", rate=HZ, layout="mono")
        for first in range(0, len(sound), 4096):
            codes = (sound[None, first : first + 4096] * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(codes, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = HZ, first, Fraction(1, HZ)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def spoil(path: Path) -> None:
    """Zero three packets."""
    whole = path.read_bytes()
    with av.open(str(path)) as source:
        packets = [bytes(packet) for packet in source.demux(audio=0) if packet.size > 1000]
    for data in packets[5:8]:
        whole = whole.replace(data, bytes(len(data)))
    path.write_bytes(whole)


def delivery(film: SyntheticFilm, row: Row) -> tuple[Path, Row]:
    """The delivered film of a conformed row, and its manifest."""
    folder = film.path.parent
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), None)
    done = stitch_film(row, shots, str(folder / "out"), encode=EncodeConfig(preset="ultrafast")).film
    assert done["failure"] is None
    path = Path(done["delivered_uri"])
    return path, read_manifest(path.parent) or {}


def check_in_time(film: Path, metrics: Row, prefix: str, exact_s: float) -> None:
    """That its shots are heard where they belong, and that figures tell how late they were, and are."""
    assert metrics[f"{prefix}lag_s"] == pytest.approx(exact_s, abs=1e-3)
    assert metrics[f"{prefix}drift_ppm"] == pytest.approx(1e6 / 24, abs=20)
    assert metrics[f"{prefix}lag_after_s"] == pytest.approx(0, abs=5e-4)
    found = read_channels(film)[0][0]
    assert [abs(onset(found, moment) - round(moment * HZ)) <= MS for moment in SHOTS_S] == [True, True]


def test_a_film_is_delivered_with_late_effects_in_time_and_its_manifest_tells_of_them(tmp_path: Path) -> None:
    late, exact_s = laid(effects(), 25 / 24, 0.731, HZ)
    film = film_of(tmp_path, effects())
    row = conformed(row_of(film, late), tmp_path)

    delivered, manifest = delivery(film, row)

    assert manifest["me_conform"] == row["me_conform"]
    beside = "its dub_stem is not moved with its me_stem"
    assert any(beside in notice for notice in dub_notices([row | {"sounds_uri": None, "dub_lines": []}]))
    assert beside[1:] in sound_section(manifest)
    check_in_time(delivered, sound_metrics(manifest), "me_", exact_s)


def test_a_film_is_delivered_with_a_late_mix_in_time_and_proved_with_it(tmp_path: Path) -> None:
    own, dubbed = (effects() + speech(np.random.default_rng(seed), SECONDS, HZ) for seed in (5, 6))
    film, given = film_of(tmp_path, own), tmp_path / "mix.wav"
    late, exact_s = laid(dubbed, 25 / 24, 0.731, HZ)
    write_wav(given, np.stack([late, late]), HZ)
    row = conformed(delivered_row(film, dub=given, dub_kind="dub_mix"), tmp_path)

    delivered, manifest = delivery(film, row)

    assert (manifest["conform"], manifest["me_conform"]) == (row["conform"], None)
    assert "Its mix is moved: it was 0.731 s late and 25/24 times as long" in sound_section(manifest)
    check_in_time(delivered, sound_metrics(manifest), "", exact_s)
    assert verify_films(film.path, delivered, Path(row["dub_uri"])).holds
    assert not verify_films(film.path, delivered, given).holds
