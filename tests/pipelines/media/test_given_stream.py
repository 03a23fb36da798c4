"""Of a file with several sounds the first is heard only where it is the one that was given."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from pipelines.media.given_stream import check_first_is_meant
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal

NONE, DUB, DEFAULT = Disposition(0), Disposition.dub, Disposition.default
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
        check_first_is_meant(path, language)
    assert refused.value.refusal is Refusal.SEVERAL_SOUNDS
    return refused.value.detail


@pytest.mark.parametrize(
    ("language", "sounds"),
    [
        ("es", [("spa", NONE)]),
        ("es-MX", [("spa", NONE), ("eng", DUB | DEFAULT)]),
        ("de", [("ger", NONE), ("eng", DEFAULT)]),
        ("es", [("und", DUB), ("und", DEFAULT)]),
        ("es", [("spa", DUB), ("spa", DEFAULT)]),
        (None, [("spa", DEFAULT), ("eng", NONE)]),
    ],
)
def test_language_comes_before_dub_and_dub_before_default(
    tmp_path: Path, language: str | None, sounds: Sounds
) -> None:
    check_first_is_meant(write_sounds(tmp_path / "dub.mkv", sounds), language)


@pytest.mark.parametrize(
    ("language", "sounds"),
    [
        ("es", [("eng", DUB | DEFAULT), ("spa", NONE)]),
        ("es", [("und", DEFAULT), ("und", DUB)]),
        (None, [("und", NONE), ("und", DEFAULT)]),
        ("fr", [("eng", DEFAULT), ("fre", NONE)]),  # as Matroska names it
        ("de", [("eng", DEFAULT), ("ger", NONE)]),
    ],
)
def test_another_sound_that_is_meant_is_named(tmp_path: Path, language: str | None, sounds: Sounds) -> None:
    told = refusal_of(write_sounds(tmp_path / "dub.mkv", sounds), language)

    assert "number 2 is meant; give a file of that one alone" in told
    assert f"2 {sounds[1][0]} flac" in told


def test_sounds_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    sounds: Sounds = [("spa", NONE), ("spa", NONE)]

    assert "nothing says which is meant" in refusal_of(write_sounds(tmp_path / "dub.mkv", sounds), "es")


@pytest.mark.parametrize("name", ["dub.mov", "dub.mkv"])
def test_channels_that_come_one_by_one_are_asked_for_in_one_file(tmp_path: Path, name: str) -> None:
    path = write_sounds(tmp_path / name, [(None, NONE)] * 6, "mono")

    assert refusal_of(path, "es").endswith("each is one channel; give one file of 6 channels")
