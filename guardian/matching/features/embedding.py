"""The optional neural descriptor: find its weights, load it once, encode. The only place that imports torch.

Never random weights: without a checkpoint there is no embedder, and guardian works without one.
"""

import difflib
import hashlib
import os
import re
import resource
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import WeightsMissing
from guardian.matching.settings import CHECKPOINTS, EmbeddingSettings

if TYPE_CHECKING:
    import torch

_TIMED = 5
_PATIENCE = 5

_LIBRARIES = {"open_clip": ("open_clip", "clip"), "torchscript": ("torch", "clip"), "onnx": ("onnxruntime", "onnx")}
"""What runs the weights of each kind, and the extra of guardian that brings it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight file on this machine. `digest` is its SHA-256 in hex; it is part of the recipe."""

    path: Path
    digest: str


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


def find_weights(settings: EmbeddingSettings) -> Weights | None:
    """Return the configured weights; None when no descriptor is configured.

    Looks at local disk only and imports nothing heavy.

    Raises WeightsMissing, in well under a second, with the ways to get them: also where they are here, and the library
    that runs them is not.
    """
    if settings.model is None and settings.weights is None:
        return None
    found = _weights_on_disk(settings)
    library, extra = _LIBRARIES[settings.kind]
    if find_spec(library) is None:
        raise WeightsMissing(
            f"no descriptor: {library}, which runs {found.path}, is not installed. Matching goes on without it. "
            f"To get it: pip install 'guardian[{extra}]'; or remove embedding.model and embedding.weights."
        )
    return found


def _weights_on_disk(settings: EmbeddingSettings) -> Weights:
    if settings.weights is None:
        raise WeightsMissing(_how_to_get(settings, "embedding.weights is not set"))

    named = Path(settings.weights).expanduser()
    if named.is_file():
        return Weights(named, _digest(named))
    if named.is_dir():
        found = sorted(path for path in named.rglob("*") if path.suffix in CHECKPOINTS and path.is_file())
        if not found:
            raise WeightsMissing(_how_to_get(settings, f"the folder {named} holds no checkpoint"))
        return Weights(found[0], _digest(found[0]))

    if settings.names_a_file:
        raise WeightsMissing(_how_to_get(settings, f"there is no file {named}"))

    cached = _cached(settings)
    if cached is None:
        raise WeightsMissing(_how_to_get(settings, f"the weights “{settings.weights}” are not on this machine"))
    return Weights(cached, _digest(cached))


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


def download(settings: EmbeddingSettings) -> Weights:
    """Fetch an open_clip tag's weights from the model hub into its cache, and note where they are.

    What is in the cache already is taken from there. Raises WeightsMissing, in seconds when there is no
    network, and for models and tags that open_clip does not know or that do not fit together.
    """
    if settings.kind != "open_clip" or settings.model is None or settings.weights is None:
        raise WeightsMissing(
            "only open_clip weights can be fetched: set embedding.model and embedding.weights to a tag"
        )
    answers = _hub_answers()
    if not answers:
        # The hub's client would try for most of a minute; offline it looks into its cache and says so at once.
        os.environ["HF_HUB_OFFLINE"] = "1"
    tag = _open_clip_tag(settings.model, settings.weights)
    try:
        from open_clip.pretrained import download_pretrained

        path = Path(download_pretrained(tag)).absolute()
    # The hub's client raises its own and its transport's errors; all mean the same to the user.
    except Exception as error:
        reason = (
            "the model hub answers, but not with these weights"
            if answers
            else "the model hub does not answer from this machine"
        )
        raise WeightsMissing(_how_to_get(settings, reason)) from error
    weights = Weights(path, _digest(path))
    note = _note_of(settings)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{path}\n", encoding="utf-8")
    return weights


def _open_clip_tag(model: str, weights: str) -> dict[str, Any]:
    """Return what open_clip knows about a tag. Raises WeightsMissing that names what may be meant instead."""
    try:
        from open_clip import get_model_config, list_models, list_pretrained_tags_by_model
        from open_clip.pretrained import get_pretrained_cfg
    except ImportError as error:
        raise WeightsMissing("open_clip is not installed: pip install 'guardian[clip]'") from error

    tag: dict[str, Any] = get_pretrained_cfg(model, weights)
    if not tag:
        tags = list_pretrained_tags_by_model(model)
        kind, near = ("weights", tags) if tags else ("model", list_models())
        known = difflib.get_close_matches(weights if tags else model, near, 3, 0.4) or near
        raise WeightsMissing(f"open_clip knows no {kind} of this name; embedding.{kind} may be: {', '.join(known)}")

    # Loaded into the other activation, the weights would give vectors that look right and are not.
    if tag.get("quick_gelu") and not (get_model_config(model) or {}).get("quick_gelu"):
        raise WeightsMissing(f"these weights were trained for {model}-quickgelu: set embedding.model to it")
    return tag


def _hub_answers() -> bool:
    """Return whether the model hub, or the proxy on the way there, answers anything at all within seconds."""
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        request = urllib.request.Request(hub, method="HEAD")  # noqa: S310 - the user's own setting
        urllib.request.urlopen(request, timeout=_PATIENCE).close()  # noqa: S310
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
    return True


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


def _cached(settings: EmbeddingSettings) -> Path | None:
    """Return the local copy of an open_clip tag's weights, without importing open_clip or asking the network.

    `download` notes where it put them. Weights that something else fetched are looked for by their names.
    """
    note = _note_of(settings)
    if note.is_file():
        noted = Path(note.read_text(encoding="utf-8").strip())
        if noted.is_file():
            return noted

    cache = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface")) / "hub"
    model, tag = _plain(settings.model or ""), _plain(settings.weights or "")
    for folder in (cache, Path.home() / ".cache" / "clip"):
        for path in sorted(folder.glob("**/*")) if folder.is_dir() else []:
            name = _plain(str(path.relative_to(folder)))
            if path.suffix in CHECKPOINTS and path.is_file() and model in name and tag in name:
                return path
    return None


def _note_of(settings: EmbeddingSettings) -> Path:
    """Return the file that says where this tag's weights are."""
    return (
        Path.home() / ".cache" / "guardian" / "weights" / _plain(settings.model or "") / _plain(settings.weights or "")
    )


def _plain(name: str) -> str:
    """Spell a name as the hub's folders do, where tags have underscores."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _how_to_get(settings: EmbeddingSettings, reason: str) -> str:
    return (
        f"no descriptor: {reason}. Matching goes on without it. To get one: `guardian model fetch` on a machine with "
        "network; or copy a checkpoint here and set embedding.weights to its path; or remove embedding.model "
        f"(now {settings.model!r}) to work without."
    )
