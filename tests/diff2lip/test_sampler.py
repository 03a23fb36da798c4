"""What a sampler's settings cost in calls of the network, and that it makes as many."""

import pytest
import torch

from diff2lip.config import SamplerConfig, published_sampler
from diff2lip.noise_levels import Spacing
from diff2lip.sampler import paint
from diff2lip.unet import Condition, UNet
from tests.tiny_model import TINY


@pytest.mark.parametrize(
    ("sampler", "calls"),
    [
        (published_sampler(), 25),
        (SamplerConfig(), 8),  # 960 and 762 of six levels are guided
        (SamplerConfig(steps=4, guided_from=0, spacing=Spacing.PUBLISHED), 8),
        (SamplerConfig(steps=4, guided_from=500, spacing=Spacing.PUBLISHED), 6),  # 750 and 500 of 750, 500, 250, 0
        (SamplerConfig(steps=6, guided_from=1000), 6),
    ],
)
def test_a_frame_costs_the_calls_that_its_settings_say(sampler: SamplerConfig, calls: int) -> None:
    torch.manual_seed(0)
    unet, made = UNet(TINY).eval(), []
    unet.register_forward_hook(lambda *_: made.append(1))
    size = TINY.crop.size_px
    given = torch.zeros(1, 3, size, size)
    condition = Condition(given, torch.ones(1, 1, size, size), given, given, torch.zeros(1, 4 * TINY.channels))

    paint(unet, condition, sampler)

    assert len(made) == sampler.calls == calls


def test_guidance_where_nothing_is_guided_paints_as_without() -> None:
    torch.manual_seed(0)
    unet, size = UNet(TINY).eval(), TINY.crop.size_px
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    given = torch.rand(1, 3, size, size)
    condition = Condition(given, torch.ones(1, 1, size, size), given, given, torch.rand(1, 4 * TINY.channels))
    plain, unguided, guided = (
        paint(unet, condition, SamplerConfig(steps=4, guidance=guidance, guided_from=guided_from))
        for guidance, guided_from in ((1.0, 0), (2.5, 1000), (2.5, 0))
    )
    assert torch.equal(plain, unguided)
    assert not torch.equal(plain, guided)
