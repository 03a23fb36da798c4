"""Speech is found where it was put; silence and tones do not speak."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from whisperx.vads.pyannote import load_vad_model

from pipelines.media.sound import read_mono, write_wav
from pipelines.speech import (
    LEVEL_BLOCK,
    Speech,
    SpeechConfig,
    above,
    find_speech,
    heard_parts,
    join_near,
    stored_speech,
)
from pipelines.speech_network import _of_silence, _speech_model, speech_scores
from pipelines.storage import ObjectStore
from pipelines.stored_sound import stored_sound
from schemas.timing import ANALYSIS_RATE_HZ
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, make_film

RATE = ANALYSIS_RATE_HZ
TAKE = Path(__file__).parents[2] / "jobs" / "demo_takes" / "psychology.ogg"
TOLERANCE_S = 0.15  # the model scores frames of 62 ms, and a word begins and ends softly


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Speech from its first to its last sample."""
    samples = read_mono(TAKE)
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    return samples[loud[0] : loud[-1]]


def test_speech_is_found_where_it_lies_and_pauses_stay_out(voice: np.ndarray) -> None:
    starts = [round(0.8 * RATE), round(0.8 * RATE) + len(voice) + RATE]
    sound = np.zeros(starts[-1] + len(voice) + RATE, np.float32)
    for start in starts:
        sound[start : start + len(voice)] = voice

    spans = find_speech(sound).spoken

    edges = np.array([edge for start in starts for edge in (start, start + len(voice))])
    assert np.abs(np.array(spans).ravel() - edges).max() < TOLERANCE_S * RATE
    assert find_speech(sound) == Speech(spans, [])


def scores_of_whisperx(sound: np.ndarray) -> np.ndarray:
    """The scores of whisperX's own pipeline, which is given the whole sound at once."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    pipeline = load_vad_model(torch.device("cpu"))
    found = pipeline({"waveform": torch.from_numpy(sound)[None], "sample_rate": RATE})
    torch.set_num_threads(before)
    return found.data[:, 0]


@pytest.mark.parametrize("length_s", [Fraction(2), Fraction(5), Fraction(22), Fraction(39_001, 1000)])
def test_a_sound_read_piece_by_piece_has_the_scores_of_the_whole_to_the_bit(
    tmp_path: Path, voice: np.ndarray, length_s: Fraction
) -> None:
    """39 s are two full batches of windows and one that is padded, 22 s one and a few windows that just fit."""
    phrase = np.concatenate([voice, np.zeros(RATE // 3, np.float32)])
    write_wav(tmp_path / "voice.wav", np.tile(phrase, 20)[: round(length_s * RATE)], RATE)
    whole = read_mono(tmp_path / "voice.wav")

    scores, centres = speech_scores(stored_sound(ObjectStore(str(tmp_path)), "c" * 64, tmp_path / "voice.wav"))

    assert np.array_equal(scores[:, 0], scores_of_whisperx(whole))
    assert (scores[:, 0] >= scores[:, 1]).all()
    assert np.abs(np.diff(centres) - 270).max() <= 1  # the hop of its filters and poolings: 10 * 27


def test_hours_without_any_sound_before_it_cost_nothing_and_change_no_score(
    voice: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = 120 * RATE
    late = np.concatenate([np.zeros(lead, np.float32), np.tile(voice, 8)[: 30 * RATE]])
    listener, asked = _speech_model(), []
    model = type(listener.model)
    forward = model.forward

    def counted(self: torch.nn.Module, windows: torch.Tensor) -> torch.Tensor:
        asked.append(len(windows))
        return forward(self, windows)

    monkeypatch.setattr(model, "forward", counted)
    _of_silence.cache_clear()

    scores, _ = speech_scores(late)

    assert sum(asked) < 160  # of 290 windows: a batch of silence, and those in which something is heard
    assert np.array_equal(scores[:, 0], scores_of_whisperx(late))


def test_levels_of_a_long_sound_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    steps = rng.random(LEVEL_BLOCK // 160 + 500) < 0.5  # 10 ms each, some loud, the last ones behind a block's border
    sound = (np.repeat(steps, 160) * rng.choice([-0.1, 0.1], len(steps) * 160)).astype(np.float32)[:-50]

    heard = heard_parts([(0, len(sound))], sound, -60.0)

    found = np.zeros(len(sound), bool)
    for start, end in heard:
        found[start:end] = True
    assert np.array_equal(found, sound != 0)


@pytest.mark.parametrize("num_samples", [0, 10, RATE // 2, 3 * RATE])
def test_silence_and_tones_do_not_speak(num_samples: int) -> None:
    time_s = np.arange(num_samples) / RATE

    assert find_speech(np.zeros(num_samples, np.float32)) == Speech([], [])
    assert find_speech(0.3 * np.sin(2 * np.pi * 440 * time_s).astype(np.float32)) == Speech([], [])


@pytest.mark.assets
def test_two_voices_at_once_are_heard_where_both_speak(voice: np.ndarray) -> None:
    """One speaks all the time, the other from 3 s on."""
    one, other = read_mono(real_asset("clip-test-movie"))[: 7 * RATE], voice[: 3 * RATE]
    both = one.copy()
    both[3 * RATE : 3 * RATE + len(other)] += other * (one.std() / other.std())

    overlapped = find_speech(both).overlapped

    assert find_speech(one).overlapped == []
    assert 2.8 * RATE < overlapped[0][0] < 4 * RATE
    assert overlapped[-1][1] < 3.5 * RATE + len(other)


def test_one_sound_is_listened_to_once(tmp_path: Path, voice: np.ndarray) -> None:
    store, path = ObjectStore(str(tmp_path / "store")), tmp_path / "voice.wav"
    write_wav(path, voice, RATE)
    first = stored_speech(store, "a" * 64, path, SpeechConfig())
    path.unlink()

    assert len(first.spoken) >= 1
    assert stored_speech(store, "a" * 64, path, SpeechConfig()) == first


def test_a_film_without_sound_does_not_speak(tmp_path: Path) -> None:
    film = make_film(tmp_path / "silent.mp4", FilmSpec(languages=()))

    assert stored_speech(ObjectStore(str(tmp_path)), "b" * 64, film.path, SpeechConfig()) == Speech([], [])


def test_hysteresis_keeps_what_stays_over_the_lower_threshold() -> None:
    scores = np.array([0.4, 0.6, 0.4, 0.3, 0.45, 0.9, 0.9], np.float32)

    assert above(scores, np.arange(7) * 10, SpeechConfig()) == [(10, 30), (50, 60)]


def test_silence_is_cut_out_to_ten_milliseconds() -> None:
    sound = np.zeros(RATE, np.float32)
    sound[1600:3200] = sound[8000:9600] = 0.1

    assert heard_parts([(0, 2000), (2400, 8800)], sound, -60.0) == [(1600, 2000), (2400, 3200), (8000, 8800)]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 50)), max_size=20), st.integers(1, 30))
def test_joined_spans_cover_the_same_and_lie_apart(raw: list[tuple[int, int]], pause: int) -> None:
    spans = sorted((start, start + length) for start, length in raw)

    joined = join_near(spans, pause)

    assert all(left[1] + pause <= right[0] for left, right in pairwise(joined))
    assert all(any(a <= start and end <= b for a, b in joined) for start, end in spans)
    assert {edge for span in joined for edge in span} <= {edge for span in spans for edge in span}


@pytest.mark.parametrize("wrong", [{"onset": 1.0}, {"offset": 0.6}, {"offset": 0.0}])
def test_wrong_thresholds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must hold"):
        SpeechConfig(**wrong)  # type: ignore[arg-type]
