"""Which of a film's sounds is its own: one choice, told where there are several, heard by all that listen."""

from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest
from av.stream import Disposition

from jobs.dub_notices import dub_notices
from pipelines.align import AlignDub
from pipelines.conform import ConformDub
from pipelines.media.encode import EncodeConfig
from pipelines.media.probe import probe_film
from pipelines.media.roles import own_place
from pipelines.media.sound import read_channels, sound_blocks, write_wav
from pipelines.media.sound_notes import sound_notes
from pipelines.sound_check import stored_sounds
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore, file_digest
from pipelines.stored_sound import stored_original
from pipelines.verify import verify_films
from schemas.film import FILM
from schemas.shot import SHOT
from tests.film_rows import as_shot
from tests.film_rows import film_row as given_row
from tests.pipelines.deliveries import film_row, shot_rows
from tests.shared_sound import laid, music
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

FAST = EncodeConfig(preset="ultrafast")
HZ = 48_000
VOICE = Path(__file__).parents[2] / "jobs" / "demo_takes" / "lecturer.ogg"
NONE, DEFAULT, ORIGINAL = Disposition(0), Disposition.default, Disposition.original
COMMENT, DUB, DEAF = Disposition.comment, Disposition.dub, Disposition.hearing_impaired
CHOICES: list[tuple[list[Disposition], int, str]] = [
    ([DEFAULT, NONE], 0, "it is the default"),
    ([NONE, DEFAULT], 1, "it is the default"),
    ([DEFAULT, ORIGINAL], 1, "it is marked as the original"),
    ([COMMENT, DEFAULT], 1, "it is the default"),
    ([DEFAULT | COMMENT, NONE], 1, "the first that is no dub, no commentary"),
    ([DEFAULT | DUB, NONE], 1, "the first that is no dub, no commentary"),
    ([DEAF, NONE, NONE], 1, "the first that is no dub, no commentary"),
    ([ORIGINAL | COMMENT, ORIGINAL], 1, "it is marked as the original"),
    ([DEFAULT, ORIGINAL | COMMENT], 0, "it is the default"),
    ([ORIGINAL, ORIGINAL | DEFAULT], 1, "it is marked as the original"),
    ([COMMENT | ORIGINAL, NONE], 1, "the first that is no dub, no commentary"),
    ([DEAF, COMMENT | ORIGINAL], 1, "it is marked as the original"),
    ([COMMENT, DUB], 0, "the first, for want of one that is no dub, no commentary"),
]


def film_of(folder: Path, sounds: list[np.ndarray], marks: list[Disposition], layout: str = "stereo") -> SyntheticFilm:
    """A film of as many sounds as marks, each [C, N] of its own."""
    given = iter(sounds)
    seconds = sounds[0].shape[-1] // HZ
    spec = FilmSpec(
        num_frames=25 * seconds,
        cuts=(),
        sound_codec="flac",
        languages=("eng",) * len(marks),
        marks=tuple(marks),
        layout=layout,
    )
    return make_film(folder / "film.mkv", spec, sound=lambda number, _: next(given)[:, :number])


def noise(seed: int, channels: int = 2, seconds: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (channels, seconds * HZ)).astype(np.float32)


@pytest.mark.parametrize(("marks", "place", "why"), CHOICES)
def test_the_original_is_taken_and_else_the_default_and_else_the_first_that_is_plain(
    tmp_path: Path, marks: list[Disposition], place: int, why: str
) -> None:
    probe = probe_film(film_of(tmp_path, [noise(0)] * len(marks), marks).path)

    (note,) = [note for note in probe.notes if note.note == "several_sounds"]
    assert probe.sound_place == place
    assert note.detail.startswith(f"it has {len(marks)} sounds (1 eng")
    assert f": number {place + 1} is taken as its own, as {why}" in note.detail


def test_of_a_film_with_one_sound_nothing_is_told(tmp_path: Path) -> None:
    probe = probe_film(make_film(tmp_path / "film.mp4").path)

    assert (probe.sound_place, probe.notes) == (0, ())


def test_a_film_s_own_layout_and_rate_are_those_of_the_sound_that_is_taken(tmp_path: Path) -> None:
    surround, plain = (
        make_film(tmp_path / f"{layout}.mkv", FilmSpec(layout=layout, sound_codec="flac"))
        for layout in ("5.1", "stereo")
    )
    path = tmp_path / "both.mkv"
    with av.open(str(plain.path)) as first, av.open(str(surround.path)) as second, av.open(str(path), "w") as out:
        streams = [first.streams.video[0], first.streams.audio[0], second.streams.audio[0]]
        copies = [out.add_stream_from_template(one) for one in streams]
        copies[1].disposition, copies[2].disposition = COMMENT, DEFAULT
        packets = [
            (copy, packet)
            for copy, one in zip(copies, streams, strict=True)
            for packet in one.container.demux(one)
            if packet.dts is not None
        ]
        for copy, packet in packets:
            packet.stream = copy
            out.mux(packet)

    probe = probe_film(path)

    assert (probe.sound_place, probe.sound_layout) == (1, "5.1")


def test_a_stem_takes_the_centre_of_the_sound_that_is_taken_and_the_delivery_holds(tmp_path: Path) -> None:
    """The commentary that comes first is heard nowhere in the dub, and kept, as the other, as it was."""
    sounds = [noise(seed, 6) for seed in (1, 2)]
    film = film_of(tmp_path, sounds, [DEFAULT | COMMENT, NONE], "5.1")
    row = film_row(film)
    stem = Path(row["dub_uri"])

    done = stitch_film(
        row, shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None), str(tmp_path / "out"), encode=FAST
    ).film

    delivered = Path(done["delivered_uri"])
    assert (done["failure"], row["sound_place"]) == (None, 1)
    found, centre = read_channels(delivered)[0], read_channels(stem)[0][0]
    whole = found.shape[1]
    for channel, wanted in enumerate(sounds[1]):
        expected = centre[:whole] if channel == 2 else wanted[:whole]
        assert np.abs(found[channel] - expected).max() < 2**-14  # FLAC of 16 bits
    kept = [np.concatenate(list(sound_blocks(delivered, HZ, "5.1", place=place)), axis=1) for place in (1, 2)]
    for one, given in zip(kept, sounds, strict=True):
        assert np.abs(one - given[:, : one.shape[1]]).max() < 2**-14
    assert verify_films(film.path, delivered, stem).holds


