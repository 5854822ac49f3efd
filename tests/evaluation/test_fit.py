"""What is fitted is what is read: export and walk give scikit-learn's own answers; provenance is whole."""

import json
from pathlib import Path

import numpy as np
import pytest

from guardian.evaluation import fit
from guardian.evaluation.examples import Examples, Query, Reference
from guardian.evaluation.fit import Pair
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import FEATURES
from tests.matching.pictures import encoded, photograph


def some_pairs(count: int = 1200) -> list[Pair]:
    """Facts at random; a copy where inliers and agreeing cells are many."""
    generator = np.random.default_rng(5)
    features = generator.uniform(0, 1, (count, len(FEATURES)))
    speaks = features[:, list(FEATURES).index("inliers")] + features[:, list(FEATURES).index("core_strength")]
    truth = speaks + generator.normal(0, 0.15, count) > 1.1
    return [Pair(features[n], bool(truth[n]), "made", n % 40, n) for n in range(count)]


@pytest.fixture(scope="module")
def fitted() -> dict[str, object]:
    return fit.fit(some_pairs(), {"seeds": [1]})


def test_what_is_read_answers_as_scikit_learn_does(fitted: dict[str, object], tmp_path: Path) -> None:
    pairs = some_pairs()
    features, truth = np.stack([pair.features for pair in pairs]), np.array([pair.is_copy for pair in pairs])
    model = fit._trees().fit(features, truth)
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps(fitted))
    read = confidence.read(path)
    theirs = model.decision_function(features[:200])
    assert [read.raw(row) for row in features[:200]] == pytest.approx(theirs, abs=1e-5)


def test_copies_and_strangers_are_told_apart(fitted: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps(fitted))
    read = confidence.read(path)
    stated = np.array([read.probability(pair.features) for pair in some_pairs()])
    truth = np.array([pair.is_copy for pair in some_pairs()])
    assert stated[truth].mean() > 0.75
    assert stated[~truth].mean() < 0.1


def test_calibration_is_taken_on_what_was_held_out(fitted: dict[str, object]) -> None:
    """The bands hold every pair once, and the calibration is a finite, rising line."""
    bands = fitted["reliability"]
    assert isinstance(bands, list)
    assert sum(band["pairs"] for band in bands) == len(some_pairs())
    calibration = fitted["calibration"]
    assert isinstance(calibration, dict)
    assert 0 < calibration["slope"] < 3


def test_provenance_says_what_was_fitted_and_by_which_code(fitted: dict[str, object]) -> None:
    provenance = fitted["provenance"]
    assert isinstance(provenance, dict)
    assert (provenance["seeds"], provenance["pairs"]) == ([1], len(some_pairs()))
    assert provenance["copies"] == sum(pair.is_copy for pair in some_pairs())
    assert len(fit._digest_of_code()) == 64


def test_pictures_that_show_each_other_are_used_once(tmp_path: Path) -> None:
    """A crop that no hash would notice, and a file that is no picture."""
    whole = photograph("astronaut", 900)
    (tmp_path / "a.png").write_bytes(encoded(whole, "PNG"))
    (tmp_path / "b.png").write_bytes(encoded(np.ascontiguousarray(whole[200:700, 250:700]), "PNG"))
    (tmp_path / "c.png").write_bytes(encoded(photograph("coffee", 700), "PNG"))
    (tmp_path / "notes.txt").write_text("no picture")
    pictures, digest = fit.load_pictures([tmp_path])
    assert [picture.shape[:2] for picture in pictures] == [whole.shape[:2], photograph("coffee", 700).shape[:2]]
    assert len(digest) == 64


def test_of_an_original_protected_twice_the_reference_with_most_of_its_own_is_learnt_from() -> None:
    """The other's evidence was taken as shared: to learn it as a copy's would teach that shared pages are copies."""
    blank = photograph("rocket", 64)
    references = tuple(Reference(blank, frozenset([shown])) for shown in (1, 1, 2, 3))
    query = Query(blank, "made", 1, frozenset([1]), frozenset([3]))
    own = list(FEATURES).index("own_natural")
    features = [np.zeros(len(FEATURES)) for _ in references]
    for row, natural in zip(features, (0.5, 4.0, 0.0, 9.0), strict=True):
        row[own] = natural
    learnt = list(fit._labelled(Examples(references, (query,)), 0, list(enumerate(features))))
    assert [(pair.is_copy, pair.features[own]) for pair in learnt] == [(True, 4.0), (False, 0.0)]
