"""Measurement to probability: within bounds, calibrated as it says, and moving only the way it may."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.matching import recipe
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import FEATURES, NOT_MEASURED

RANGES = {
    "inliers": (0, 800),
    "close_inliers": (0, 600),
    "rare": (0, 800),
    "inlier_share": (0, 1),
    "rare_share": (0, 1),
    "mean_bits": (0, 64),
    "spread": (0, 16),
    "visible": (0, 800),
    "agreeing": (0, 150),
    "votes": (0, 800),
    "hash_distance": (0, 128),
    "asset_coverage": (0, 1),
    "candidate_coverage": (0, 1),
    "zoom": (0, 3),
    "stretch": (1, 2.5),
    "cells": (0, 100),
    "rich": (0, 100),
    **dict.fromkeys(("over_half", "over_seven_tenths", "natural_over_half", "hole"), (0, 1)),
    **dict.fromkeys(("median", "mean", "whole", "means"), (-1, 1)),
    "natural": (0, 1.5),
    **dict.fromkeys(("core_strength", "core_rich", "core_natural", "own_cells", "own_natural"), (0, 60)),
    **dict.fromkeys(("core_mean", "core_over_half", "core_share", "core_hole"), (0, 1)),
    "particular": (0, 800),
    "particular_share": (0, 1),
    "detail_side": (128, 384),
    **dict.fromkeys(("detail_agreeing", "whole_agreeing"), (0, 1000)),
    **dict.fromkeys(("detail_patch", "whole_patch", "detail_natural", "whole_natural"), (0, 400)),
    **dict.fromkeys(
        (
            f"{part}_{share}"
            for part in ("detail", "whole")
            for share in (
                *("replaced", "lost", "added", "differing", "drawn", "drawn_unlike", "natural_held"),
                *("kept", "gone", "bared", "upright"),
            )
        ),
        (0, 1),
    ),
    "detail_natural_mean": (0, 1.5),
}


def some_features(seed: int) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    return np.array([generator.uniform(*RANGES[name]) for name in FEATURES])


def test_every_feature_has_a_range_here() -> None:
    assert set(RANGES) == set(FEATURES)


@examples(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from([name for name, way in FEATURES.items() if way]), st.floats(0, 1))
def test_more_of_what_speaks_for_a_copy_never_speaks_against_it(seed: int, name: str, share: float) -> None:
    """The constraints under which the trees were grown hold in what was stored."""
    features = some_features(seed)
    place, (low, high) = list(FEATURES).index(name), RANGES[name]
    better = features.copy()
    towards = high if FEATURES[name] > 0 else low
    better[place] += (towards - features[place]) * share
    assert confidence.fitted().probability(better) >= confidence.fitted().probability(features) - 1e-12


@examples(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1e9, 1e9), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_probabilities_are_never_quite_certain(values: list[float]) -> None:
    assert 0 < confidence.fitted().probability(np.array(values)) < 1


def test_what_was_not_measured_is_not_a_copy() -> None:
    """Pixels and keypoints unmeasured, hashes unlike; -1 in the hash distance would be more alike than any two are."""
    features = np.full(len(FEATURES), NOT_MEASURED)
    features[list(FEATURES).index("hash_distance")] = RANGES["hash_distance"][1]
    assert confidence.fitted().probability(features) < 0.01


def test_the_extremes_are_told_apart() -> None:
    best = {name: high if FEATURES[name] >= 0 else low for name, (low, high) in RANGES.items()}
    best |= {"mean_bits": 10, "zoom": 0, "stretch": 1, "inlier_share": 1, "rare_share": 1}
    worst = {name: low if FEATURES[name] >= 0 else high for name, (low, high) in RANGES.items()}
    probability = confidence.fitted().probability
    assert probability(np.array([best[name] for name in FEATURES], dtype=np.float64)) > 0.95
    assert probability(np.array([worst[name] for name in FEATURES], dtype=np.float64)) < 0.01


def test_shipped_parameters_say_where_they_come_from() -> None:
    data = json.loads(recipe.FITTED.read_bytes())
    assert data["facts"] == list(FEATURES)
    assert data["provenance"]["pairs"] > 10_000
    assert data["provenance"]["copies"] > 1000
    assert {"seeds", "pictures", "pictures_sha256", "command"} <= set(data["provenance"])


def test_stated_probabilities_were_no_boast_on_pictures_held_out() -> None:
    """In each range where a rule alerts, at least nearly as many were copies as was stated."""
    for band in json.loads(recipe.FITTED.read_bytes())["reliability"]:
        if band["pairs"] >= 50 and band["from"] >= 0.5:
            assert band["right"] >= band["stated"] - 0.03
        if band["to"] <= 0.01:
            assert band["right"] < 0.01


def test_trees_end_in_leaves() -> None:
    fitted = confidence.fitted()
    nodes = np.arange(fitted.feature.shape[1])
    for left, right in zip(fitted.left, fitted.right, strict=True):
        leaves = left == nodes
        assert np.array_equal(leaves, right == nodes)
        assert (left[~leaves] > nodes[~leaves]).all()
        assert (right[~leaves] > nodes[~leaves]).all()
    assert ((fitted.feature >= 0) & (fitted.feature < len(FEATURES))).all()


def test_a_file_fitted_for_other_features_is_refused(tmp_path: Path) -> None:
    data = json.loads(recipe.FITTED.read_bytes())
    data["facts"] = data["facts"][: len(FEATURES) // 2]
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="make fit"):
        confidence.read(path)
    data["facts"] = [*list(FEATURES)[:-1], "colour"]
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="make fit"):
        confidence.read(path)


@pytest.mark.parametrize("astray", [3, -1, 10**6])
def test_trees_that_lead_beyond_their_nodes_are_refused(astray: int) -> None:
    """Bundles are somebody else's files, and compiled code walks wherever it is told."""
    with pytest.raises(ValueError, match="lead nowhere"):
        confidence.parsed(file_with(left=[1, 1, 2], right=[astray, 1, 2]))


