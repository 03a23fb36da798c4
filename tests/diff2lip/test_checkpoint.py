"""A checkpoint gives back what was saved, and says when it is something else."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from diff2lip.checkpoint import load_checkpoint, load_expert, load_judge, read_config, save_checkpoint, save_expert
from diff2lip.config import parity_model, small_model
from diff2lip.errors import CheckpointError
from diff2lip.precision import convolution_tensors
from diff2lip.syncnet import Expert, expert_128
from diff2lip.unet import UNet
from diff2lip.weights_file import Header, Kind, write_weights
from tests.diff2lip.published import load_formula_weights


@pytest.fixture(scope="module", name="expert_file")
def _expert_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("expert") / "expert.safetensors"
    save_expert(path, load_formula_weights(Expert(expert_128())), {"trained": "no"})
    return path


def test_an_expert_comes_back_as_it_was_saved(expert_file: Path) -> None:
    saved, loaded = load_formula_weights(Expert(expert_128())), load_expert(expert_file)

    assert loaded.config == expert_128()
    assert not loaded.training
    for name, tensor in saved.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_a_denoiser_comes_back_with_its_configuration_lineage_and_digest(tmp_path: Path) -> None:
    path, denoiser = tmp_path / "small.safetensors", load_formula_weights(UNet(small_model()))

    digest = save_checkpoint(path, denoiser, {"trained": "no"}, torch.float16)
    checkpoint = load_checkpoint(path)

    assert read_config(path) == checkpoint.denoiser.config == small_model()
    assert checkpoint.lineage == {"trained": "no"}
    assert checkpoint.digest == digest == hashlib.sha256(path.read_bytes()).hexdigest()
    halved = convolution_tensors(denoiser)
    for name, tensor in denoiser.state_dict().items():
        wanted = tensor.half().float() if name in halved else tensor
        assert torch.equal(checkpoint.denoiser.state_dict()[name], wanted)


def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path: Path) -> None:
    denoiser = UNet(parity_model())
    torch.nn.init.constant_(denoiser.get_parameter("input_blocks.0.0.bias"), 1e6)

    with pytest.raises(CheckpointError, match=r"not finite in this precision: input_blocks\.0\.0\.bias"):
        save_checkpoint(tmp_path / "large.safetensors", denoiser, {}, torch.float16)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_network_is_refused_by_name(expert_file: Path) -> None:
    with pytest.raises(CheckpointError, match="the weights of the expert; those of the denoiser"):
        read_config(expert_file)
    with pytest.raises(CheckpointError, match="the weights of the expert; those of the denoiser"):
        load_checkpoint(expert_file)
    with pytest.raises(CheckpointError, match="the weights of the expert; those of the judge"):
        load_judge(expert_file)


def test_a_checkpoint_that_was_cut_off_is_refused(expert_file: Path, tmp_path: Path) -> None:
    whole = expert_file.read_bytes()
    for length in (0, 5, 1000, len(whole) - 1):
        (tmp_path / "cut.safetensors").write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"cut\.safetensors is no whole safetensors file"):
            load_expert(tmp_path / "cut.safetensors")


def test_safetensors_without_our_configuration_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, str(tmp_path / "foreign.safetensors"))

    with pytest.raises(CheckpointError, match="holds no diff2lip configuration"):
        load_checkpoint(tmp_path / "foreign.safetensors")


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    header = Header(kind=Kind.JUDGE, config={}, lineage={"imported_from": "a \u00e9 file", "dtype": "fp32"})
    weights = {f"{index}.weight": torch.full((3, index), 0.5) for index in range(1, 5)}

    digests = {write_weights(tmp_path / f"{index}.safetensors", header, weights) for index in range(20)}

    assert digests == {hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    assert len(digests) == 1


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "taken.safetensors").mkdir()

    with pytest.raises(OSError, match="taken"):
        save_expert(tmp_path / "taken.safetensors", Expert(), {})

    assert [path.name for path in tmp_path.iterdir()] == ["taken.safetensors"]
