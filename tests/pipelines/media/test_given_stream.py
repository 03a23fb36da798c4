"""Of a file with several sounds the only one in its language is heard, else the first where it is surely meant."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from pipelines.media.given_stream import GivenSound, given_sound
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal

NONE, DUB, DEFAULT = Disposition(0), Disposition.dub, Disposition.default
COMMENT, SEEN = Disposition.comment, Disposition.visual_impaired
Sounds = list[tuple[str | None, Disposition]]


def write_sounds(path: Path, sounds: Sounds, layout: str = "stereo") -> Path:
    """A file of so many sounds, each of a language and with flags."""
    codec = "pcm_s24le" if path.suffix == ".mov" else "flac"
    with av.open(str(path), "w") as file:
        streams = [file.add_stream(codec, rate=48_000, layout=layout) for _ in sounds]
        for stream, (language, flags) in zip(streams, sounds, strict=True):
            stream.disposition = flags
            stream.metadata.update({"language": language} if language else {})
        for stream in streams:
            silence = np.zeros((1, 4800 * stream.layout.nb_channels), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, "flt", layout)
            frame.sample_rate, frame.pts = 48_000, 0
            file.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def refusal_of(path: Path, language: str | None) -> str:
    with pytest.raises(MediaRefusedError) as refused:
        given_sound(path, language)
    assert refused.value.refusal is Refusal.SEVERAL_SOUNDS
    return refused.value.detail


@pytest.mark.parametrize(
    ("language", "sounds"),
    [
        ("es", [("spa", NONE)]),
        ("es", [("spa", COMMENT | DEFAULT), ("eng", NONE)]),
        ("es", [("und", DUB), ("und", DEFAULT)]),
        ("es", [("spa", DUB), ("spa", DEFAULT)]),
        (None, [("spa", DEFAULT), ("eng", NONE)]),
    ],
)
def test_without_a_language_of_its_own_the_first_is_heard_by_language_then_dub_then_default(
    tmp_path: Path, language: str | None, sounds: Sounds
) -> None:
    assert given_sound(write_sounds(tmp_path / "dub.mkv", sounds), language) == GivenSound(0, "")


@pytest.mark.parametrize(
    ("language", "sounds", "place"),
    [
        ("es-MX", [("spa", NONE), ("eng", DUB | DEFAULT)], 0),
        ("es", [("eng", DUB | DEFAULT), ("spa", NONE)], 1),
        ("es", [("und", DEFAULT), ("fra", DUB), ("spa", NONE)], 2),
        ("es", [("eng", DEFAULT), ("spa", COMMENT), ("spa", NONE), ("spa", SEEN)], 2),
        ("fr", [("eng", DEFAULT), ("fre", NONE)], 1),  # as Matroska names it
        ("de-AT", [("eng", DEFAULT), ("ger", NONE)], 1),
    ],
)
def test_the_only_sound_in_the_language_is_taken_and_told(
    tmp_path: Path, language: str, sounds: Sounds, place: int
) -> None:
    given = given_sound(write_sounds(tmp_path / "dub.mkv", sounds), language)

    assert given.place == place
    assert given.told.startswith(f"its file has {len(sounds)} sounds (1 ")
    assert f": number {place + 1} is taken as the dub, the only one in {language}" in given.told
    assert ("that is no commentary" in given.told) is (len({one for one, _ in sounds}) < len(sounds))


@pytest.mark.parametrize(
    ("language", "sounds"),
    [
        ("es", [("spa", NONE), ("spa", DUB)]),
        ("es", [("und", DEFAULT), ("und", DUB)]),
        ("es", [("eng", DEFAULT), ("spa", COMMENT)]),
        (None, [("und", NONE), ("und", DEFAULT)]),
    ],
)
def test_another_sound_that_is_meant_is_named(tmp_path: Path, language: str | None, sounds: Sounds) -> None:
    told = refusal_of(write_sounds(tmp_path / "dub.mkv", sounds), language)

    assert "number 2 is meant; give a file of that one alone" in told
    assert f"2 {sounds[1][0]} flac" in told
    assert told.endswith(f", or tag none but it as {language}") is (language is not None)


def test_sounds_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    sounds: Sounds = [("spa", NONE), ("spa", NONE)]

    assert "nothing says which is meant" in refusal_of(write_sounds(tmp_path / "dub.mkv", sounds), "es")


@pytest.mark.parametrize("name", ["dub.mov", "dub.mkv"])
@pytest.mark.parametrize(
    ("languages", "numbers"),
    [
        ([None] * 6, "1, 2, 3, 4, 5, 6"),
        (["spa", "spa", "eng", "eng"], "1, 2"),
        (["eng", "eng", "spa", "spa"], "3, 4"),
    ],
)
def test_channels_that_come_one_by_one_are_asked_for_as_one_sound(
    tmp_path: Path, name: str, languages: list[str | None], numbers: str
) -> None:
    path = write_sounds(tmp_path / name, [(language, NONE) for language in languages], "mono")

    told = refusal_of(path, "es")

    assert f"), and {numbers} are one channel each" in told
    assert told.endswith("join those that are meant into one sound; docs/mix.md has the command")
