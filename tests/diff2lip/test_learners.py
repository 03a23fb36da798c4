"""Trainings learn, can be stopped and resumed without a trace, and do not see how a batch was shared out."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from diff2lip.config import CropConfig, Precision, Prediction
from diff2lip.expert_learner import ExpertLearner, has_learnt
from diff2lip.learner import Learner, learning_share
from diff2lip.losses import expert_faces
from diff2lip.painter_learner import MissingJudgeError, PainterLearner
from diff2lip.patch_gan import PatchGan, PatchGanConfig
from diff2lip.syncnet import Expert, ExpertConfig
from diff2lip.training_config import ExpertTraining, LossWeights, NoiseConfig, OptimiserConfig, PainterTraining
from diff2lip.windows import Windows
from tests.diff2lip.training_windows import bright_windows, part
from tests.tiny_model import TINY

CPU = torch.device("cpu")
SMALL_EXPERT = ExpertConfig(name="test", face_px=(32, 64), width=8)
TINY_PAINTER = replace(
    TINY, learned_variance=True, prediction=Prediction.EPS, crop=CropConfig(size_px=32, mask_top=0.5)
)
ALL_TERMS = PainterTraining(
    model=TINY_PAINTER,
    optimiser=OptimiserConfig(learning_rate=2e-3, warmup_steps=5, ema_decay=0.9),
    gan=PatchGanConfig(channels=8, halvings=2),
    precision=Precision.FP32,
)
TERMS = ("simple", "variational", "l2", "sync", "perceptual", "gan")
IMAGES_ALONE = replace(ALL_TERMS, weights=LossWeights(sync=0, perceptual=0, gan=0))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks this small are slower on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Blur(nn.Module):
    """Stands for a perceptual network: the mean difference of blurred pictures."""

    def forward(self, painted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(painted - truth, 4).abs().mean((1, 2, 3))


def painter(config: PainterTraining = ALL_TERMS) -> PainterLearner:
    torch.manual_seed(1)
    expert = Expert(SMALL_EXPERT) if config.weights.sync else None
    return PainterLearner(config, CPU, expert=expert, perceptual=Blur() if config.weights.perceptual else None)


def expert() -> ExpertLearner:
    optimiser = OptimiserConfig(learning_rate=3e-4, warmup_steps=0, weight_decay=0, ema_decay=0)
    return ExpertLearner(ExpertTraining(expert=SMALL_EXPERT, optimiser=optimiser), CPU)


def run(learner: Learner, first: int, end: int, size_px: int = 32) -> list[dict[str, float]]:
    return [learner.learn(bright_windows(4, size_px, 4 * step), step, step / 100) for step in range(first, end)]


def test_every_term_of_the_paper_is_there_and_the_whole_falls() -> None:
    learner = painter()

    told = run(learner, 0, 30)

    assert set(told[0]) == {
        *TERMS,
        *("loss", "discriminator", "gradient_norm"),
    }
    early, late = (sum(one["simple"] for one in part) / 5 for part in (told[:5], told[-5:]))
    assert late < 0.7 * early


def test_a_term_of_weight_0_is_not_computed() -> None:
    (told,) = run(painter(IMAGES_ALONE), 0, 1)

    assert set(told) == {"simple", "variational", "l2", "loss", "gradient_norm"}
    assert told["loss"] == pytest.approx(told["simple"] + told["variational"] + told["l2"])


def test_a_term_without_its_network_is_refused_by_name() -> None:
    with pytest.raises(MissingJudgeError, match=r"weight 0\.1 of sync wants a trained expert; weight 0\.25 of perc"):
        PainterLearner(ALL_TERMS, CPU)


def test_the_frozen_networks_stay_as_they_are() -> None:
    torch.manual_seed(1)
    judge = Expert(SMALL_EXPERT)
    before = {name: tensor.clone() for name, tensor in judge.state_dict().items()}

    run(PainterLearner(ALL_TERMS, CPU, expert=judge, perceptual=Blur()), 0, 2)

    assert all(torch.equal(before[name], tensor) for name, tensor in judge.state_dict().items())


@pytest.mark.parametrize(("make", "size"), [(painter, 32), (expert, 64)], ids=["painter", "expert"])
def test_a_training_that_was_resumed_has_the_weights_of_one_that_never_stopped(
    make: Callable[[], PainterLearner | ExpertLearner], size: int
) -> None:
    whole, first, second = make(), make(), make()

    run(whole, 0, 4, size)
    run(first, 0, 2, size)
    second.resume(first.state())
    run(second, 2, 4, size)

    wanted, found = whole.state(), second.state()
    for name in ("average", *(key for key in ("unet", "expert") if key in wanted)):
        assert all(torch.equal(found[name][key], tensor) for key, tensor in wanted[name].items())


def test_half_precision_learns_what_the_whole_does_to_its_own_rounding() -> None:
    half = painter(replace(ALL_TERMS, precision=Precision.BF16))

    whole, rounded = run(painter(), 0, 4)[-1], run(half, 0, 4)[-1]

    assert {name: rounded[name] for name in TERMS} == pytest.approx({name: whole[name] for name in TERMS}, rel=0.05)
    assert rounded["loss"] != whole["loss"], "the network's own work is rounded"
    assert all(parameter.dtype == torch.float32 for parameter in half.unet.parameters())


def test_halves_of_a_batch_have_the_mean_of_its_terms() -> None:
    windows = bright_windows(4, 32)

    whole = painter().learn(windows, 0, 0)
    halves = [painter().learn(part(windows, chosen), 0, 0) for chosen in (slice(0, 2), slice(2, 4))]

    for name in (*TERMS, "discriminator"):
        assert sum(half[name] for half in halves) / 2 == pytest.approx(whole[name], rel=1e-4)


def test_sound_that_says_how_bright_a_mouth_is_gets_used() -> None:
    quick = OptimiserConfig(learning_rate=5e-3, warmup_steps=5, ema_decay=0.9)
    model = replace(TINY_PAINTER, prediction=Prediction.V)
    learner = painter(replace(IMAGES_ALONE, noise=NoiseConfig(high_share=1.0), model=model, optimiser=quick))

    before = figures = learner.measure(bright_windows(8, 32, 10_000))
    for first in range(0, 300, 20):  # 60 to 120 are enough; when it begins depends on the first weights
        run(learner, first, first + 20)
        figures = learner.measure(bright_windows(8, 32, 10_000))
        if figures["held_right_900_db"] > figures["held_shuffled_900_db"] + 1:
            break

    assert figures["held_right_900_db"] > figures["held_shuffled_900_db"] + 1
    assert set(figures) >= {"held_copied_db", "held_right_400_db"}
    assert figures["held_loss"] < before["held_loss"]


def test_held_out_terms_are_weighted_like_those_learnt_from_and_the_same_each_time() -> None:
    learner = painter()
    windows = bright_windows(4, 32)

    figures, again = learner.measure(windows), learner.measure(windows)
    terms = {name: figures[f"held_{name}"] for name in TERMS}

    weighted = sum(getattr(learner.config.weights, name) * value for name, value in terms.items())
    assert figures["held_loss"] == pytest.approx(weighted, rel=1e-5)
    assert again == figures


def test_an_expert_learns_what_belongs_together_and_says_so() -> None:
    learner = expert()
    held = bright_windows(16, 64, 10_000)
    before = learner.measure(held)

    for step in range(40):
        learner.learn(bright_windows(8, 64, 8 * step), step, 0)
    after = learner.measure(held)

    assert not has_learnt(before["held_loss"])
    assert has_learnt(after["held_loss"])
    assert after["held_preferred"] > 0.8


def test_an_expert_hears_each_window_with_its_own_sound_and_with_another_moments() -> None:
    learner, windows = expert(), bright_windows(4, 64)
    network = copy.deepcopy(learner.expert)

    told = learner.learn(windows, 0, 0)

    with torch.no_grad():
        heard = network.embed_sound(torch.cat([windows.sync_mel, windows.other_mel]))
        seen = network.embed_faces(expert_faces(network, windows.target))
    own, other = (heard[:4] * seen).sum(1), (heard[4:] * seen).sum(1)
    assert told["loss"] == pytest.approx(float(-(own.log() + (1 - other).log()).mean() / 2), rel=1e-4)
    assert told["accuracy"] == float(torch.cat([own > 0.5, other <= 0.5]).float().mean())


def test_a_sequence_is_judged_alone_and_as_five_frames() -> None:
    torch.manual_seed(0)
    network, frames = PatchGan(PatchGanConfig(channels=8)), torch.randn(3, 5, 3, 64, 64)

    together, alone = network(frames), network(frames[1:2])

    assert torch.allclose(together[1:2], alone, atol=1e-6)
    assert together.shape[:2] == (3, 1)
    assert not torch.allclose(network(frames.flip(1)), together)


def test_the_learning_rate_warms_up_and_falls_to_its_end() -> None:
    config = OptimiserConfig(warmup_steps=10, final_share=0.1)

    assert learning_share(config, 0, 0) == pytest.approx(0.1)
    assert learning_share(config, 9, 0) == 1
    assert learning_share(config, 500, 1) == pytest.approx(0.1)
    assert learning_share(OptimiserConfig(warmup_steps=0), 500, 1) == 1


def test_windows_know_their_number() -> None:
    windows = bright_windows(3, 16, 7)
    assert isinstance(windows, Windows)
    assert len(windows) == 3
    assert windows.ids.tolist() == [7, 8, 9]
