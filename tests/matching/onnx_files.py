"""A small ONNX model, written without the `onnx` package: the format is protobuf, of which four kinds of fields do."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pixels of the model's input."""

DIMENSIONS = 16 * 16

_FLOAT, _INTS, _INT = 1, 7, 2


def write_squares(path: Path) -> None:
    """Write a model that says how much of 16 seeded mixtures of colours each of 16 squares of a picture has."""
    mixtures = np.random.default_rng(5).normal(size=(16, 3, 8, 8)).astype("<f4")
    nodes = [
        _node("Conv", ["pixels", "mixtures"], "mixed", kernel_shape=[8, 8], strides=[8, 8]),
        _node("Relu", ["mixed"], "some"),
        _node("Flatten", ["some"], "vector"),
    ]
    graph = [
        *(_block(1, node) for node in nodes),
        _block(2, b"squares"),
        _block(5, _tensor("mixtures", mixtures)),
        _block(11, _shaped("pixels", [None, 3, SIDE, SIDE])),
        _block(12, _shaped("vector", [None, DIMENSIONS])),
    ]
    opset = _block(1, b"") + _number(2, 13)
    path.write_bytes(_number(1, 8) + _block(8, opset) + _block(7, b"".join(graph)))


def _node(kind: str, inputs: list[str], output: str, **attributes: list[int]) -> bytes:
    """Return a NodeProto."""
    found = b"".join(_block(1, name.encode()) for name in inputs) + _block(2, output.encode())
    found += _block(3, output.encode()) + _block(4, kind.encode())
    for name, values in attributes.items():
        listed = b"".join(_number(8, value) for value in values)
        found += _block(5, _block(1, name.encode()) + listed + _number(20, _INTS))
    return found


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    """Return a TensorProto of float32."""
    dimensions = b"".join(_number(1, side) for side in values.shape)
    return dimensions + _number(2, _FLOAT) + _block(8, name.encode()) + _block(9, values.tobytes())


def _shaped(name: str, sides: list[int | None]) -> bytes:
    """Return a ValueInfoProto of float32; a side of None is any number."""
    parts = [_block(1, _block(2, b"n") if side is None else _number(1, side)) for side in sides]
    tensor = _number(1, _FLOAT) + _block(2, b"".join(parts))
    return _block(1, name.encode()) + _block(2, _block(1, tensor))


def _block(field: int, content: bytes) -> bytes:
    """Return a field of bytes: a text, or a message inside another."""
    return _varint(field << 3 | _INT) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
