"""Edits that tests, demo and fitting share: each changes the picture, and the same seed does the same."""

import numpy as np
import pytest
from PIL import Image

from guardian.evaluation.attacks import EDITS, HARD, STANDARD, WILD, apply


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_repeatable_and_leaves_a_picture(edit: str, photographs: dict[str, Image.Image]) -> None:
    picture = np.asarray(photographs["coffee"].resize((480, 320)))
    near = [np.asarray(photographs[name].resize((480, 320))) for name in ("rocket", "cat", "coins", "brick")] * 3
    first = apply(edit, picture, np.random.default_rng(5), near)
    again = apply(edit, picture, np.random.default_rng(5), near)
    assert np.array_equal(first, again)
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert first.shape[2] == 3
    assert first.shape != picture.shape or not np.array_equal(first, picture)


def test_the_families_share_no_name() -> None:
    assert len(EDITS) == len(STANDARD) + len(HARD) + len(WILD)
