"""LSE-D, LSE-C and the offset follow the published protocol."""

import json

import numpy as np
import pytest
import torch

from diff2lip.lse import SoundTooShortError, TooFewFramesError, lse_of, measure_lse, to_int16
from diff2lip.mfcc import mfcc
from diff2lip.syncnet import Judge
from tests.diff2lip.published import SYNCNET_FIGURES, WHOLE_RECORD, formula_input, load_formula_weights

FRAMES, SAMPLES = 11, 10 * 640 + 17  # the sound ends first: 10 frames of it


def test_lse_of_the_recorded_vectors_is_the_published_one() -> None:
    figures = SYNCNET_FIGURES if not WHOLE_RECORD.is_file() else json.loads(WHOLE_RECORD.read_text())
    sounds = formula_input("lse:a", (60, 1024), figures["salt"])
    lips = 0.6 * sounds.roll(3, dims=0) + 0.8 * formula_input("lse:v", (60, 1024), figures["salt"])

    lse, published = lse_of(sounds, lips), figures["lse"]

    np.testing.assert_allclose(lse.distances, published["distance"], rtol=0, atol=1e-4)
    assert lse.lse_d == pytest.approx(published["lse_d"], abs=1e-4)
    assert lse.lse_c == pytest.approx(published["lse_c"], abs=1e-4)
    assert lse.offset_frames == published["offset"]


@pytest.mark.parametrize("late", [-15, -4, 0, 1, 15])
def test_a_picture_that_comes_late_by_some_frames_has_that_offset(late: int) -> None:
    sounds = formula_input("late:sounds", (80, 16))
    lips = sounds.roll(late, dims=0)

    lse = lse_of(sounds, lips)

    assert lse.offset_frames == late
    assert lse.av_offset_ms == -40 * late  # sound after picture is the positive side


def test_lips_that_follow_another_sound_are_judged_with_less_confidence() -> None:
    sounds, strangers = formula_input("own:sounds", (80, 64)), formula_input("own:strangers", (80, 64))

    own, other = lse_of(sounds, sounds + 0.1), lse_of(sounds, strangers)

    assert own.lse_d < other.lse_d
    assert own.lse_c > other.lse_c


@pytest.fixture(scope="module", name="judge")
def _judge() -> Judge:
    judge = Judge()
    load_formula_weights(judge)
    return judge


@pytest.fixture(scope="module", name="film")
def _film() -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 256, (FRAMES, 3, 224, 224), dtype=np.uint8)
    sound = (2000 * generator.standard_normal(SAMPLES)).astype(np.int16)
    return torch.from_numpy(frames), torch.from_numpy(sound)


def test_windows_are_five_frames_blue_first_with_their_200_ms_of_cepstra(
    judge: Judge, film: tuple[torch.Tensor, torch.Tensor]
) -> None:
    frames, sound = film
    cepstra = mfcc(sound)
    vectors = []
    for window in range(10 - 5):  # one window after the other, as the protocol is written down
        faces = torch.stack([frames[window + index][[2, 1, 0]].float() for index in range(5)], dim=1)
        with torch.no_grad():
            vectors.append(judge(cepstra[None, None, :, 4 * window : 4 * window + 20], faces[None]))
    sounds, lips = (np.concatenate([pair[side].numpy() for pair in vectors]) for side in (0, 1))
    padded = np.pad(sounds, ((15, 15), (0, 0)))
    wanted = [np.linalg.norm(lips - padded[shift : shift + 5], axis=1).mean() for shift in range(31)]

    lse = measure_lse(judge, frames, sound)

    np.testing.assert_allclose(lse.distances, wanted, rtol=1e-5)
    assert lse.lse_d == pytest.approx(min(wanted), rel=1e-5)
    assert lse.lse_c == pytest.approx(np.median(wanted) - min(wanted), abs=1e-5 * float(max(wanted)))
    assert lse.offset_frames == 15 - int(np.argmin(wanted))


def test_the_batch_size_does_not_change_the_score(judge: Judge, film: tuple[torch.Tensor, torch.Tensor]) -> None:
    one, all_at_once = (measure_lse(judge, *film, windows_per_batch=size) for size in (2, 16))

    np.testing.assert_allclose(one.distances, all_at_once.distances, rtol=1e-5)


def test_sound_as_floats_and_frames_as_floats_score_like_the_integers_they_are(
    judge: Judge, film: tuple[torch.Tensor, torch.Tensor]
) -> None:
    frames, sound = film

    assert measure_lse(judge, frames.float(), sound.float() / 32768) == measure_lse(judge, frames, sound)


def test_floats_become_int16_rounded_and_clipped() -> None:
    sound = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.6 / 32768, 1.0])

    assert to_int16(sound).tolist() == [-32768, -32768, 0, 16384, 2, 32767]
    with pytest.raises(ValueError, match=r"int16 or float in \[-1, 1\], got torch.int32"):
        to_int16(torch.zeros(3, dtype=torch.int32))


def test_what_cannot_be_scored_is_refused_by_name(judge: Judge, film: tuple[torch.Tensor, torch.Tensor]) -> None:
    frames, sound = film

    with pytest.raises(TooFewFramesError, match="0 frames"):
        measure_lse(judge, frames[:0], sound)
    with pytest.raises(TooFewFramesError, match="5 frames"):
        measure_lse(judge, frames[:5], sound)
    with pytest.raises(SoundTooShortError, match="3839 samples"):
        measure_lse(judge, frames, sound[:3839])
    with pytest.raises(ValueError, match=r"got \[11, 3, 96, 96\]"):
        measure_lse(judge, frames[:, :, :96, :96], sound)
    with pytest.raises(ValueError, match="training mode"):
        measure_lse(Judge().train(), frames, sound)


def test_six_frames_with_their_sound_are_enough(judge: Judge, film: tuple[torch.Tensor, torch.Tensor]) -> None:
    frames, sound = film

    assert len(measure_lse(judge, frames[:6], sound[:3840]).distances) == 31
