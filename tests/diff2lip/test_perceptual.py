"""ST-LPIPS gives the figures of its authors' package; LPIPS says what it lacks."""

from pathlib import Path

import pytest
import torch
from skimage import data
from torch import nn
from torch.nn import functional

from diff2lip.errors import CheckpointError
from diff2lip.metrics import PerceptualWeightsError, load_lpips, load_st_lpips, perceptual_distance
from diff2lip.perceptual import LPIPS_BACKBONE
from tests.real_assets import real_asset

FACE = torch.from_numpy(data.astronaut()[20:148, 128:256]).permute(2, 0, 1)[None].float() / 127.5 - 1
CHANGES = {
    "half the contrast": 0.5 * FACE,
    "moved by two": FACE.roll(2, -1),
    "blurred by 3": functional.avg_pool2d(FACE, 3, 1, 1, count_include_pad=False),
    "blurred by 7": functional.avg_pool2d(FACE, 7, 1, 3, count_include_pad=False),
    "blurred by 15": functional.avg_pool2d(FACE, 15, 1, 7, count_include_pad=False),
}
# Given by stlpips-pytorch 0.0.2, LPIPS(net="alex", variant="shift_tolerant"), on the same pictures with torch 2.14.1.
OF_THE_PACKAGE = {
    "half the contrast": 0.2312758,
    "moved by two": 0.0237040,
    "blurred by 3": 0.1370328,
    "blurred by 7": 0.5233167,
    "blurred by 15": 0.7183062,
}


@pytest.fixture(scope="module", name="st_lpips")
def _st_lpips() -> nn.Module:
    return load_st_lpips(real_asset("st-lpips-alexnet"))


@pytest.mark.parametrize("change", CHANGES)
def test_st_lpips_is_that_of_its_authors(st_lpips: nn.Module, change: str) -> None:
    distance = perceptual_distance(st_lpips, CHANGES[change], FACE)

    assert float(distance) == pytest.approx(OF_THE_PACKAGE[change], rel=1e-4)


def test_equal_pictures_are_at_no_distance_and_a_batch_is_its_pictures(st_lpips: nn.Module) -> None:
    pictures = torch.cat([FACE, CHANGES["blurred by 7"]])

    both = perceptual_distance(st_lpips, pictures, FACE.expand(2, -1, -1, -1))

    assert float(both[0]) == pytest.approx(0, abs=1e-9)  # the two sides differ in memory layout
    assert float(both[1]) == pytest.approx(OF_THE_PACKAGE["blurred by 7"], rel=1e-4)


def test_pictures_that_do_not_pair_are_refused(st_lpips: nn.Module) -> None:
    with pytest.raises(ValueError, match="alike"):
        perceptual_distance(st_lpips, FACE, FACE[..., :64])


def test_other_weights_are_refused_by_name(tmp_path: Path) -> None:
    torch.save({"net.slice1.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")

    with pytest.raises(CheckpointError, match="shift-tolerant AlexNet"):
        load_st_lpips(tmp_path / "other.pth")


def test_lpips_without_its_backbone_says_so_and_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    with pytest.raises(PerceptualWeightsError, match=rf"put {LPIPS_BACKBONE} into .*checkpoints"):
        load_lpips()
    assert not list(tmp_path.rglob("*.pth"))


def test_lpips_is_taken_from_a_backbone_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import alexnet

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    backbone = alexnet(weights=None)
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(backbone.state_dict(), tmp_path / "hub" / "checkpoints" / LPIPS_BACKBONE)

    network = load_lpips()

    first = network.get_parameter("net.slice1.0.weight")
    assert torch.equal(first, backbone.get_parameter("features.0.weight"))
    assert float(perceptual_distance(network, FACE, FACE)) == 0
    assert float(perceptual_distance(network, CHANGES["blurred by 7"], FACE)) > 0
