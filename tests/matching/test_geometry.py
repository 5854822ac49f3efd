"""Transforms from asset to candidate pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from guardian.matching import geometry


@examples(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6), st.integers(1, 5000))
def test_mirroring_back_twice_changes_nothing(values: list[float], width: int) -> None:
    matrix = np.array(values)
    once = geometry.mirrored_back(matrix, width)
    assert np.allclose(geometry.mirrored_back(once, width), matrix)
    x, y = 17.0, 5.0
    there = (matrix[0] * x + matrix[1] * y + matrix[2], matrix[3] * x + matrix[4] * y + matrix[5])
    back = (once[0] * x + once[1] * y + once[2], once[3] * x + once[4] * y + once[5])
    assert back == (pytest.approx(width - 1 - there[0]), there[1])
