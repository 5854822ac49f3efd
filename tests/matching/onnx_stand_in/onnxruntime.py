"""The part of onnxruntime that guardian uses, by OpenCV's reader of ONNX: for tests where the real one is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass
class SessionOptions:
    """How a session runs; OpenCV's threads are not the session's."""

    intra_op_num_threads: int = 0


@dataclass(frozen=True)
class _Input:
    name: str


def get_available_providers() -> list[str]:
    return ["CPUExecutionProvider"]


class InferenceSession:
    """A model that was read. Raises cv2.error for a file that is none, as onnxruntime raises errors of its own."""

    def __init__(self, path: str, options: SessionOptions, providers: Sequence[str]) -> None:
        assert options.intra_op_num_threads == 1, "one worker for each processor"
        assert set(providers) <= set(get_available_providers())
        self._net = cv2.dnn.readNetFromONNX(path)

    def get_inputs(self) -> list[_Input]:
        return [_Input("pixels")]

    def run(self, outputs: None, feed: Mapping[str, NDArray[np.float32]]) -> list[Any]:
        assert outputs is None
        self._net.setInput(feed["pixels"])
        return [self._net.forward().copy()]
