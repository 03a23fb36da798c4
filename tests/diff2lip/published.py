"""Formula weights and inputs, for which the published networks' outputs are known (`published_figures.json`).

The figures are a small extract of outputs recorded from the published code; the weights are drawn from each key's
name, so a re-implementation with the right architecture must give the same outputs.
"""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "published_figures.json").read_text())


def formula_normal(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers that the key alone decides."""
    return np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)


def formula_input(name: str, shape: tuple[int, ...]) -> Tensor:
    """An input of a recorded case."""
    return torch.from_numpy(formula_normal(f"input:{name}", shape))


def load_formula_weights(network: nn.Module) -> nn.Module:
    """The network in eval mode with the weights of the formula."""
    state = {key: torch.from_numpy(_weight(key, tuple(value.shape))) for key, value in network.state_dict().items()}
    network.load_state_dict(state)
    return network.eval()


def recorded(figures: dict[str, Any], output: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Our values and the recorded ones at the recorded places; shapes must agree."""
    assert list(output.shape) == figures["shape"]
    return output.flatten()[torch.tensor(figures["index"])].numpy(), np.array(figures["value"])


def _weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    normal = formula_normal(key, shape)
    if len(shape) == 1:
        return 1 + 0.1 * normal if key.endswith("weight") else 0.1 * normal
    return (normal / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
