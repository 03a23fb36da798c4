"""Published files become checkpoints with the same weights, or are refused with words that say why."""

import hashlib
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import nn

from diff2lip.checkpoint import load_checkpoint, load_expert, load_judge
from diff2lip.config import paper_model, parity_model
from diff2lip.errors import CheckpointError
from diff2lip.published import import_published
from diff2lip.syncnet import Expert, Judge
from diff2lip.unet import UNet
from diff2lip.weights_file import Kind
from tests.diff2lip.published import SYNCNET_FIGURES, load_formula_weights, shapes_digest


@pytest.fixture(scope="module", name="judge_weights")
def _judge_weights() -> dict[str, torch.Tensor]:
    return load_formula_weights(Judge()).state_dict()


def assert_same_weights(network: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    state = network.state_dict()
    assert state.keys() == weights.keys()
    assert all(torch.equal(state[name], weights[name]) for name in weights)


def stored_dtypes(path: Path) -> dict[str, str]:
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 - not a dict


def test_the_expert_is_taken_out_of_its_trainers_file(tmp_path: Path) -> None:
    weights = load_formula_weights(Expert()).state_dict()
    saved = {"state_dict": {f"module.{name}": tensor for name, tensor in weights.items()}, "global_step": 700_000}
    saved["optimizer"] = {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1e-4}]}
    torch.save(saved, tmp_path / "lipsync_expert.pth")

    imported = import_published(tmp_path / "lipsync_expert.pth", tmp_path / "expert.safetensors")

    assert (imported.kind, imported.num_tensors, imported.num_parameters) == (Kind.EXPERT, 217, 16_435_072)
    expert = load_expert(tmp_path / "expert.safetensors")
    assert not expert.training
    assert_same_weights(expert, weights)


@pytest.mark.parametrize("counters", [True, False], ids=["with counters", "without counters"])
def test_the_judge_is_read_in_the_old_format_of_pytorch(
    tmp_path: Path, judge_weights: dict[str, torch.Tensor], counters: bool
) -> None:
    kept = {name: one for name, one in judge_weights.items() if counters or not name.endswith("num_batches_tracked")}
    torch.save(kept, tmp_path / "syncnet_v2.model", _use_new_zipfile_serialization=False)

    imported = import_published(tmp_path / "syncnet_v2.model", tmp_path / "judge.safetensors")

    assert (imported.kind, imported.num_tensors, imported.num_parameters) == (Kind.JUDGE, 102, 13_631_616)
    assert imported.digest == hashlib.sha256((tmp_path / "judge.safetensors").read_bytes()).hexdigest()
    assert imported.source_digest == hashlib.sha256((tmp_path / "syncnet_v2.model").read_bytes()).hexdigest()
    assert_same_weights(load_judge(tmp_path / "judge.safetensors"), judge_weights)


def test_half_precision_of_the_published_model_halves_its_convolutions_alone(tmp_path: Path) -> None:
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in UNet(paper_model()).state_dict().items()}
    assert (
        shapes_digest({name: list(shape) for name, shape in shapes.items()})
        == (SYNCNET_FIGURES["unet_128_paper"]["shapes_digest"])
    )
    numbers = torch.randn(5_000_000, generator=torch.Generator().manual_seed(0))  # all weights are taken from these
    weights = {
        name: numbers[index : index + torch.Size(shape).numel()].view(shape)
        for index, (name, shape) in enumerate(shapes.items())
    }
    torch.save(weights, tmp_path / "paper.pt")

    imported = import_published(tmp_path / "paper.pt", tmp_path / "paper.safetensors", torch.float16)

    assert (imported.kind, imported.num_tensors, imported.num_parameters) == (Kind.DENOISER, 632, 101_670_630)
    full = ("time_embed", "emb_layers", "norm", "in_layers.0", "out_layers.0", "input_block.1", "to_style.0")
    kept = {name for name in shapes if name.startswith("out.") or any(part in name for part in full)}
    assert stored_dtypes(tmp_path / "paper.safetensors") == {name: "F32" if name in kept else "F16" for name in shapes}
    checkpoint = load_checkpoint(tmp_path / "paper.safetensors")
    assert checkpoint.denoiser.config == paper_model()
    assert checkpoint.digest == imported.digest
    assert checkpoint.lineage["imported_from"] == "paper.pt"
    rounded = {name: one if name in kept else one.half().float() for name, one in weights.items()}
    assert_same_weights(checkpoint.denoiser, rounded)


@pytest.mark.parametrize(("dtype", "stored"), [(torch.bfloat16, "BF16"), (torch.float16, "F16")], ids=["bf16", "fp16"])
def test_half_precision_of_the_judge_halves_its_convolutions_alone(
    tmp_path: Path, judge_weights: dict[str, torch.Tensor], dtype: torch.dtype, stored: str
) -> None:
    torch.save(judge_weights, tmp_path / "judge.model")

    imported = import_published(tmp_path / "judge.model", tmp_path / "judge.safetensors", dtype)

    of_convolutions = {name for name in judge_weights if judge_weights[name].ndim >= 4}
    of_convolutions |= {name.removesuffix("weight") + "bias" for name in of_convolutions}
    dtypes = stored_dtypes(tmp_path / "judge.safetensors")
    assert {name for name, one in dtypes.items() if one == stored} == of_convolutions
    assert imported.num_halved == len(of_convolutions)
    assert {one for name, one in dtypes.items() if name not in of_convolutions} == {"F32", "I64"}


