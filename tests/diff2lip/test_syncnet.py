"""The expert and the judge are the published networks, tensor for tensor and figure for figure."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from diff2lip.syncnet import Expert, ExpertConfig, Judge, expert_128, lower_halves
from tests.diff2lip.published import (
    SYNCNET_FIGURES,
    WHOLE_RECORD,
    formula_input,
    load_formula_weights,
    recorded,
    shapes_digest,
)

NEAR = 1e-5  # of the largest output: fp32 sums in another order


@pytest.fixture(params=["extract", "whole"], name="figures")
def _figures(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The project's own figures, and the record that they are taken from where it is there."""
    if request.param == "extract":
        return SYNCNET_FIGURES
    if not WHOLE_RECORD.is_file():
        pytest.skip("the whole record does not lie beside the repository")
    return json.loads(WHOLE_RECORD.read_text())  # type: ignore[no-any-return]


def shapes_of(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def assert_published(record: dict[str, Any], output: torch.Tensor) -> None:
    np.testing.assert_allclose(*recorded(record, output), rtol=0, atol=NEAR * record["absmax"])


@pytest.mark.parametrize(("name", "build"), [("wav2lip_expert", Expert), ("syncnet_v2", Judge)])
def test_the_tensors_are_those_of_the_published_file_no_more_no_less(
    figures: dict[str, Any], name: str, build: Callable[[], nn.Module]
) -> None:
    record, network = figures[name], build()

    if "state_dict" in record:
        assert shapes_of(network) == record["state_dict"]
    else:
        assert len(network.state_dict()) == record["num_tensors"]
        assert shapes_digest(shapes_of(network)) == record["shapes_digest"]
    assert sum(parameter.numel() for parameter in network.parameters()) == record["num_parameters"]


def test_the_expert_gives_the_published_outputs(figures: dict[str, Any]) -> None:
    salt = figures["salt"]
    expert = load_formula_weights(Expert(), salt)
    mel = formula_input("expert:mel", (2, 1, 80, 16), salt)
    faces = formula_input("expert:face", (2, 15, 48, 96), salt).abs().clamp(0, 1)

    with torch.no_grad():
        sound_vectors, face_vectors = expert(mel, faces)

    assert_published(figures["wav2lip_expert"]["audio"], sound_vectors)
    assert_published(figures["wav2lip_expert"]["face"], face_vectors)


def test_the_judge_gives_the_published_outputs(figures: dict[str, Any]) -> None:
    salt = figures["salt"]
    judge = load_formula_weights(Judge(), salt)
    cepstra = formula_input("sync:mfcc", (2, 1, 13, 20), salt)
    faces = (formula_input("sync:lip", (2, 3, 5, 224, 224), salt).abs() * 64).clamp(0, 255)

    with torch.no_grad():
        sound_vectors, lip_vectors = judge(cepstra, faces)

    assert_published(figures["syncnet_v2"]["audio"], sound_vectors)
    assert_published(figures["syncnet_v2"]["lip"], lip_vectors)


def test_our_expert_differs_from_the_published_one_in_the_kernel_of_its_last_map_alone() -> None:
    published, ours = shapes_of(Expert()), shapes_of(Expert(expert_128()))

    assert published.keys() == ours.keys()
    assert [name for name in ours if ours[name] != published[name]] == ["face_encoder.15.conv_block.0.weight"]
    assert ours["face_encoder.15.conv_block.0.weight"] == [512, 512, 4, 4]


def test_faces_and_sounds_of_our_expert_become_vectors_of_length_one_with_cosines_in_0_to_1() -> None:
    expert = load_formula_weights(Expert(expert_128()))
    crops = formula_input("128:crops", (3, 5, 3, 128, 128)).clamp(-1, 1)

    with torch.no_grad():
        sounds, faces = expert(formula_input("128:mel", (3, 1, 80, 16)), lower_halves(crops))

    assert sounds.shape == faces.shape == (3, 512)
    for vectors in (sounds, faces):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    cosines = (sounds * faces).sum(dim=1)
    assert torch.all((cosines >= 0) & (cosines <= 1))


def test_the_expert_sees_the_lower_half_blue_first_in_0_to_1_frame_after_frame() -> None:
    crops = torch.full((1, 5, 3, 8, 8), -1.0)
    crops[0, 3, 0, 4:] = 1.0  # frame 3 is red in its lower half
    crops[0, 4, 2, :4] = 1.0  # frame 4 is blue in its upper half

    halves = lower_halves(crops)

    wanted = torch.zeros(1, 15, 4, 8)
    wanted[0, 3 * 3 + 2] = 1.0
    assert torch.equal(halves, wanted)


def test_gradients_of_the_expert_reach_the_lower_half_of_every_frame_and_nothing_above() -> None:
    expert = load_formula_weights(Expert())
    crops = formula_input("gradient:crops", (1, 5, 3, 96, 96)).clamp(-0.9, 0.9).requires_grad_()

    expert.embed_faces(lower_halves(crops)).sum().backward()

    assert crops.grad is not None
    assert torch.all(crops.grad[:, :, :, :48] == 0)
    assert torch.all(crops.grad[:, :, :, 48:].abs().amax(dim=(0, 2, 3, 4)) > 0)


def test_inputs_of_another_shape_are_refused_with_the_shape_that_is_needed() -> None:
    expert, judge = Expert(), Judge()

    with pytest.raises(ValueError, match=r"\[B, 15, 48, 96\], got \[2, 15, 64, 128\]"):
        expert.embed_faces(torch.zeros(2, 15, 64, 128))
    with pytest.raises(ValueError, match=r"\[B, 1, 80, 16\], got \[2, 80, 16\]"):
        expert.embed_sound(torch.zeros(2, 80, 16))
    with pytest.raises(ValueError, match=r"\[B, 3, 5, 224, 224\], got \[1, 3, 5, 96, 96\]"):
        judge.embed_lips(torch.zeros(1, 3, 5, 96, 96))
    with pytest.raises(ValueError, match=r"\[B, 1, 13, 20\], got \[1, 13, 20\]"):
        judge.embed_sound(torch.zeros(1, 13, 20))


def test_a_face_too_small_for_the_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="2 x 96 px is too small"):
        ExpertConfig(face_px=(2, 96))
