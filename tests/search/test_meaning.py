"""What texts mean and pictures show: shapes, order, and "none of these", with a tiny seeded CLIP that knows nothing."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.matching.features.embedding import TextEmbedder, load
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.search.meaning import NEUTRAL, nearest_described, nearest_in_meaning, terms_by_meaning
from guardian.search.question import By, Kind, Question
from guardian.search.ranking import rank
from guardian.search.reasons import why
from tests.matching.pictures import encoded, photograph

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch", "ignore:Detected pickle protocol")
MODEL = "guardian-tests-tiny"


_COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


class _Concepts:
    """A descriptor of made-up concepts: a picture is its mean colour; so is a text that names one."""

    digest = "concepts"

    def encode(self, pictures: Any) -> NDArray[np.float32]:
        means = np.array([one.reshape(-1, 3).mean(axis=0) for one in pictures], dtype=np.float32)
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)

    def encode_texts(self, texts: Any) -> NDArray[np.float32]:
        found = [next((colour for name, colour in _COLOURS.items() if name in one), (1, 1, 1)) for one in texts]
        vectors = np.array(found, dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """A matcher over four assets: a red, a green and a grey picture, and a blue one that is withdrawn."""
    folder = tmp_path_factory.mktemp("index")
    settings = MatchingSettings()
    found = Matcher(settings, _Concepts(), folder)
    writer = IndexWriter(folder / found.recipe, found.recipe)
    random = np.random.default_rng(1)
    grain = random.integers(0, 120, (200, 300, 1), dtype=np.uint8)
    colours = [(255, 60, 60), (60, 255, 60), (200, 200, 200), (60, 60, 255)]
    pictures = [(np.array(colour, np.int16) - grain).clip(0, 255).astype(np.uint8) for colour in colours]
    writer.publish([(at, f"asset_{at}", found.fingerprint(encoded(one))) for at, one in enumerate(pictures, 1)])
    writer.withdraw([4])
    found.refresh()
    return found


def test_a_text_finds_what_shows_it_and_nothing_else(matcher: Matcher, tmp_path: Path) -> None:
    seen = (tmp_path / "memory", "recipe")
    found = nearest_in_meaning(matcher, seen, "something red", {Kind.ASSET: None, Kind.SEEN: None}, 10)
    assert list(found) == [(Kind.ASSET, 1)]
    assert nearest_in_meaning(matcher, seen, "blue", {Kind.ASSET: None}, 10) == {}, "withdrawn"
    assert nearest_in_meaning(matcher, seen, "red", {Kind.ASSET: np.array([2, 3])}, 10) == {}, "not among these"


def test_none_of_these_is_an_answer(matcher: Matcher, tmp_path: Path) -> None:
    seen, phrasings = (tmp_path / "memory", "recipe"), {"rose": ("red", "rosso"), "leaf": ("green",)}
    terms = terms_by_meaning(matcher, seen, phrasings, {Kind.ASSET: None, Kind.SEEN: None})
    assert {key: set(labels) for key, labels in terms.items()} == {
        (Kind.ASSET, 1): {"rose"},
        (Kind.ASSET, 2): {"leaf"},
    }
    assert terms_by_meaning(matcher, seen, phrasings, {Kind.ASSET: np.array([3])}) == {}
    assert all(0.5 <= share <= 1 for labels in terms.values() for share in labels.values())


def test_a_text_tower_gives_unit_vectors_that_repeat(tmp_path: Path) -> None:
    checkpoint = importlib.import_module("tests.matching.tiny_models").save_clip(tmp_path)
    embedder = load(EmbeddingSettings(model=MODEL, weights=str(checkpoint)))
    assert embedder is not None
    assert isinstance(embedder.digest, str)
    text_embedder: TextEmbedder = embedder  # type: ignore[assignment]
    vectors = text_embedder.encode_texts([*NEUTRAL, "x" * 999])
    assert vectors.shape == (len(NEUTRAL) + 1, 32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(text_embedder.encode_texts(NEUTRAL), vectors[:-1], atol=1e-5)
    assert embedder.encode([photograph("coffee")]).shape == (1, 32)


def test_the_look_is_the_descriptors_where_there_is_one(matcher: Matcher, tmp_path: Path) -> None:
    grain = np.random.default_rng(2).integers(0, 60, (200, 300, 1), dtype=np.uint8)
    asked = Question(
        data_dir=tmp_path, memory_recipe="recipe", among={Kind.ASSET: None, Kind.SEEN: None},
        content=encoded(np.array((255, 90, 70), np.uint8) - grain), by=By.LOOK,
    )  # fmt: skip
    found = nearest_described(matcher, asked, 10)
    assert found is not None
    assert [number for _, number in found] == [1, 3, 2], "the red one, the grey one, the green one; withdrawn is none"
    assert found[Kind.ASSET, 1] > 0.9
    assert [number for _, number in nearest_described(matcher, asked, 1) or ()] == [1]
    hidden = replace(asked, left_out=frozenset({(Kind.ASSET, 1)}))
    assert [number for _, number in nearest_described(matcher, hidden, 10) or ()] == [3, 2]
    only = replace(asked, among={Kind.ASSET: np.array([2])})
    assert [number for _, number in nearest_described(matcher, only, 10) or ()] == [2]
    # Examples move the question, and stand for it alone.
    greener = replace(asked, content=None, like=((Kind.ASSET, 2),), unlike=((Kind.ASSET, 1),))
    assert [number for _, number in nearest_described(matcher, greener, 10) or ()] == [2, 3, 1]
    assert nearest_described(Matcher(MatchingSettings(), None), asked, 10) is None

    # Ranked by the descriptor's cosines, whatever colours and shapes say; of `auto` they are a part.
    ranking = rank(MatchingSettings(), replace(asked, described=found))
    assert [(one.key, one.score) for one in ranking.found] == [(key, round(value, 4)) for key, value in found.items()]
    assert why(ranking.found[0], By.LOOK) == "alike by the descriptor"
