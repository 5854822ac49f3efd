"""Labels decide what is fitted: who copies whom, and who only looks alike."""

from collections import Counter

import cv2
import numpy as np
import pytest

from guardian.evaluation.attacks import HARD, STANDARD, WILD
from guardian.evaluation.examples import HARD_COPIES, STANDARD_COPIES, WILD_COPIES, make_examples
from guardian.evaluation.lookalikes import _particular_quarter, repeats
from guardian.evaluation.pile import Examples
from tests.matching.pictures import Pixels, clouds, drawing

STRANGERS = ("distractor", "template", "sibling", "design", "scene")


@pytest.fixture(scope="module")
def examples() -> Examples:
    return make_examples(pictures(), seed=3)


def pictures() -> list[Pixels]:
    return [(clouds if seed % 2 else drawing)(seed, 420, 320) for seed in range(48)]


def test_the_same_seed_makes_the_same_examples() -> None:
    few = pictures()[:20]
    once, again, other = (make_examples(few, seed=seed) for seed in (3, 3, 4))
    assert [query.edit for query in other.queries] != [query.edit for query in once.queries]
    assert [reference.shows for reference in again.references] == [one.shows for one in once.references]
    assert [(query.edit, query.main) for query in again.queries] == [(one.edit, one.main) for one in once.queries]
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(again.queries, once.queries, strict=True))


def test_every_copy_has_a_reference_that_it_copies(examples: Examples) -> None:
    shown = frozenset().union(*(reference.shows for reference in examples.references))
    copies = [query for query in examples.queries if query.copies]
    assert all(query.copies <= shown and query.copies == {query.main} for query in copies)
    assert all(not query.copies & query.may_show for query in copies)
    for family, count in ((STANDARD, STANDARD_COPIES), (HARD, HARD_COPIES), (WILD, WILD_COPIES)):
        made = sum(query.edit in family for query in copies)
        # A few would show too little of these small pictures to be recognised: no copies to learn from.
        assert 0.8 * 24 * count <= made <= 24 * count


def test_strangers_and_look_alikes_copy_nothing(examples: Examples) -> None:
    others = [query for query in examples.queries if query.edit.startswith(STRANGERS)]
    assert {query.edit.split("_")[0] for query in others} == set(STRANGERS)
    assert not any(query.copies for query in others)


def test_a_picture_that_shows_the_whole_is_no_stranger_of_its_half(examples: Examples) -> None:
    """Halves are named apart; whoever shows a foreign picture may show its protected half."""
    count = len(pictures())
    for query in examples.queries:
        if query.edit.startswith(("distractor", "template")):
            whole = {number for number in query.may_show if 0 <= number < count}
            assert whole
            assert {-1 - number for number in whole} <= query.may_show


def test_the_other_half_must_not_be_found(examples: Examples) -> None:
    """A sibling is a distractor of the protected half: nothing excuses finding it."""
    siblings = [query for query in examples.queries if query.edit == "sibling"]
    halves = {number for reference in examples.references for number in reference.shows if number < 0}
    assert halves
    for query in siblings:
        assert -1 - query.main in halves
        assert -1 - query.main not in query.copies | query.may_show


def test_a_half_that_repeats_the_other_is_no_stranger() -> None:
    """The other half of a symmetrical drawing shows the same, mirrored; so does a motif that was drawn twice."""
    left, other = drawing(1, 320, 200), clouds(3, 320, 200)
    assert repeats(left, np.ascontiguousarray(left[:, ::-1]))
    assert repeats(left, np.ascontiguousarray(left[::-1, ::-1]))
    moved = other.copy()
    moved[20:180, 150:310] = left[30:190, 20:180]
    assert repeats(left, moved)
    assert not repeats(left, other)
    assert not repeats(*np.split(clouds(5, 320, 400), 2, axis=1))
    # Where nothing is drawn nothing repeats.
    assert not repeats(np.full((200, 100, 3), 255, np.uint8), np.full((200, 100, 3), 255, np.uint8))