def test_trees_that_lead_in_circles_come_to_an_end() -> None:
    fitted = confidence.parsed(file_with(left=[1, 0, 2], right=[2, 0, 2]))
    assert fitted.raw(np.zeros(len(FEATURES))) in (0, -1)


def file_with(left: list[int], right: list[int]) -> bytes:
    tree = {"fact": [0, 0, 0], "threshold": [0.5, 0, 0], "left": left, "right": right, "value": [0, -1.0, 1.0]}
    data = {"facts": ["inliers"], "trees": [tree], "baseline": 0.0, "calibration": {"slope": 1.0, "intercept": 0.0}}
    return json.dumps(data).encode()


def test_a_file_fitted_on_fewer_features_is_read_by_their_names() -> None:
    """Bundles of evidence keep the confidence of their time."""
    leaf = {"threshold": [0.5, 0, 0], "left": [1, 1, 2], "right": [2, 1, 2], "value": [0, -1.0, 1.0]}
    tree = {"fact": [1, 0, 0], **leaf}
    data = {"facts": ["inliers", "whole_lost"], "trees": [tree], "baseline": 0.0}
    fitted = confidence.parsed(json.dumps(data | {"calibration": {"slope": 1.0, "intercept": 0.0}}).encode())
    features = np.zeros(len(FEATURES))
    assert fitted.raw(features) == -1
    features[list(FEATURES).index("whole_lost")] = 1
    assert fitted.raw(features) == 1


def test_reading_is_as_one_would_do_by_hand(tmp_path: Path) -> None:
    """Two small trees of different size, walked on paper."""
    trees = [
        {"fact": [0, 0, 0], "threshold": [10.0, 0, 0], "left": [1, 1, 2], "right": [2, 1, 2], "value": [0, -2.0, 3.0]},
        {"fact": [0], "threshold": [0.0], "left": [0], "right": [0], "value": [0.5]},
    ]
    data = {"facts": list(FEATURES), "trees": trees, "baseline": -1.0, "calibration": {"slope": 2.0, "intercept": 0.25}}
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps(data))
    made = confidence.read(path)
    features = np.zeros(len(FEATURES))
    features[0] = 10
    assert made.raw(features) == -1 - 2 + 0.5
    features[0] = 10.5
    assert made.raw(features) == -1 + 3 + 0.5
    assert made.probability(features) == pytest.approx(1 / (1 + np.exp(-(2 * 2.5 + 0.25))))
