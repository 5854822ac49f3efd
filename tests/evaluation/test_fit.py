"""What is fitted is what is read: export and walk give scikit-learn's own answers; provenance is whole."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guardian.evaluation import fit, measured
from guardian.evaluation.examples import Examples, Query, Reference
from guardian.evaluation.measured import Measured, Pair
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import FEATURES
from tests.matching.pictures import encoded, photograph


def some_pairs(count: int = 500) -> list[Pair]:
    """Facts at random; a copy where inliers and agreeing cells are many."""
    generator = np.random.default_rng(5)
    features = generator.uniform(0, 1, (count, len(FEATURES)))
    speaks = features[:, list(FEATURES).index("inliers")] + features[:, list(FEATURES).index("core_strength")]
    truth = speaks + generator.normal(0, 0.15, count) > 1.1
    return [Pair(features[n], bool(truth[n]), "made", n % 40, n) for n in range(count)]


@pytest.fixture(scope="module", autouse=True)
def few_rounds() -> Iterator[None]:
    """Fit fewer trees than `make fit` does: these pairs need no more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "ROUNDS", 120)
        yield


@pytest.fixture(scope="module")
def whole_fit(few_rounds: None) -> fit.Fitted:
    return fit.fit(some_pairs(), {"seeds": [1]}, judging=some_pairs()[:100])


@pytest.fixture(scope="module")
def fitted(whole_fit: fit.Fitted) -> dict[str, object]:
    return whole_fit.content


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


def test_pairs_that_judge_are_rated_by_trees_that_did_not_see_their_pictures(whole_fit: fit.Fitted) -> None:
    """The same pairs, as judges and as held out: their own fold's trees answer both."""
    assert whole_fit.judged == pytest.approx(whole_fit.held_out[:100])


def test_a_seed_that_was_kept_is_not_measured_again(tmp_path: Path) -> None:
    kept = Measured(3, ("made",), tuple(some_pairs(1)))
    measured.save(kept, tmp_path / "seed-3.npz")
    assert fit._measured(tmp_path / "no pictures.npz", tmp_path, 3).edits == kept.edits


def test_provenance_says_what_was_fitted_and_by_which_code(fitted: dict[str, object]) -> None:
    provenance = fitted["provenance"]
    assert isinstance(provenance, dict)
    assert (provenance["seeds"], provenance["pairs"]) == ([1], len(some_pairs()))
    assert provenance["copies"] == sum(pair.is_copy for pair in some_pairs())
    assert len(measured.digest_of_code()) == 64


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
    learnt = list(measured.labelled(Examples(references, (query,)), 0, list(enumerate(features))))
    assert [(pair.is_copy, pair.features[own]) for pair in learnt] == [(True, 4.0), (False, 0.0)]
