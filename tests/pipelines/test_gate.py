"""What the gate lets pass, and what is tried when it does not."""

import pytest

from diff2lip.config import SamplerConfig
from pipelines.gate import GateConfig, Try, painted_as
from pipelines.mask import MaskConfig

GOOD = {
    "seam_ratio": 1.0,
    "flicker_ratio": 1.2,
    "sharpness_ratio": 0.9,
    "movement_ratio": 0.9,
    "identity_distance": 0.1,
    "sync_loss": 0.1,
    "outside_change": 0,
}


def test_a_composited_shot_within_all_bounds_passes_and_what_is_unknown_does_not_fail() -> None:
    assert GateConfig().failed(GOOD) == []
    assert GateConfig().failed(dict.fromkeys(GOOD)) == []
    assert GateConfig().failed(GOOD | {"sync_loss": -0.4}) == []  # better than the film


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("seam_ratio", 1.31),
        ("flicker_ratio", 3.1),
        ("sharpness_ratio", 0.45),
        ("sharpness_ratio", 1.9),
        ("movement_ratio", 0.3),
        ("identity_distance", 0.37),
        ("sync_loss", 0.4),
        ("outside_change", 1),
    ],
)
def test_what_a_composited_shot_breaks_is_named(measure: str, value: float) -> None:
    assert GateConfig().failed(GOOD | {measure: value}) == [measure]


def test_tries_differ_in_noise_and_then_in_the_mask() -> None:
    sampler, mask = SamplerConfig(seed=4), MaskConfig()

    (first, other, smaller) = (painted_as(how, sampler, mask) for how in Try)

    assert first == (sampler, mask)
    assert (other[0].seed, other[1]) == (5, mask)
    assert smaller[0] == sampler  # its crops are in storage: nothing is painted anew
    assert smaller[1].chin_drop < mask.chin_drop
    assert smaller[1].outline_margin < 0 < mask.outline_margin
    shrunk = painted_as(Try.SMALLER_MASK, sampler, MaskConfig(outline_margin=-0.02))[1]
    assert shrunk.outline_margin < -0.02


@pytest.mark.parametrize(
    "wrong", [{"max_tries": 4}, {"max_tries": -1}, {"min_sharpness_ratio": 3.0}, {"max_seam_ratio": 0.0}]
)
def test_wrong_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        GateConfig(**wrong)  # type: ignore[arg-type]
