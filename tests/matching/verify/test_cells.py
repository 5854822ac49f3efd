"""Cell by cell: what agrees, where it ends, and what is missing."""

import numpy as np
import pytest

from guardian.matching.verify.cells import CELL, compare_cells, hole_of, missing
from tests.matching.verify.cell_maps import compared, grey, made


def test_every_cell_of_the_same_picture_agrees_by_hand() -> None:
    """Against numpy's own correlation; half of the contrast has a quarter of the noise."""
    mine = grey("astronaut")
    theirs = mine * 0.5 + np.random.default_rng(0).normal(0, 8, mine.shape).astype(np.float32)
    cells = compared(mine, theirs)
    assert cells.correlation.shape == (120 // CELL, 120 // CELL)
    assert cells.contrast == pytest.approx(0.5, abs=0.02)
    for row, column in [(0, 0), (4, 7), (9, 9)]:
        at = (slice(row * CELL, (row + 1) * CELL), slice(column * CELL, (column + 1) * CELL))
        a, b = mine[at].ravel().astype(float), theirs[at].ravel().astype(float)
        expected = np.cov(a, b, bias=True)[0, 1] / np.sqrt((a.var() + 4) * (b.var() + 4 * cells.contrast**2))
        assert cells.correlation[row, column] == pytest.approx(expected, abs=1e-4)
        assert cells.means[:, row, column] == pytest.approx([a.mean(), b.mean()], abs=1e-3)


def test_what_was_faded_agrees_as_well_as_before() -> None:
    mine = grey("astronaut")
    faded = np.round(mine * 0.2 + 200)
    cells = compared(mine, faded)
    assert cells.contrast == pytest.approx(0.2, abs=0.02)
    assert cells.mean > 0.9
    assert compared(mine, mine).contrast == pytest.approx(1.0)


def test_the_contrast_of_another_picture_is_not_known() -> None:
    mine = grey("astronaut")
    assert compared(mine, grey("camera") * np.float32(0.2)).contrast == 1.0


def test_cells_outside_of_the_frame_are_not_known() -> None:
    mine = grey("astronaut")
    cells = compare_cells(mine, mine, np.array([[1.0, 0, -60], [0, 1, 0], [0, 0, 1]]), (120, 120))
    assert not cells.known[:, :5].any()
    assert cells.known[:, 5:].all()


def test_flat_cells_are_not_rich_and_weigh_nothing() -> None:
    mine = grey("astronaut")
    mine[:60] = 200
    cells = compared(mine, mine)
    assert not cells.rich[:5].any()
    assert not cells.weight[:5].any()
    assert cells.agreeing[5:, :6].mean() > 0.85


def test_holes_are_connected() -> None:
    cells = made([[0.1, 0.9, 0.1], [0.1, 0.9, 0.9], [0.9, 0.9, 0.9]])
    assert hole_of(missing(cells), 9) == pytest.approx(2 / 9)
    assert hole_of(missing(made([[0.9]])), 1) == 0


def test_behind_the_horizon_nothing_is_seen() -> None:
    """Also exactly on it, where a division would fail."""
    mine = grey("astronaut", 24)
    cells = compare_cells(mine, mine, np.array([[1.0, 0, 0], [0, 1, 0], [-0.25, 0, 1]]), (24, 24))
    assert not cells.known.any()


@pytest.mark.parametrize("shift", [0.0, -30.5])
def test_whole_grey_levels_are_compared_as_fractions_are(shift: float) -> None:
    """Bytes are added up in another way; not a bit of the result may differ."""
    mine = np.round(grey("astronaut"))
    theirs = np.round(np.roll(mine, 1, axis=1) * 0.8 + 20)
    to_frame = np.array([[1.0, 0.0, shift], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    fractions = compare_cells(mine, theirs, to_frame, (120, 120))
    levels = compare_cells(mine.astype(np.uint8), theirs.astype(np.uint8), to_frame, (120, 120))
    assert levels.known.all() == (shift == 0)
    for name in ("correlation", "known", "rich", "weight", "foreign", "their_variance", "means"):
        assert np.array_equal(getattr(levels, name), getattr(fractions, name)), name
    assert (levels.whole, levels.contrast) == (fractions.whole, fractions.contrast)
