"""A descriptor in an ONNX file, run by onnxruntime where it is installed, else by OpenCV behind the same interface."""

import hashlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from guardian.errors import WeightsMissing
from guardian.matching.features.embedding import Embedder, load
from guardian.matching.features.weights import find_weights
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.search.meaning import nearest_described
from guardian.search.question import By, Kind, Question
from tests.matching.onnx_files import DIMENSIONS, SIDE, write_squares
from tests.matching.pictures import encoded, photograph

STAND_IN = Path(__file__).resolve().parents[1] / "onnx_stand_in"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingSettings:
    path = tmp_path_factory.mktemp("onnx") / "squares.onnx"
    write_squares(path)
    return EmbeddingSettings(kind="onnx", weights=str(path), image_size=SIDE)


@pytest.fixture(scope="module", autouse=True)
def runtime() -> Iterator[None]:
    """onnxruntime, or what stands in for it."""
    if find_spec("onnxruntime") is not None:
        yield
        return
    sys.path.insert(0, str(STAND_IN))
    yield
    sys.path.remove(str(STAND_IN))
    sys.modules.pop("onnxruntime", None)


@pytest.fixture(scope="module")
def embedder(settings: EmbeddingSettings, runtime: None) -> Embedder:
    made = load(settings)
    assert made is not None
    return made


def test_vectors_have_length_one_and_depend_on_their_picture_alone(
    embedder: Embedder, settings: EmbeddingSettings
) -> None:
    pictures = [photograph(name) for name in ("coffee", "rocket", "astronaut")]
    vectors = embedder.encode(pictures)
    assert (vectors.shape, vectors.dtype) == ((3, DIMENSIONS), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(embedder.encode(pictures[1:2]), vectors[1:2], atol=1e-5)
    assert (vectors @ vectors.T)[np.triu_indices(3, 1)].max() < 0.98, "pictures are told apart"
    assert embedder.digest == hashlib.sha256(Path(str(settings.weights)).read_bytes()).hexdigest()


def test_what_is_no_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "page.onnx").write_bytes(b"<!doctype html><title>404</title>")
    with pytest.raises(WeightsMissing, match="cannot be loaded as ONNX"):
        load(EmbeddingSettings(kind="onnx", weights=str(tmp_path / "page.onnx")))


@pytest.mark.parametrize("library", ["onnxruntime", "torch", "open_clip"])
def test_without_the_library_matching_goes_on_and_says_how_to_get_it(
    library: str, settings: EmbeddingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"onnxruntime": "onnx", "torch": "torchscript", "open_clip": "open_clip"}
    monkeypatch.setitem(sys.modules, library, None)
    chosen = settings.model_copy(update={"kind": kinds[library]})
    for read in (find_weights, load):
        with pytest.raises(WeightsMissing, match=f"{library}, which runs .*goes on without it.*pip install 'guardian"):
            read(chosen)


def test_the_index_the_match_and_the_look_use_it(embedder: Embedder, tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(), embedder, tmp_path)
    writer = IndexWriter(tmp_path / matcher.recipe, matcher.recipe)
    names = ("coffee", "rocket", "astronaut")
    pictures = [encoded(photograph(name)) for name in names]
    writer.publish([(at, names[at - 1], matcher.fingerprint(one)) for at, one in enumerate(pictures, 1)])
    matcher.refresh()

    asked = encoded(photograph("rocket"), quality=70)
    (found,) = [one for one in matcher.match(asked).matches if one.asset_id == "rocket"]
    assert found.comparison.embedding_similarity == pytest.approx(1, abs=0.03)
    assert found.comparison.region_embedding_similarity == pytest.approx(1, abs=0.03)

    mirrored = encoded(photograph("rocket")[:, ::-1], quality=70)
    question = Question(tmp_path, "none", {Kind.ASSET: None}, content=mirrored, by=By.LOOK)
    look = nearest_described(matcher, question, 10)
    assert look is not None
    assert next(iter(look)) == (Kind.ASSET, 2)
    assert len(look) == len(names)
    assert list(look.values()) == sorted(look.values(), reverse=True)
