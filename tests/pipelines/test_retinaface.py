"""The detector's network and decoding, against the published package and on real pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from albumentations import Normalize
from retinaface.box_utils import decode, decode_landm
from retinaface.predict_single import Model
from retinaface.prior_box import priorbox

from pipelines.detection import overlap
from pipelines.detector_network import CAFFE, OnnxMobileNet, TorchNetwork, detector_network
from pipelines.face_anchors import anchors, decode_boxes, decode_points
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector, working_scale
from pipelines.media.picture import rgb_frames
from pipelines.retinaface import RetinaFace, load_retinaface
from tests.real_assets import real_asset

SIZES = [[16, 32], [64, 128], [256, 512]]


@pytest.mark.parametrize(("height", "width"), [(64, 96), (75, 50), (240, 321)])
def test_anchors_and_decoding_equal_the_published_ones(height: int, width: int) -> None:
    theirs = priorbox(min_sizes=SIZES, steps=[8, 16, 32], clip=False, image_size=(height, width))
    priors = anchors(height, width)
    ours = torch.from_numpy(priors)
    unit = torch.tensor([width, height, width, height])
    assert torch.allclose(ours, theirs * unit, atol=1e-3)
    generator = torch.Generator().manual_seed(0)
    offsets = torch.randn(len(ours), 4, generator=generator)
    assert torch.allclose(
        torch.from_numpy(decode_boxes(offsets.numpy(), priors)), decode(offsets, theirs, [0.1, 0.2]) * unit, atol=1e-2
    )
    offsets = torch.randn(len(ours), 10, generator=generator)
    points = decode_landm(offsets, theirs, [0.1, 0.2]).reshape(-1, 5, 2) * unit[:2]
    assert torch.allclose(torch.from_numpy(decode_points(offsets.numpy(), priors)), points, atol=1e-2)


def test_network_answers_at_every_anchor() -> None:
    outputs = RetinaFace().eval()(torch.zeros(2, 3, 75, 50))
    assert [tuple(output.shape) for output in outputs] == [(2, len(anchors(75, 50)), size) for size in (4, 2, 10)]


def test_network_has_the_published_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in RetinaFace().parameters()) == 423_264


@pytest.mark.parametrize(("size", "long_side"), [((2160, 3840), 1280), ((720, 1280), 1280), ((240, 320), 480)])
def test_working_size_is_bounded_on_both_sides(size: tuple[int, int], long_side: int) -> None:
    assert max(size) * working_scale(*size, DetectorConfig()) == pytest.approx(long_side)


def test_tiny_picture_is_at_most_doubled() -> None:
    assert working_scale(90, 120, DetectorConfig()) == 2.0


def test_unknown_backend_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="mobilenet, resnet50"):
        DetectorConfig(backend="yolo")


@pytest.mark.assets
@pytest.mark.parametrize("size", [(75, 122), (240, 320)])
def test_network_in_torch_equals_its_onnx_file(size: tuple[int, int]) -> None:
    """The one runs on GPUs, the other on CPUs."""
    path = real_asset("retinaface-mobilenet025")
    frames = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    ours, theirs = TorchNetwork(load_retinaface(path), CAFFE, "cpu")(frames), OnnxMobileNet(path)(frames)
    for name in ("offsets", "scores", "points"):
        assert np.abs(getattr(ours, name) - getattr(theirs, name)).max() < 1e-3


@pytest.mark.assets
def test_answers_do_not_depend_on_what_else_is_in_the_batch() -> None:
    real_asset("retinaface-mobilenet025")
    frames = np.random.default_rng(0).integers(0, 256, (3, 96, 128, 3), np.uint8)
    network = detector_network(DetectorConfig())
    together, apart = network(frames), [network(frame[None]) for frame in frames]
    for name in ("offsets", "scores", "points"):
        assert np.array_equal(getattr(together, name), np.concatenate([getattr(one, name) for one in apart]))


def test_resnet50_answers_what_the_published_package_makes_of_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With weights drawn at random: the published ones are in no package."""
    torch.manual_seed(0)
    published = Model(max_size=96, device="cpu")
    published.model.eval()
    torch.save(published.model.state_dict(), tmp_path / "retinaface_resnet50_2020-07-20.pth")
    monkeypatch.setenv("DIFF2LIP_ASSETS", str(tmp_path))
    monkeypatch.setenv("DIFF2LIP_CACHE", str(tmp_path / "cache"))
    frame = np.random.default_rng(0).integers(0, 256, (72, 96, 3), np.uint8)

    ours = detector_network(DetectorConfig(backend="resnet50"))(frame[None])

    pixels = torch.from_numpy(Normalize()(image=frame)["image"]).permute(2, 0, 1)[None]
    with torch.inference_mode():
        offsets, logits, points = published.model(pixels)
    scores = logits.softmax(-1)[..., 1]
    for answers, theirs in ((ours.offsets, offsets), (ours.scores, scores), (ours.points, points)):
        assert np.abs(answers - theirs.numpy()).max() < 1e-3
    assert float(ours.scores.std()) > 0


@pytest.mark.assets
def test_both_small_faces_are_found_and_nobody_where_nobody_is() -> None:
    two = [frame for _, frame in rgb_frames(real_asset("clip-obama-speech"), 0, 1 << 60)][::15]
    nobody = [frame for _, frame in rgb_frames(real_asset("clip-no-face"), 0, 1 << 60)][::15]
    detector = FaceDetector()
    for faces in detector.detect(two):
        assert len(faces) == 2
        assert all(face.score > 0.95 and 40 < face.height < 75 for face in faces)
    assert detector.detect(nobody) == [[]] * len(nobody)


@pytest.mark.assets
def test_face_keeps_its_place_when_the_picture_is_eight_times_larger() -> None:
    frame = next(rgb_frames(real_asset("clip-test-movie"), 0, 1 << 60))[1]
    large = frame.repeat(8, 0).repeat(8, 1)
    ((small_face,), (large_face,)) = (FaceDetector().detect([picture])[0] for picture in (frame, large))
    assert overlap((large_face.box + 0.5) / 8 - 0.5, small_face.box) > 0.75
    assert np.abs((large_face.points + 0.5) / 8 - 0.5 - small_face.points).max() < 7
