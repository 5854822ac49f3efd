"""Pictures of one design share it and differ in what is particular; every seed is another design."""

import numpy as np
import pytest

from guardian.evaluation.designs.canvas import scanned
from guardian.evaluation.templates import KINDS, differ_in_tone, make, mostly

SIDE = 96


def small(picture: np.ndarray) -> np.ndarray:
    """Grey and small, so that pictures of different sizes can be compared."""
    from guardian.evaluation.pictures import resized

    return resized(picture, SIDE, SIDE).astype(float).mean(axis=2)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_one_design_are_alike_and_no_two_the_same(kind: str) -> None:
    first, second, third = make(kind, np.random.default_rng(7), 3)
    assert first.dtype == np.uint8
    assert first.shape == second.shape == third.shape
    assert min(first.shape[:2]) >= 150
    for one, other in ((first, second), (first, third), (second, third)):
        # Words and figures differ: at least one pixel in a hundred is another.
        assert (np.abs(one.astype(int) - other).max(axis=2) > 40).mean() > 0.01


def test_a_design_is_shared_by_its_pictures_alone() -> None:
    """Of most kinds, two pictures of one design are nearer to each other than to the same kind of another seed."""
    nearer = 0
    for kind in KINDS:
        first, second = map(small, make(kind, np.random.default_rng(3), 2))
        other = small(make(kind, np.random.default_rng(4), 1)[0])
        nearer += np.abs(first - second).mean() < np.abs(first - other).mean()
    assert nearer >= 0.85 * len(KINDS)


def test_a_scanned_page_is_turned_and_noisy_and_still_the_page() -> None:
    page = make("menu_card", np.random.default_rng(1), 1)[0]
    scan = scanned(page, np.random.default_rng(2))
    assert scan.shape == page.shape
    changed = np.abs(scan.astype(int) - page).max(axis=2)
    assert (changed > 0).mean() > 0.5
    assert np.abs(small(page) - small(scan)).mean() < 60
    assert not np.array_equal(scan, scanned(page, np.random.default_rng(3)))


def test_the_same_seed_draws_the_same() -> None:
    for kind in ("calendar", "quote_card", "sheet_music", "shirt", "chat", "map_tile", "comic_page"):
        one, other = (make(kind, np.random.default_rng(11), 2) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_designs_show_the_pictures_that_they_are_given() -> None:
    red, blue = np.full((90, 120, 3), (250, 0, 0), np.uint8), np.full((90, 120, 3), (0, 0, 250), np.uint8)
    shown = make("stamp", np.random.default_rng(5), 3, [red, blue])
    middles = [picture[picture.shape[0] // 2, picture.shape[1] // 2].tolist() for picture in shown]
    assert middles == [[250, 0, 0], [0, 0, 250], [250, 0, 0]]


@pytest.mark.parametrize("kind", ["certificate", "invoice", "chess_diagram"])
def test_what_is_mostly_the_first_differs_in_a_few_places_that_are_seen(kind: str) -> None:
    generator = np.random.default_rng(2)
    first, second = make(kind, generator, 2)
    mixed = mostly(first, second, generator)

    assert mixed.shape == first.shape
    as_first, as_second = ((mixed == one).all(axis=2) for one in (first, second))
    assert (as_first | as_second).all()
    assert as_first.mean() > (first == second).all(axis=2).mean()
    assert not as_first.all()
    assert differ_in_tone(first, mixed)


def test_other_colours_of_one_grey_are_no_difference_in_tone() -> None:
    page = np.full((300, 400, 3), 255, np.uint8)
    red, green = page.copy(), page.copy()
    red[100:200, 100:300], green[100:200, 100:300] = (200, 60, 60), (20, 155, 40)
    assert not differ_in_tone(red, green)
    assert differ_in_tone(red, page)
