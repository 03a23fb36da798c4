"""Weights come out of an ONNX file as they went in; the file is written here by hand."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.onnx_weights import conv_weights


def varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low]) if not high else bytes([low | 0x80]) + varint(high)


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def tensor(name: str, values: np.ndarray, raw: bool) -> bytes:
    shape = b"".join(number(1, size) for size in values.shape)
    return message(5, shape + number(2, 1) + message(8, name.encode()) + message(9 if raw else 4, values.tobytes()))


def node(kind: str, inputs: list[str], output: str) -> bytes:
    ins = b"".join(message(1, name.encode()) for name in inputs)
    return message(1, ins + message(2, output.encode()) + message(4, kind.encode()))


def write_model(path: Path, weight: np.ndarray, bias: np.ndarray) -> None:
    graph = tensor("w", weight, raw=True) + tensor("b", bias, raw=False)
    graph += node("Identity", ["b"], "alias") + node("Conv", ["picture", "w", "alias"], "out")
    graph += node("Relu", ["out"], "end") + node("Conv", ["end", "w", "b"], "last")
    path.write_bytes(number(1, 8) + message(7, graph))


def test_convolutions_come_in_graph_order_through_aliases(tmp_path: Path) -> None:
    weight = np.arange(300, dtype=np.float32).reshape(5, 20, 3, 1)
    bias = np.linspace(-1, 1, 5, dtype=np.float32)
    write_model(tmp_path / "model.onnx", weight, bias)
    found = conv_weights(tmp_path / "model.onnx")
    assert len(found) == 2
    for found_weight, found_bias in found:
        assert np.array_equal(found_weight, weight)
        assert np.array_equal(found_bias, bias)


def test_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "model.onnx", np.zeros((4, 4, 1, 1), np.float32), np.zeros(4, np.float32))
    (tmp_path / "short.onnx").write_bytes((tmp_path / "model.onnx").read_bytes()[:-30])
    with pytest.raises(ValueError, match="cut short"):
        conv_weights(tmp_path / "short.onnx")


def test_convolution_without_stored_bias_is_refused(tmp_path: Path) -> None:
    graph = tensor("w", np.zeros((1, 1, 1, 1), np.float32), raw=True) + node("Conv", ["x", "w"], "out")
    (tmp_path / "model.onnx").write_bytes(message(7, graph))
    with pytest.raises(ValueError, match="no stored weight and bias"):
        conv_weights(tmp_path / "model.onnx")
