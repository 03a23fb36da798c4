"""Formula weights and inputs, for which the published networks' outputs are known.

`published_figures.json` (painter, sampler, mel) and `published_syncnets.json` are small extracts of outputs recorded
from the published code; the weights are drawn from each key's name, so a re-implementation with the right architecture
must give the same outputs. Where the whole record lies beside the repository, tests read that too.
"""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "published_figures.json").read_text())
SYNCNET_FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "published_syncnets.json").read_text())
WHOLE_RECORD = Path(__file__).parents[3] / "shared" / "reference" / "published_networks.json"


def formula_normal(key: str, shape: tuple[int, ...], salt: int = 0) -> np.ndarray:
    """Standard normal numbers that the key and the salt alone decide."""
    return np.random.default_rng(zlib.crc32(key.encode()) + salt).standard_normal(shape).astype(np.float32)


def formula_input(name: str, shape: tuple[int, ...], salt: int = 0) -> Tensor:
    """An input of a recorded case."""
    return torch.from_numpy(formula_normal(f"input:{name}", shape, salt))


def load_formula_weights(network: nn.Module, salt: int = 0) -> nn.Module:
    """The network in eval mode with the weights of the formula."""
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    network.load_state_dict({key: torch.from_numpy(_weight(key, shape, salt)) for key, shape in shapes.items()})
    return network.eval()


def recorded(figures: dict[str, Any], output: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Our values and the recorded ones at the recorded places; shapes must agree."""
    assert list(output.shape) == figures["shape"]
    return output.flatten()[torch.tensor(figures["index"])].numpy(), np.array(figures["value"])


def shapes_digest(shapes: dict[str, list[int]]) -> str:
    """SHA-256 of all names and shapes of a state dict, in the order of the names."""
    return hashlib.sha256("\n".join(f"{key} {list(shapes[key])}" for key in sorted(shapes)).encode()).hexdigest()


def _weight(key: str, shape: tuple[int, ...], salt: int) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if not shape:
        return np.zeros(shape, np.float32)
    normal = formula_normal(key, shape, salt)
    if key.endswith("running_var"):
        return 1 + 0.1 * np.abs(normal)
    if key.endswith("running_mean"):
        return 0.1 * normal
    if len(shape) == 1:
        return 1 + 0.1 * normal if key.endswith("weight") else 0.1 * normal
    return (normal / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
