"""Correspondences of oriented keypoints, and which of them agree on one transform."""

import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from guardian.matching import consensus
from guardian.matching.features import keypoints
from guardian.matching.geometry import Matrix
from tests.matching.scattered import apart, joined, moved, scattered, similarities, similarity


@examples(max_examples=60, deadline=None, derandomize=True)
@given(similarities, st.integers(0, 2**32 - 1))
def test_one_correspondence_proposes_its_similarity(matrix: Matrix, seed: int) -> None:
    asset = scattered(5, seed)
    candidate = moved(asset, matrix)
    for index in range(5):
        assert apart(consensus.proposed_similarity(asset, candidate, index), matrix) < 0.5


def test_correspondences_agree_with_their_own_transform_only() -> None:
    """Thirty by one transform, ten by another, sixty by none."""
    asset = scattered(100, 1)
    first, second = similarity(0.7, 20, 30, 50), similarity(1.4, -60, 100, 300)
    candidate = joined(
        moved(keypoints.taken(asset, np.arange(30)), first, jitter=0.5),
        moved(keypoints.taken(asset, np.arange(30, 40)), second, jitter=0.5),
        scattered(60, 2),
    )
    agreeing = consensus.count_agreeing(asset, candidate)
    assert agreeing[:30].min() >= 25
    assert 8 <= agreeing[30:40].min() <= agreeing[30:40].max() <= 16
    assert agreeing[40:].max() < 8
    assert agreeing.min() >= 1


def test_a_lone_correspondence_agrees_with_itself() -> None:
    one = scattered(1, 3)
    assert consensus.count_agreeing(one, one).tolist() == [1]
