"""On a GPU the detector answers as on a CPU."""

import numpy as np
import pytest
import torch

from pipelines.detector_network import CAFFE, Answers, OnnxMobileNet, TorchNetwork, detector_network
from pipelines.face_config import DetectorConfig
from pipelines.retinaface import load_retinaface
from tests.real_assets import real_asset

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 240, 320, 3), np.uint8)


def apart(one: Answers, other: Answers) -> float:
    """The most that two networks differ in."""
    return max(
        float(np.abs(getattr(one, name) - getattr(other, name)).max()) for name in ("offsets", "scores", "points")
    )


@pytest.mark.assets
@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")],
        ),
    ],
)
def test_torch_answers_as_onnx_runtime_does(device: str) -> None:
    path = real_asset("retinaface-mobilenet025")
    if device == "cuda":
        assert isinstance(detector_network(DetectorConfig(device=device)), TorchNetwork)
    network = TorchNetwork(load_retinaface(path), CAFFE, device)
    assert apart(network(FRAMES), OnnxMobileNet(path)(FRAMES)) < 1e-3
    assert apart(network(FRAMES[:1]), OnnxMobileNet(path)(FRAMES[:1])) < 1e-3
