"""The rectangle of cells that agree most, and how far what is shown reaches beyond it."""

import numpy as np
import pytest

from guardian.matching.verify.core_rectangle import core_of, extent_of
from tests.matching.pictures import drawing, noise
from tests.matching.verify.cell_maps import compared, grey, made


def test_the_core_is_the_part_that_was_not_covered() -> None:
    mine, theirs = grey("coffee"), grey("coffee")
    theirs[:, 72:] = np.asarray(noise(1, 48, 120).mean(axis=2), np.float32)
    core = core_of(compared(mine, theirs))
    assert core is not None
    assert (core.left, core.right) == (0, 6)
    assert core.bottom - core.top >= 8
    assert core.mean > 0.95
    assert core.hole == 0


def test_the_core_by_hand() -> None:
    core = core_of(made([[-0.5, 0.95, 0.95], [0.0, 0.95, float("nan")], [0.1, 0.2, 0.1]]))
    assert core is not None
    assert (core.top, core.left, core.bottom, core.right) == (0, 1, 2, 3)
    assert core.strength == pytest.approx(1.5)
    assert (core.rich, core.mean, core.over_half, core.natural) == (3, pytest.approx(0.95), 1.0, 3.0)
    assert core.share == pytest.approx(4 / 9)


def test_the_extent_reaches_over_even_ground_and_stops_at_what_disagrees() -> None:
    even = float("nan")
    cells = made([[even, even, even, -0.4], [even, 0.9, 0.8, -0.3], [even, even, even, 0.1], [0.2, 0.1, -0.2, 0.0]])
    core = core_of(cells)
    assert core is not None
    assert core.strength == pytest.approx(0.8)
    assert extent_of(cells, core) == (0, 0, 3, 3)


def test_nothing_agrees() -> None:
    assert core_of(made([[-0.2, 0.1], [0.3, 0.4]])) is None
    assert core_of(made([[float("nan")] * 2] * 2)) is None


def test_strangers_have_small_cores() -> None:
    pictures = [grey(name) for name in ("astronaut", "coffee", "chelsea", "coins")]
    pictures += [np.asarray(drawing(seed, 120, 120).mean(axis=2), np.float32) for seed in range(3)]
    cores = [core_of(compared(one, other)) for one in pictures for other in pictures if one is not other]
    assert max((core.strength for core in cores if core is not None), default=0) < 3
