"""Half precision halves what the published code halves, and paints nearly the same."""

import pytest
import torch

from diff2lip.config import Precision, SamplerConfig, small_model
from diff2lip.precision import convolution_tensors, set_precision
from diff2lip.sampler import paint
from diff2lip.syncnet import Expert, Judge
from diff2lip.unet import Condition, UNet
from tests.diff2lip.published import formula_input, load_formula_weights


def network() -> UNet:
    made = UNet(small_model()).eval()
    load_formula_weights(made)
    return made


def condition(denoiser: UNet) -> Condition:
    size = denoiser.config.crop.size_px
    source, reference, noise = (formula_input(f"half:{name}", (2, 3, size, size)) for name in ("a", "b", "c"))
    mask = torch.zeros(1, 1, size, size)
    mask[:, :, size // 2 :] = 1
    with torch.inference_mode():
        sound = denoiser.encode_sound(formula_input("half:mel", (2, 80, 16)))
    return Condition(source.clamp(-1, 1), mask, noise[:1], reference.clamp(-1, 1), sound)


def test_only_convolutions_are_halved_and_never_those_of_the_first_and_last_parts() -> None:
    denoiser = set_precision(network(), Precision.BF16)
    halved = {name for name, tensor in denoiser.state_dict().items() if tensor.dtype is torch.bfloat16}
    assert halved == convolution_tensors(denoiser)
    assert "input_blocks.0.0.weight" in halved
    assert not any(name.split(".")[0] in ("time_embed", "out") or ".emb_layers." in name for name in halved)


@pytest.mark.parametrize("precision", [Precision.BF16, Precision.FP16])
def test_half_precision_gives_float32_that_is_near(precision: Precision) -> None:
    exact = network()
    near = set_precision(network(), precision)
    given = condition(exact)
    x_t, t = formula_input("half:x", (2, 3, 96, 96)), torch.tensor([400, 400])
    with torch.inference_mode():
        wanted, got = exact(x_t, t, given), near(x_t, t, condition(near))
    assert got.dtype is torch.float32
    # 8 bits of mantissa, rounded in some forty layers one after the other.
    assert (got - wanted).abs().max() < 0.05 * wanted.abs().max()


@pytest.mark.parametrize("precision", [Precision.BF16, Precision.FP16])
def test_the_syncnets_give_float32_that_is_near(precision: Precision) -> None:
    mel, faces = formula_input("half:mel", (2, 1, 80, 16)), formula_input("half:face", (2, 15, 48, 96)).abs()
    cepstra, lips = (
        formula_input("half:mfcc", (2, 1, 13, 20)),
        64 * formula_input("half:lip", (2, 3, 5, 224, 224)).abs(),
    )
    pairs = [
        (load_formula_weights(kind()), set_precision(load_formula_weights(kind()), precision))
        for kind in (Expert, Judge)
    ]
    with torch.inference_mode():
        for (exact, near), given in zip(pairs, ((mel, faces), (cepstra, lips)), strict=True):
            for wanted, got in zip(exact(*given), near(*given), strict=True):
                assert got.dtype is torch.float32
                assert (got - wanted).abs().max() < 0.05 * wanted.abs().max()


def test_float32_is_left_as_it_is_to_the_bit() -> None:
    one, other = network(), set_precision(network(), Precision.FP32)
    sampler = SamplerConfig(steps=2, guidance=1.0)
    assert torch.equal(paint(one, condition(one), sampler), paint(other, condition(other), sampler))
