"""The appearance of a mirror image is that of the turned pixels, nearly so where halves of pixels count."""

import numpy as np
import pytest
from numpy.typing import NDArray

from demo.photographs import PROTECTED, opened
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.appearance_bytes import SLICES
from guardian.matching.features.mirror_image import with_mirror_image
from guardian.search.aspects import Aspect, exact_vectors_of

_EXACT = ("flat_colours", "edge_colours", "contrasts", "frame", "figure_colours", "figure_contrasts", "silhouette")


def _small_photograph(number: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(opened(PROTECTED[number]))[:150, :160])


@pytest.mark.parametrize("number", range(4))
def test_the_mirror_image_is_described_as_if_its_pixels_had_been_looked_at(number: int) -> None:
    rgb = _small_photograph(number)
    picture, mirrored = with_mirror_image(rgb)
    turned = appearance_of(np.ascontiguousarray(rgb[:, ::-1]))

    assert picture.to_bytes() == appearance_of(rgb).to_bytes()
    for name in SLICES:
        apart = np.abs(mirrored.part(name).astype(int) - turned.part(name))
        assert apart.max() <= (1 if name in _EXACT else 40), name
        assert apart.mean() <= 8, name
    for aspect in Aspect:
        one, other = (exact_vectors_of(each.values[None], aspect)[0] for each in (mirrored, turned))
        assert one @ other > 0.98


def test_what_leans_to_one_side_leans_to_the_other() -> None:
    rising = np.full((128, 128, 3), 255, np.uint8)
    rising[np.abs(np.add.outer(np.arange(128), np.arange(128)) - 100) < 14] = (20, 60, 160)
    picture, mirrored = with_mirror_image(rising)
    falling = appearance_of(np.ascontiguousarray(rising[:, ::-1]))

    for name in ("layout", "edges", "energies", "gradients", "spectrum", "silhouette", "local_shapes"):
        kept, wanted = mirrored.part(name).astype(int), falling.part(name).astype(int)
        assert 5 * np.abs(kept - wanted).mean() < np.abs(picture.part(name).astype(int) - wanted).mean(), name


def test_the_mirror_image_of_the_mirror_image_is_the_picture() -> None:
    rgb = _small_photograph(0)
    picture, _ = with_mirror_image(rgb)
    _, back = with_mirror_image(np.ascontiguousarray(rgb[:, ::-1]))

    look, again = (exact_vectors_of(each.values[None], Aspect.LOOK)[0] for each in (picture, back))
    assert look @ again > 0.98