def test_the_small_size_of_the_published_denoiser_is_known_by_its_shapes(tmp_path: Path) -> None:
    weights = load_formula_weights(UNet(parity_model())).state_dict()
    torch.save(weights, tmp_path / "small.pt")

    imported = import_published(tmp_path / "small.pt", tmp_path / "small.safetensors")

    checkpoint = load_checkpoint(tmp_path / "small.safetensors")
    assert (imported.kind, imported.num_tensors) == (Kind.DENOISER, len(weights))
    assert checkpoint.denoiser.config == parity_model()
    assert_same_weights(checkpoint.denoiser, weights)


class Intruder:
    """What a pickle can do to its reader."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.trace),)


def refused(path: Path) -> str:
    """The words with which a file is refused; nothing may be left behind."""
    out = path.with_name("out.safetensors")
    before = sorted(path.parent.iterdir())
    with pytest.raises(CheckpointError) as caught:
        import_published(path, out)
    assert sorted(path.parent.iterdir()) == before
    return str(caught.value)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
def test_a_file_with_code_in_it_is_refused_and_the_code_does_not_run(tmp_path: Path, zipped: bool) -> None:
    trace = tmp_path / "trace"
    torch.save({"a": Intruder(trace)}, tmp_path / "evil.pt", _use_new_zipfile_serialization=zipped)

    assert "evil.pt asks to run posix.mkdir, so it was refused" in refused(tmp_path / "evil.pt")
    assert not trace.exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
def test_a_file_that_was_cut_off_is_refused_wherever_it_ends(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "cut.pt"
    torch.save(
        {f"layer.{index}.weight": torch.ones(50) for index in range(8)}, path, _use_new_zipfile_serialization=zipped
    )
    whole = path.read_bytes()

    for length in range(1, len(whole), 97):
        path.write_bytes(whole[:length])
        words = refused(path)  # a name that was cut in two is an unknown name
        assert "no whole PyTorch file: it was cut off" in words or "only whole files" in words


def test_what_never_was_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.pt").write_text("this is no model\n" * 100)
    (tmp_path / "numbers.pt").write_bytes(struct.pack("<64d", *range(64)))
    torch.save([torch.zeros(3)], tmp_path / "list.pt")
    torch.save({"state_dict": {"epoch": 3}}, tmp_path / "counts.pt")

    assert refused(tmp_path / "empty.pt") == "empty.pt is empty"
    assert "never was one" in refused(tmp_path / "text.pt")
    assert "never was one" in refused(tmp_path / "numbers.pt")
    assert "no tensors by name" in refused(tmp_path / "list.pt")
    assert "no tensors by name" in refused(tmp_path / "counts.pt")


def test_a_file_of_another_architecture_is_refused_with_what_can_be_imported(tmp_path: Path) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 2))
    torch.save(layers.state_dict(), tmp_path / "other.pt")

    words = refused(tmp_path / "other.pt")

    assert "other.pt is of another architecture: 9 tensors, the first are 0.weight, 0.bias, 1.weight" in words
    assert "lip-sync expert of Wav2Lip" in words


def test_all_tensors_that_do_not_fit_are_named_with_expected_and_found_shapes(
    tmp_path: Path, judge_weights: dict[str, torch.Tensor]
) -> None:
    weights = dict(judge_weights)
    del weights["netfcaud.3.bias"]
    weights["netcnnaud.0.weight"] = torch.zeros(64, 3, 3, 3)
    weights["netfcaud.6.weight"] = torch.zeros(2, 1024)
    torch.save(weights, tmp_path / "wide.model")

    assert refused(tmp_path / "wide.model").splitlines() == [
        "3 tensors do not fit the judge SyncNet v2:",
        "netcnnaud.0.weight: expected (64, 1, 3, 3), found (64, 3, 3, 3)",
        "netfcaud.3.bias: expected (1024,), found nothing",
        "netfcaud.6.weight: expected nothing, found (2, 1024)",
    ]


def test_weights_that_are_no_numbers_or_too_large_for_half_precision_are_refused(
    tmp_path: Path, judge_weights: dict[str, torch.Tensor]
) -> None:
    torch.save(judge_weights | {"netcnnaud.0.bias": torch.full((64,), torch.nan)}, tmp_path / "nan.model")
    torch.save(judge_weights | {"netcnnaud.0.bias": torch.full((64,), 1e5)}, tmp_path / "large.model")

    assert refused(tmp_path / "nan.model").endswith("not finite in this precision: netcnnaud.0.bias")
    with pytest.raises(CheckpointError, match=r"netcnnaud\.0\.bias"):
        import_published(tmp_path / "large.model", tmp_path / "out.safetensors", torch.float16)
    import_published(tmp_path / "large.model", tmp_path / "out.safetensors", torch.float32)


def test_another_dtype_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fp32, bf16, fp16"):
        import_published(tmp_path / "any.pt", tmp_path / "out.safetensors", torch.float64)
