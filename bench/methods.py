"""The methods measured beside guardian: a perceptual hash, PDQ, and ORB keypoints without anything around them.

Each is used as its own documentation shows, one process, one thread. `strength`: larger is more alike.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import imagehash
import numpy as np
from PIL import Image

from bench.sets import BenchSet
from guardian.matching.features.embedding import load
from guardian.matching.settings import EmbeddingSettings


@dataclass(frozen=True)
class Guess:
    """The reference a method thinks most alike, and how strongly it thinks so."""

    strength: float
    ref: str


@dataclass(frozen=True)
class Outcome:
    """What a method said of every query, in their order, and the CPU milliseconds each took."""

    method: str
    guesses: tuple[Guess | None, ...]
    cpu_ms: float


class Method(Protocol):
    """Something that remembers references and names the one most like a picture."""

    name: str

    def remember(self, refs: Sequence[Path]) -> None:
        """Take in the references."""

    def guess(self, query: Path) -> Guess | None:
        """The most alike; None when the picture cannot be compared."""


class Hashes:
    """Any 256-bit hash: the nearest reference by Hamming distance."""

    def __init__(self, name: str, bits_of: Callable[[Path], Any]) -> None:
        self.name, self._bits_of = name, bits_of

    def remember(self, refs: Sequence[Path]) -> None:
        self._names = [path.name for path in refs]
        self._codes = np.stack([np.packbits(self._bits_of(path)) for path in refs])

    def guess(self, query: Path) -> Guess | None:
        code = np.packbits(self._bits_of(query))
        distances = np.bitwise_count(self._codes ^ code).sum(axis=1)
        nearest = int(distances.argmin())
        return Guess(-float(distances[nearest]), self._names[nearest])


class PlainOrb:
    """ORB, 500 features at 512 pixels; each votes for its nearest reference, the best three by RANSAC inliers."""

    name = "ORB 500 + RANSAC"
    radius, finalists = 40, 3

    def __init__(self) -> None:
        self._orb = cv2.ORB_create(nfeatures=500)  # type: ignore[attr-defined]
        self._matcher = cv2.BFMatcher(cv2.NORM_HAMMING)

    def _features(self, path: Path) -> tuple[Any, Any]:
        gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
        factor = 512 / max(gray.shape)
        if factor < 1:
            gray = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        points, descriptors = self._orb.detectAndCompute(gray, None)
        if descriptors is None:
            return np.empty((0, 2), np.float32), np.empty((0, 32), np.uint8)
        return np.array([point.pt for point in points], np.float32), descriptors

    def remember(self, refs: Sequence[Path]) -> None:
        self._names = [path.name for path in refs]
        self._features_of = [self._features(path) for path in refs]
        self._all = np.concatenate([descriptors for _, descriptors in self._features_of])
        self._owner = np.repeat(np.arange(len(refs)), [len(points) for points, _ in self._features_of])

    def guess(self, query: Path) -> Guess | None:
        points, descriptors = self._features(query)
        if len(points) < 4:
            return None
        near = [match for match in self._matcher.match(descriptors, self._all) if match.distance <= self.radius]
        votes = np.bincount([self._owner[match.trainIdx] for match in near], minlength=len(self._names))
        best = max(
            np.argsort(-votes)[: self.finalists], key=lambda owner: self._inliers(points, descriptors, int(owner))
        )
        return Guess(float(self._inliers(points, descriptors, int(best))), self._names[int(best)])

    def _inliers(self, points: Any, descriptors: Any, owner: int) -> int:
        ref_points, ref_descriptors = self._features_of[owner]
        if len(ref_points) < 4:
            return 0
        pairs = [pair for pair in self._matcher.knnMatch(descriptors, ref_descriptors, k=2) if len(pair) == 2]
        good = [first for first, second in pairs if first.distance < 0.75 * second.distance]
        if len(good) < 4:
            return 0
        ours = np.array([points[match.queryIdx] for match in good])
        theirs = np.array([ref_points[match.trainIdx] for match in good])
        _, mask = cv2.estimateAffine2D(theirs, ours, method=cv2.RANSAC, ransacReprojThreshold=5.0)
        return 0 if mask is None else int(mask.sum())


class Descriptor:
    """A neural descriptor of the whole picture: the reference with the largest cosine."""

    def __init__(self, file: Path, image_size: int) -> None:
        self.name = f"{file.stem}, whole picture"
        embedder = load(descriptor_settings(file, image_size))
        assert embedder is not None
        self._embedder = embedder

    def _vector(self, path: Path) -> Any:
        with Image.open(path) as picture:
            return self._embedder.encode([np.asarray(picture.convert("RGB"))])[0]

    def remember(self, refs: Sequence[Path]) -> None:
        self._names = [path.name for path in refs]
        self._vectors = np.stack([self._vector(path) for path in refs])

    def guess(self, query: Path) -> Guess | None:
        cosines = self._vectors @ self._vector(query)
        nearest = int(cosines.argmax())
        return Guess(float(cosines[nearest]), self._names[nearest])


def descriptor_settings(file: Path, image_size: int) -> EmbeddingSettings:
    """The settings of a descriptor that is an ONNX or a TorchScript file."""
    kind: Literal["onnx", "torchscript"] = "onnx" if file.suffix == ".onnx" else "torchscript"
    return EmbeddingSettings(weights=str(file.resolve()), kind=kind, image_size=image_size)


def _phash(path: Path) -> Any:
    with Image.open(path) as picture:
        return imagehash.phash(picture, hash_size=16).hash.reshape(-1)


def others(descriptor: Path | None = None, image_size: int = 288) -> list[Method]:
    """The methods beside guardian; PDQ only where its package could be built, a descriptor only where one is named."""
    found: list[Method] = [Hashes("imagehash pHash 256", _phash)]
    try:
        import pdqhash
    except ImportError:
        pass
    else:

        def pdq(path: Path) -> Any:
            return pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))[0]

        found.append(Hashes("PDQ 256", pdq))
    found.append(PlainOrb())
    if descriptor is not None:
        found.append(Descriptor(descriptor, image_size))
    return found


def measure(method: Method, pictures: BenchSet, seen: Callable[[], None]) -> Outcome:
    """Let a method guess about every query; `seen` is called after each."""
    cv2.setNumThreads(1)
    method.remember(pictures.refs)
    guesses: list[Guess | None] = []
    started = time.process_time()
    for query in pictures.queries:
        guesses.append(method.guess(query.path))
        seen()
    cpu_ms = 1000 * (time.process_time() - started) / max(1, len(guesses))
    return Outcome(method.name, tuple(guesses), cpu_ms)
