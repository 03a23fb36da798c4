"""The norm of half-precision training on CPUs is PyTorch's, forwards to the bit and backwards to rounding."""

import pytest
import torch
from torch.nn import functional

from diff2lip.group_norm import HalfGroupNorm, trains_half_on_cpu

SHAPES = [(3, 32, 5, 7), (2, 48, 24, 24), (1, 32, 3, 1)]
GROUPS, EPS = 16, 1e-5


def drawn(shape: tuple[int, int, int, int]) -> list[torch.Tensor]:
    """Input off zero, weight, bias, and the gradient that comes back."""
    generator = torch.Generator().manual_seed(0)
    x, given = (torch.randn(shape, generator=generator) for _ in range(2))
    weight, bias = (torch.randn(shape[1], generator=generator) for _ in range(2))
    return [(2 * x + 1).bfloat16(), weight.bfloat16(), bias.bfloat16(), given.bfloat16()]


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_as_near_to_the_exact_ones_as_halves_can_be(shape: tuple[int, int, int, int]) -> None:
    x, weight, bias, given = drawn(shape)
    x, given = (value.to(memory_format=torch.channels_last) for value in (x, given))
    exact = [value.double().requires_grad_() for value in (x, weight, bias)]
    ours = [value.clone().requires_grad_() for value in (x, weight, bias)]
    functional.group_norm(exact[0], GROUPS, exact[1], exact[2], EPS).backward(given.double())  # type: ignore[no-untyped-call]

    y = HalfGroupNorm.apply(*ours, GROUPS, EPS)
    y.backward(given)

    assert torch.equal(y, functional.group_norm(x, GROUPS, weight, bias, EPS))
    for mine, true in zip(ours, exact, strict=True):
        assert mine.grad is not None
        assert true.grad is not None
        assert (mine.grad.double() - true.grad).norm() <= 0.01 * true.grad.norm() + 1e-6


def test_it_is_taken_only_where_it_is_the_quicker_way() -> None:
    half = torch.randn(1, 16, 4, 4).bfloat16().to(memory_format=torch.channels_last)

    assert trains_half_on_cpu(half)
    assert not trains_half_on_cpu(half.float())
    assert not trains_half_on_cpu(half[0])
    with torch.inference_mode():
        assert not trains_half_on_cpu(half)