def test_all_that_listens_hears_the_sound_that_is_taken(tmp_path: Path) -> None:
    """A commentary speaks all along; the film's own sound is silent, and then the other way round."""
    voice = np.resize(read_channels(VOICE)[0][:1], (1, 4 * HZ)).repeat(2, 0).astype(np.float32)
    write_wav(tmp_path / "stem.wav", np.zeros((1, 4 * HZ), np.float32), HZ)
    for name, sounds, speaks in (("a", [voice, 0 * voice], False), ("b", [0 * voice, voice], True)):
        (tmp_path / name).mkdir()
        film = film_of(tmp_path / name, sounds, [COMMENT, DEFAULT])
        digests = {"film_id": file_digest(film.path), "dub_digest": file_digest(tmp_path / "stem.wav")}
        row = given_row(film, tmp_path / "stem.wav", sound_place=1, **digests)
        store = ObjectStore(str(tmp_path / "work"))

        (heard,) = AlignDub(store.root_uri)(as_shot(row, 100).select(SHOT.names)).to_pylist()

        (own,) = [one for one in stored_sounds(heard["sounds_uri"]) if one["role"] == "original"]
        assert bool(heard["original_speech"]) is bool(heard["original_voices"]) is speaks
        assert (own["speech_s"] > 1) is speaks
        assert (own["sample_peak_dbfs"] is not None) is speaks
        assert bool(np.abs(stored_original(store, row)[:]).max() > 0) is speaks


def test_a_late_mix_is_found_in_the_sound_that_is_taken(tmp_path: Path) -> None:
    own, other = (music(np.random.default_rng(seed), 20, HZ)[None].repeat(2, 0) for seed in (1, 2))
    film = film_of(tmp_path, [other, own], [COMMENT, DEFAULT])
    late, lag_s = laid(own[0], 1.0, 0.5, HZ)
    write_wav(tmp_path / "mix.wav", late[None], HZ)
    row = given_row(film, tmp_path / "mix.wav", dub_kind="dub_mix", dub_digest=file_digest(tmp_path / "mix.wav"))

    by_place = [
        ConformDub(str(tmp_path / "work"))(pa.Table.from_pylist([row | {"sound_place": place}], schema=FILM))
        for place in (0, 1)
    ]

    first, second = (table.to_pylist()[0]["conform"] for table in by_place)
    assert (first["moved"], second["moved"]) == (False, True)
    assert second["lag_s"] == pytest.approx(lag_s, abs=1e-3)


@pytest.mark.parametrize(
    ("languages", "layout", "marks", "told"),
    [
        (("eng",) * 6, "mono", None, "its sounds 1, 2, 3, 4, 5, 6 are one channel each, and number 1 alone is heard"),
        (("eng", "eng"), "mono", (COMMENT, DEFAULT), None),
        (("eng", "eng", "eng"), "mono", (COMMENT, NONE, NONE), "its sounds 2, 3 are one channel each, and number 2"),
        (("eng", "fra"), "mono", None, None),
        (("eng", "eng"), "stereo", None, None),
        (("eng",), "mono", None, None),
    ],
)
def test_a_film_whose_channels_are_sounds_of_their_own_is_told_of_with_what_to_do(
    tmp_path: Path, languages: tuple[str, ...], layout: str, marks: tuple[Disposition, ...] | None, told: str | None
) -> None:
    spec = FilmSpec(languages=languages, layout=layout, marks=marks, sound_codec="pcm_s16le")
    notes = probe_film(make_film(tmp_path / "film.mkv", spec).path).notes

    found = [note.detail for note in notes if note.note == "split_channels"]
    assert len(found) == (told is not None)
    if told:
        assert found[0].startswith(told)
        assert "give the film with one sound of " in found[0]


def test_split_channels_are_told_before_anything_is_painted(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mov", FilmSpec(languages=("eng",) * 6, layout="mono", sound_codec="pcm_s24le"))

    notices = dub_notices([film_row(film) | {"sounds_uri": None, "dub_lines": []}])

    told = "SPLIT CHANNELS: its sounds 1, 2, 3, 4, 5, 6 are one channel each"
    assert any(notice.startswith(told) for notice in notices)


def test_a_sound_that_cannot_be_decoded_is_not_taken_where_another_can_however_it_is_marked(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sounds.mkv"), "w") as file:
        for codec, mark in (("flac", NONE), ("wavpack", ORIGINAL | DEFAULT)):
            file.add_stream(codec, rate=HZ, layout="stereo").disposition = mark
        for sound in file.streams.audio:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), "s16", "stereo")
            silence.sample_rate, silence.pts = HZ, 0
            file.mux([*sound.encode(silence), *sound.encode(None)])
    with av.open(str(tmp_path / "sounds.mkv")) as file:
        first, second = file.streams.audio
        assert second.codec_context.name == "wavpack"
        assert [own_place(sounds) for sounds in ([first, second], [second, first], [second])] == [0, 1, 0]
        (note,) = (note for note in sound_notes([first, second]) if note.note == "several_sounds")
        assert "the first" in note.detail
        assert "which number 2 can not" in note.detail
