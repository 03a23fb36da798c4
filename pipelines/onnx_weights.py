"""Convolution weights out of an ONNX file, read without the onnx package.

Only what is needed of the format: protobuf's wire format, and the fields of ModelProto, GraphProto, NodeProto and
TensorProto (onnx.proto3) that hold weights and say in which order they are used.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # protobuf wire types
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE_INPUT, NODE_OUTPUT, NODE_KIND = 1, 2, 4
TENSOR_DIMS, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_NAME, TENSOR_RAW = 1, 2, 4, 8, 9
FLOAT32 = 1  # TensorProto.DataType

Floats32 = NDArray[np.float32]
Fields = dict[int, list[bytes | int]]


def conv_weights(path: Path) -> list[tuple[Floats32, Floats32]]:
    """Weight [out, in, height, width] and bias [out] of each Conv node, in graph order.

    A weight that two nodes share comes twice.

    Raises:
        ValueError: the file is no ONNX model, or a Conv has no stored weight and bias.
    """
    (graph_bytes,) = _messages(_fields(path.read_bytes()), MODEL_GRAPH)
    graph = _fields(graph_bytes)
    tensors = dict(_tensor(data) for data in _messages(graph, GRAPH_INITIALIZER))
    weights = []
    for kind, inputs, outputs in map(_node, _messages(graph, GRAPH_NODE)):
        if kind == "Identity" and inputs[0] in tensors:
            tensors[outputs[0]] = tensors[inputs[0]]
        if kind == "Conv":
            weights.append(_weight_and_bias(inputs, tensors))
    return weights


def _weight_and_bias(inputs: list[str], tensors: dict[str, Floats32]) -> tuple[Floats32, Floats32]:
    if len(inputs) != 3 or not all(name in tensors for name in inputs[1:]):
        raise ValueError(f"a Conv node has no stored weight and bias: its inputs are {', '.join(inputs)}")
    return tensors[inputs[1]], tensors[inputs[2]]


def _node(data: bytes) -> tuple[str, list[str], list[str]]:
    fields = _fields(data)
    (kind,) = _messages(fields, NODE_KIND)
    inputs = [name.decode() for name in _messages(fields, NODE_INPUT)]
    return kind.decode(), inputs, [name.decode() for name in _messages(fields, NODE_OUTPUT)]


def _tensor(data: bytes) -> tuple[str, Floats32]:
    """Name and values of a float tensor; other types come as empty arrays, no Conv uses them."""
    fields = _fields(data)
    (name,) = _messages(fields, TENSOR_NAME)
    if fields.get(TENSOR_TYPE) != [FLOAT32]:
        return name.decode(), np.zeros(0, np.float32)
    packed = _messages(fields, TENSOR_RAW) or _messages(fields, TENSOR_FLOATS)
    values = np.frombuffer(b"".join(packed), dtype="<f4").astype(np.float32)
    return name.decode(), values.reshape([size for size in fields.get(TENSOR_DIMS, []) if isinstance(size, int)])


def _messages(fields: Fields, number: int) -> list[bytes]:
    return [value for value in fields.get(number, []) if isinstance(value, bytes)]


def _fields(data: bytes) -> Fields:
    """All values of a protobuf message by field number."""
    fields: Fields = {}
    for number, value in _walk(data):
        fields.setdefault(number, []).append(value)
    return fields


def _walk(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire not in (FIXED64, LENGTH, FIXED32):
            raise ValueError(f"this is no ONNX file: wire type {wire} at byte {at}")
        size, at = _varint(data, at) if wire == LENGTH else (8 if wire == FIXED64 else 4, at)
        if at + size > len(data):
            raise ValueError(f"this ONNX file is cut short: a field ends at byte {at + size} of {len(data)}")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("this ONNX file is cut short, within a number")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
