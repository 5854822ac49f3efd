"""Colours in soft bins."""

import numpy as np
import pytest

from guardian.matching.features.colour_shares import COLOUR_CELLS, colour_cells


def test_colours_share_out_among_neighbouring_cells() -> None:
    lab = np.array([[50, 0, 0], [53, 80, 67], [100, 0, 0]], dtype=np.float32)

    cells, weights = colour_cells(lab)

    assert cells.min() >= 0
    assert cells.max() < COLOUR_CELLS
    assert weights.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert set(cells[0][weights[0] > 0]) <= {0, 1, 2, 3}, "greys have no hue"
