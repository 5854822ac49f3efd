"""The optional descriptor, with tiny models made here: never random weights, found without network, used in answers."""

import importlib
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.errors import WeightsMissing
from guardian.evaluation import attacks
from guardian.matching.features.embedding import Embedder, load, measure
from guardian.matching.features.image import decode
from guardian.matching.features.weights import find_weights
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from tests.matching.pictures import Pixels, clouds, drawing, encoded, noise, photograph

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch", "ignore:Detected pickle protocol")
MODEL = "guardian-tests-tiny"


@pytest.fixture(scope="module")
def models() -> Any:
    """tests.matching.tiny_models."""
    return importlib.import_module("tests.matching.tiny_models")


@pytest.fixture(scope="module")
def checkpoint(models: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An open_clip model that is known by name from now on, and its seeded weights in a file."""
    saved: Path = models.save_clip(tmp_path_factory.mktemp("weights"))
    return saved


@pytest.fixture(scope="module")
def embedder(checkpoint: Path) -> Embedder:
    made = load(EmbeddingSettings(model=MODEL, weights=str(checkpoint)))
    assert made is not None
    return made


@pytest.fixture(scope="module")
def torchscript(models: Any, tmp_path_factory: pytest.TempPathFactory) -> EmbeddingSettings:
    path = tmp_path_factory.mktemp("torchscript") / "squares.torchscript"
    models.save_squares(path)
    return EmbeddingSettings(kind="torchscript", weights=str(path), image_size=32)


def test_without_a_descriptor_there_is_none() -> None:
    assert find_weights(EmbeddingSettings()) is None
    assert load(EmbeddingSettings()) is None
    assert measure(EmbeddingSettings()) is None


def test_rows_have_length_one_and_are_repeatable(embedder: Embedder, checkpoint: Path) -> None:
    pictures = [photograph(name) for name in ("coffee", "rocket", "page")]
    vectors = embedder.encode(pictures)
    assert vectors.shape == (3, 32)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    again = load(EmbeddingSettings(model=MODEL, weights=str(checkpoint)))
    assert again is not None
    assert np.allclose(again.encode(pictures), vectors, atol=1e-5)
    assert again.digest == embedder.digest


@pytest.mark.parametrize("name", ["coffee", "rocket", "astronaut", "retina", "page"])
def test_pictures_are_prepared_as_the_model_was_trained(
    models: Any, embedder: Embedder, checkpoint: Path, name: str
) -> None:
    """Against open_clip's own preparation."""
    picture = photograph(name)
    expected = models.open_clip_vector(checkpoint, picture)
    assert embedder.encode([picture])[0] @ expected / np.linalg.norm(expected) > 0.995


@pytest.mark.parametrize("shape", [(24, 24), (24, 2048), (2048, 24), (1, 1)])
def test_any_shape_is_encoded(embedder: Embedder, torchscript: EmbeddingSettings, shape: tuple[int, int]) -> None:
    other = load(torchscript)
    assert other is not None
    for one in (embedder, other):
        assert np.isfinite(one.encode([noise(1, shape[1], shape[0])])).all()


def test_torchscript_sees_the_whole_picture_squeezed(torchscript: EmbeddingSettings) -> None:
    embedder = load(torchscript)
    assert embedder is not None
    picture = photograph("china")
    small = cv2.resize(picture, (4, 4), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    wanted = ((small - torchscript.mean) / torchscript.std).transpose(2, 0, 1).ravel()
    assert embedder.encode([picture])[0] @ wanted / np.linalg.norm(wanted) > 0.999


def test_an_even_grey_has_a_finite_vector(torchscript: EmbeddingSettings) -> None:
    embedder = load(torchscript.model_copy(update={"mean": (0.0, 0.0, 0.0)}))
    assert embedder is not None
    assert (embedder.encode([np.zeros((64, 64, 3), np.uint8)]) == 0).all()


class Hostile:
    """What a checkpoint from a stranger might hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("/nonexistent/made-by-a-checkpoint",)


@pytest.mark.parametrize("kind", ["text", "empty", "pickle", "zeros", "fewer", "shape", "nan file"])
def test_what_is_no_checkpoint_of_the_model_is_refused(
    models: Any, checkpoint: Path, tmp_path: Path, kind: str
) -> None:
    """Never random weights in place of those that are missing, never code out of a file."""
    path = tmp_path / ("weights.safetensors" if kind == "zeros" else "weights.pt")
    if kind in ("fewer", "shape"):
        models.save_damaged(checkpoint, path, shape=None if kind == "fewer" else (2, 2))
    else:
        contents = {
            "text": b"hello",
            "empty": b"",
            "pickle": pickle.dumps(Hostile()),
            "zeros": b"\0" * 100,
            "nan file": checkpoint.read_bytes()[:-2000],
        }
        path.write_bytes(contents[kind])
    with pytest.raises(WeightsMissing, match=MODEL):
        load(EmbeddingSettings(model=MODEL, weights=str(path)))


@pytest.mark.parametrize("content", [b"hello", b"", b"PK\x03\x04" + b"\0" * 60])
def test_what_is_no_torchscript_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sscd.torchscript"
    path.write_bytes(content)
    with pytest.raises(WeightsMissing, match="TorchScript"):
        load(EmbeddingSettings(kind="torchscript", weights=str(path)))


def test_weights_without_a_model_or_of_an_unknown_one(checkpoint: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"embedding\.model"):
        load(EmbeddingSettings(weights=str(checkpoint)))
    with pytest.raises(WeightsMissing, match="no-such-model"):
        load(EmbeddingSettings(model="no-such-model", weights=str(checkpoint)))


def test_the_cost_of_a_descriptor(checkpoint: Path) -> None:
    cost = measure(EmbeddingSettings(model=MODEL, weights=str(checkpoint)))
    assert cost is not None
    assert cost.dimensions == 32
    assert 0 < cost.picture_seconds < 1
    assert cost.load_seconds > 0


def published(folder: Path, embedder: Embedder, *names: str) -> Matcher:
    matcher = Matcher(MatchingSettings(), embedder, folder)
    entries = [(at, name, matcher.fingerprint(encoded(photograph(name), "PNG"))) for at, name in enumerate(names, 1)]
    IndexWriter(folder / matcher.recipe, matcher.recipe).publish(entries)
    return matcher


def test_similarities_arrive_in_the_comparison(embedder: Embedder, tmp_path: Path) -> None:
    matcher = published(tmp_path, embedder, "coffee", "rocket", "astronaut")
    report = matcher.match(encoded(photograph("coffee"), quality=80))
    comparison = report.matches[0].comparison
    assert report.matches[0].asset_id == "coffee"
    assert comparison.embedding_similarity == pytest.approx(1, abs=0.03)
    assert comparison.region_embedding_similarity == pytest.approx(1, abs=0.03)
    assert embedder.digest[:12] in report.recipe


def test_the_region_is_compared_where_the_whole_differs(torchscript: EmbeddingSettings, tmp_path: Path) -> None:
    """The asset covers a fifth of the candidate: the whole looks different, the aligned region the same."""
    embedder = load(torchscript)
    assert embedder is not None
    matcher = published(tmp_path, embedder, "coffee", "rocket")
    host = 255 - drawing(3, 900, 700)
    small = attacks.shrunk(photograph("coffee"), 400)
    host[200 : 200 + small.shape[0], 350 : 350 + small.shape[1]] = small
    comparison = next(one.comparison for one in matcher.match(encoded(host)).matches if one.asset_id == "coffee")
    assert comparison.embedding_similarity is not None
    assert comparison.region_embedding_similarity is not None
    assert comparison.region_embedding_similarity > 0.95
    assert comparison.embedding_similarity < 0.8


class Colour:
    """Nothing but the mean colour."""

    digest = "c0104" * 12

    def encode(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        means = np.stack([picture.reshape(-1, 3).mean(axis=0) for picture in pictures])
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)


def tinted(seed: int, colour: tuple[float, float, float]) -> Pixels:
    """Soft clouds, so that neither keypoints nor hash lead to it."""
    return (clouds(seed, 300, 240, roughness=2.4)[:, :, :1] * np.array(colour)).astype(np.uint8)


def test_the_descriptor_alone_brings_an_asset_to_be_measured(tmp_path: Path) -> None:
    """Also where nearer ones are withdrawn or older than asked for."""
    red, blue = (1.0, 0.2, 0.2), (0.2, 0.2, 1.0)
    matcher = Matcher(MatchingSettings(), Colour(), tmp_path)
    pictures = [tinted(seed, red) for seed in range(12)] + [tinted(50, blue)]
    entries = [
        (at, f"asset-{at}", matcher.fingerprint(encoded(one, "PNG"))) for at, one in enumerate(pictures, start=1)
    ]
    IndexWriter(tmp_path / matcher.recipe, matcher.recipe).publish(entries)
    matcher.refresh()
    candidate = decode(encoded(tinted(99, red), "PNG"), MatchingSettings())

    def brought(newer_than: int) -> set[str]:
        return {pair.asset.id for pair in matcher.compared(candidate, newer_than)}

    assert len(brought(0)) == 3
    assert "asset-13" not in brought(0)
    assert brought(10) == {"asset-11", "asset-12", "asset-13"}
    IndexWriter(tmp_path / matcher.recipe, matcher.recipe).withdraw(range(1, 11))
    matcher.refresh()
    assert brought(0) == {"asset-11", "asset-12", "asset-13"}


def test_indexes_of_other_weights_are_kept_apart(embedder: Embedder, tmp_path: Path) -> None:
    with_vectors = published(tmp_path, embedder, "coffee")
    without = Matcher(MatchingSettings(), None, tmp_path)
    assert with_vectors.recipe != without.recipe
    assert without.match(encoded(photograph("coffee"))).matches == ()
    assert len(with_vectors.match(encoded(photograph("coffee"))).matches) == 1