def test_a_template_must_not_be_found_by_its_other_pages(examples: Examples) -> None:
    pages = [reference for reference in examples.references if len(reference.shows) == 2]
    templates = {query.main for query in examples.queries if query.edit.startswith("template_")}
    assert pages
    assert all(reference.shows & templates for reference in pages)
    for query in examples.queries:
        if query.edit.startswith("template_"):
            assert query.main not in query.may_show


def test_what_a_template_shows_beside_is_found_there_rightly(examples: Examples) -> None:
    """A picture that stands in the margin of a protected page is no stranger of that page."""
    templates = {query.main for query in examples.queries if query.edit.startswith("template_")}
    plain = [query for query in examples.queries if query.edit == "distractor_None"]
    assert any(query.may_show & templates for query in plain)


def test_some_pictures_are_protected_several_times(examples: Examples) -> None:
    owned = [number for reference in examples.references for number in reference.shows]
    assert any(owned.count(number) > 1 for number in {query.main for query in examples.queries if query.copies})


def test_another_page_of_a_protected_design_must_not_be_found(examples: Examples) -> None:
    """Nothing excuses finding it but the same picture in it."""
    protected = frozenset().union(*(reference.shows for reference in examples.references))
    strangers = [query for query in examples.queries if query.edit.startswith("design_")]
    assert len({query.edit for query in strangers}) >= 4
    for query in strangers:
        assert query.main not in protected
        assert query.main not in query.may_show


def test_copies_of_protected_pages_are_copies_of_these_alone(examples: Examples) -> None:
    copies = [query for query in examples.queries if query.edit.startswith("of_design_")]
    assert len(copies) >= 6
    assert all(query.copies == {query.main} for query in copies)


def test_a_quarter_is_a_copy_where_no_other_page_looks_the_same(examples: Examples) -> None:
    quarters = [query for query in examples.queries if query.edit.startswith("quarter_of_design_")]
    originals = {number: one.picture for one in examples.references for number in one.shows}
    assert quarters
    for query in quarters:
        height, width = originals[query.main].shape[:2]
        assert query.picture.shape[:2] == (height // 2, width // 2)
        assert query.copies == {query.main}


def test_no_quarter_is_taken_where_pages_are_the_same() -> None:
    first = np.full((400, 400, 3), 255, np.uint8)
    first[20:380:12] = 0
    second = first.copy()
    second[240:360, 240:360] = (0, 0, 90)
    boxes = [_particular_quarter([first, second], 0, np.random.default_rng(seed)) for seed in range(20)]
    assert any(box is None for box in boxes)
    taken = [box for box in boxes if box is not None]
    assert taken
    assert all(rows.stop > 240 and columns.stop > 240 for rows, columns in taken)


def test_slides_of_long_pictures_are_copies(examples: Examples) -> None:
    slides = [query for query in examples.queries if query.edit == "slide_of_long"]
    originals = {number: one.picture for one in examples.references for number in one.shows}
    assert slides
    for query in slides:
        height, width = originals[query.main].shape[:2]
        assert max(height, width) > 2.5 * min(height, width)
        assert query.copies == {query.main}


def test_no_shift_brings_more_than_a_few_things_of_a_scene_into_line(examples: Examples) -> None:
    protected = {number: one.picture for one in examples.references for number in one.shows}
    scenes = [query for query in examples.queries if query.edit == "scene"]
    assert scenes
    for query in scenes:
        first, second = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (protected[query.main], query.picture))
        shifts = Counter[tuple[int, int]]()
        for top in range(60, 380, 32):
            for left in range(0, 608, 32):
                block, band = first[top : top + 32, left : left + 32], second[top - 20 : top + 52]
                _, likeness, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(band, block, cv2.TM_CCOEFF_NORMED))
                if likeness > 0.7:
                    shifts[round((x - left) / 6), round((y - 20) / 6)] += 1
        assert max(shifts.values(), default=0) < 0.15 * 190


def test_who_shows_a_part_of_a_composed_picture_may_be_found_by_it(examples: Examples) -> None:
    """A panel that stands alone on a page is part of the protected strip: finding that is no fault."""
    composed = {number for one in examples.references for number in one.shows if number >= 48}
    distractors = [query for query in examples.queries if query.edit.startswith("distractor")]
    assert any(query.may_show & composed for query in distractors)
