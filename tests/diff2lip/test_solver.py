"""Solvers against exact solutions: data drawn from a normal law, whose denoiser and whose path are known in full."""

import pytest
import torch
from torch import Tensor

from diff2lip.config import Prediction
from diff2lip.diffusion import alpha_bars
from diff2lip.noise_levels import published_levels, trailing_levels
from diff2lip.solver import SOLVERS, Solve, ddim, dpm_solver_pp, unipc
from tests.diff2lip.published import formula_input

MEAN, SPREAD = 0.1, 0.15  # few values leave [-1, 1], where clipping would bend the path
SHARES = alpha_bars()


def shares_of(t: Tensor) -> Tensor:
    return SHARES[t][:, None, None, None].float()


def clean_of_normal_data(x_t: Tensor, a: Tensor) -> Tensor:
    """The best guess of x_0 when x_0 is normal with MEAN and SPREAD."""
    gain = SPREAD**2 * a.sqrt() / (a * SPREAD**2 + 1 - a)
    return MEAN + gain * (x_t - a.sqrt() * MEAN)


def eps_of_normal_data(x_t: Tensor, t: Tensor) -> Tensor:
    """The noise that goes with that guess."""
    a = shares_of(t)
    return (x_t - a.sqrt() * clean_of_normal_data(x_t, a)) / (1 - a).sqrt()


def exact_end(x_t: Tensor, first: int, last: int) -> Tensor:
    """The guess at the last level: on the way the distance from the mean shrinks as the spread of the level does."""
    a, b = (SHARES[level].float() for level in (first, last))
    spread_a, spread_b = (torch.sqrt(share * SPREAD**2 + 1 - share) for share in (a, b))
    return clean_of_normal_data(b.sqrt() * MEAN + spread_b / spread_a * (x_t - a.sqrt() * MEAN), b)


def error(solve: Solve, steps: int) -> float:
    x_t = formula_input("solver:x", (2, 3, 8, 8)).clamp(-2, 2)
    levels = [round(960 - 860 * index / steps) for index in range(steps + 1)]
    painted = solve(eps_of_normal_data, x_t, levels, Prediction.EPS)
    return float((painted - exact_end(x_t, levels[0], levels[-1])).abs().max())


@pytest.mark.parametrize(("solve", "order"), [(ddim, 1), (dpm_solver_pp, 2), (unipc, 3)])
def test_twice_the_steps_divide_the_error_by_two_to_the_order(solve: Solve, order: int) -> None:
    assert error(solve, 40) / error(solve, 80) == pytest.approx(2**order, rel=0.25)


def test_a_corrected_step_is_nearer_than_one_that_is_only_predicted() -> None:
    """As many calls of the network each: the correction is free."""
    assert error(unipc, 20) < error(dpm_solver_pp, 20) < error(ddim, 20)


@pytest.mark.parametrize(
    "levels", [published_levels(8), trailing_levels(5), [700]], ids=["published", "trailing", "1"]
)
@pytest.mark.parametrize("prediction", list(Prediction))
@pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS)
def test_a_perfect_network_gives_the_clean_crop_in_any_number_of_steps(
    solve: Solve, prediction: Prediction, levels: list[int]
) -> None:
    clean = formula_input("v:clean", (1, 3, 16, 16)).clamp(-1, 1)

    def perfect(x_t: Tensor, t: Tensor) -> Tensor:
        a = shares_of(t)
        eps = (x_t - a.sqrt() * clean) / (1 - a).sqrt()
        return a.sqrt() * eps - (1 - a).sqrt() * clean if prediction is Prediction.V else eps

    painted = solve(perfect, formula_input("v:noise", (1, 3, 16, 16)), levels, prediction)

    torch.testing.assert_close(painted, clean, atol=2e-4, rtol=0)


@pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS)
def test_a_network_is_called_once_a_level_from_the_highest_down(solve: Solve) -> None:
    seen: list[int] = []

    def watched(x_t: Tensor, t: Tensor) -> Tensor:
        seen.append(int(t[0]))
        return eps_of_normal_data(x_t, t)

    solve(watched, formula_input("solver:x", (2, 3, 8, 8)), trailing_levels(6), Prediction.EPS)
    assert seen == trailing_levels(6)


@pytest.mark.parametrize("levels", [[], [10, 20], [20, 20]])
def test_levels_that_do_not_descend_are_refused(levels: list[int]) -> None:
    with pytest.raises(ValueError, match="descend"):
        unipc(eps_of_normal_data, torch.zeros(1, 3, 8, 8), levels, Prediction.EPS)
