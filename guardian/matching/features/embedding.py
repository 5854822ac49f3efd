"""The optional neural descriptor: loads its weights once, and encodes pictures and texts.

The only place that imports torch. Never random weights: without a checkpoint there is no embedder, and guardian works
without one.
"""

import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import WeightsMissing
from guardian.matching.features.weights import Weights, find_weights
from guardian.matching.settings import EmbeddingSettings

if TYPE_CHECKING:
    import torch

_TIMED = 5
"""Pictures by which the time of one is measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a descriptor costs one worker process: seconds to load, seconds a picture, bytes of memory."""

    load_seconds: float
    picture_seconds: float
    memory_bytes: int
    dimensions: int


class Embedder(Protocol):
    """Turns pictures into unit vectors."""

    digest: str

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode uint8 [h, w, 3] sRGB pictures as float32 [n, d], each row of length one."""


class TextEmbedder(Embedder, Protocol):
    """Turns texts into unit vectors, too, which are near those of pictures that they describe (CLIP)."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts as float32 [n, d], each row of length one; what is too long for the model is cut off."""


def load(settings: EmbeddingSettings) -> Embedder | None:
    """Load the configured descriptor; None when none is configured. Raises WeightsMissing."""
    weights = find_weights(settings)
    if weights is None:
        return None
    # A loader that asks the hub without network hangs for most of a minute; everything needed is on disk.
    os.environ["HF_HUB_OFFLINE"] = "1"
    if settings.kind == "onnx":
        return _OnnxEmbedder(settings, weights)
    if settings.kind == "torchscript":
        return _TorchScriptEmbedder(settings, weights)
    return _OpenClipEmbedder(settings, weights)


def measure(settings: EmbeddingSettings) -> Cost | None:
    """Load the configured descriptor and time it; None when none is configured. Raises WeightsMissing."""
    before, started = _memory(), time.monotonic()
    embedder = load(settings)
    if embedder is None:
        return None
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    embedder.encode([picture])
    loaded = time.monotonic()
    vectors = [embedder.encode([picture]) for _ in range(_TIMED)]
    each = (time.monotonic() - loaded) / _TIMED
    return Cost(loaded - started, each, max(0, _memory() - before), vectors[0].shape[1])


def _memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class _TorchEmbedder:
    """What open_clip and TorchScript models share: batches on the chosen device, unit rows."""

    def __init__(self, settings: EmbeddingSettings, weights: Weights) -> None:
        import torch

        self.digest = weights.digest
        wants_gpu = settings.device == "cuda" or (settings.device == "auto" and torch.cuda.is_available())
        self._device = "cuda" if wants_gpu else "cpu"
        torch.set_num_threads(1)

    def _unit_rows(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            vectors = self._forward(torch.from_numpy(batch).to(self._device)).float().cpu().numpy()
        return _normalised(np.asarray(vectors))

    def _forward(self, batch: "torch.Tensor") -> "torch.Tensor":
        raise NotImplementedError


class _OpenClipEmbedder(_TorchEmbedder):
    def __init__(self, settings: EmbeddingSettings, weights: Weights) -> None:
        super().__init__(settings, weights)
        import open_clip

        if settings.model is None:
            raise WeightsMissing("embedding.model must name an open_clip model such as ViT-B-32")
        try:
            # `pretrained` is a path here: open_clip loads it strictly, so weights of another model are refused.
            self._model = open_clip.create_model(settings.model, pretrained=str(weights.path), device=self._device)
        # Loaders raise nearly anything on a file that is not theirs (UnpicklingError, EOFError, SafetensorError, ...).
        except Exception as error:
            detail = "it is something else, of another version, or damaged"
            raise WeightsMissing(f"{weights.path} cannot be loaded as {settings.model}: {detail}") from error
        self._model.eval()
        visual = self._model.visual
        side = visual.image_size if isinstance(visual.image_size, int) else visual.image_size[0]
        self._side = int(side)
        config = open_clip.get_model_preprocess_cfg(self._model)
        self._mean, self._std = tuple(config["mean"]), tuple(config["std"])
        self._tokenizer = open_clip.get_tokenizer(settings.model)

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """See Embedder."""
        return self._unit_rows(_batch(pictures, self._side, self._mean, self._std, crop=True))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See TextEmbedder."""
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer(list(texts)).to(self._device)
            vectors = self._model.encode_text(tokens).float().cpu().numpy()
        return _normalised(np.asarray(vectors))

    def _forward(self, batch: "torch.Tensor") -> "torch.Tensor":
        vectors: torch.Tensor = self._model.encode_image(batch)
        return vectors


class _TorchScriptEmbedder(_TorchEmbedder):
    def __init__(self, settings: EmbeddingSettings, weights: Weights) -> None:
        super().__init__(settings, weights)
        import torch

        try:
            self._model: Any = torch.jit.load(str(weights.path), map_location=self._device)  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError, EOFError) as error:
            detail = "it is something else, of another version, or damaged"
            raise WeightsMissing(f"{weights.path} cannot be loaded as TorchScript: {detail}") from error
        self._model.eval()
        self._settings = settings

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """See Embedder."""
        chosen = self._settings
        return self._unit_rows(_batch(pictures, chosen.image_size, chosen.mean, chosen.std, crop=False))

    def _forward(self, batch: "torch.Tensor") -> "torch.Tensor":
        vectors: torch.Tensor = self._model(batch)
        return vectors


class _OnnxEmbedder:
    def __init__(self, settings: EmbeddingSettings, weights: Weights) -> None:
        import onnxruntime

        self.digest = weights.digest
        self._settings = settings

        # One worker for each processor: threads within it would only get in each other's way.
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        providers = onnxruntime.get_available_providers() if settings.device != "cpu" else ["CPUExecutionProvider"]
        try:
            self._session: Any = onnxruntime.InferenceSession(str(weights.path), options, providers=providers)
        # onnxruntime has a class of its own for each status, all below Exception.
        except Exception as error:
            detail = "it is something else, of another version, or damaged"
            raise WeightsMissing(f"{weights.path} cannot be loaded as ONNX: {detail}") from error
        self._input = self._session.get_inputs()[0].name

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """See Embedder."""
        chosen = self._settings
        batch = _batch(pictures, chosen.image_size, chosen.mean, chosen.std, crop=False)
        return _normalised(np.asarray(self._session.run(None, {self._input: batch})[0], dtype=np.float32))


def _batch(
    pictures: Sequence[NDArray[np.uint8]],
    side: int,
    mean: Sequence[float],
    std: Sequence[float],
    *,
    crop: bool,
) -> NDArray[np.float32]:
    """Return float32 [n, 3, side, side]: shorter side fitted and centre cropped (CLIP), or squeezed square (SSCD)."""
    return np.stack([_input(picture, side, mean, std, crop=crop) for picture in pictures])


def _input(
    picture: NDArray[np.uint8], side: int, mean: Sequence[float], std: Sequence[float], *, crop: bool
) -> NDArray[np.float32]:
    height, width = picture.shape[:2]
    if crop:
        factor = side / min(height, width)
        size = (max(side, round(width * factor)), max(side, round(height * factor)))
    else:
        factor, size = side / max(height, width), (side, side)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    fitted = cv2.resize(picture, size, interpolation=method)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    values = fitted[top : top + side, left : left + side].astype(np.float32) / 255
    scaled = (values - np.asarray(mean, dtype=np.float32)) / np.asarray(std, dtype=np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
