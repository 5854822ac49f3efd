"""Labels decide what is fitted: who copies whom, and who only looks alike."""

import numpy as np
import pytest

from guardian.evaluation.examples import Examples, make_examples
from tests.matching.pictures import Pixels, clouds, drawing


@pytest.fixture(scope="module")
def examples() -> Examples:
    return make_examples(pictures(), seed=3)


def pictures() -> list[Pixels]:
    return [(clouds if seed % 2 else drawing)(seed, 420, 320) for seed in range(48)]


def test_the_same_seed_makes_the_same_examples(examples: Examples) -> None:
    assert [query.edit for query in make_examples(pictures(), seed=4).queries] != [one.edit for one in examples.queries]
    again = make_examples(pictures(), seed=3)
    assert [reference.shows for reference in again.references] == [one.shows for one in examples.references]
    assert [(query.edit, query.main) for query in again.queries] == [(one.edit, one.main) for one in examples.queries]
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(again.queries, examples.queries, strict=True))


def test_every_copy_has_a_reference_that_it_copies(examples: Examples) -> None:
    shown = frozenset().union(*(reference.shows for reference in examples.references))
    copies = [query for query in examples.queries if query.copies]
    assert len(copies) == 24 * 6
    assert all(query.copies <= shown and query.copies == {query.main} for query in copies)


def test_strangers_and_look_alikes_copy_nothing(examples: Examples) -> None:
    others = [query for query in examples.queries if query.edit.startswith(("distractor", "template", "sibling"))]
    assert {query.edit.split("_")[0] for query in others} == {"distractor", "template", "sibling"}
    assert not any(query.copies for query in others)


def test_a_picture_that_shows_the_whole_is_no_stranger_of_its_half(examples: Examples) -> None:
    """Halves are named apart; whoever shows a foreign picture may show its protected half."""
    for query in examples.queries:
        if query.edit.startswith(("distractor", "template")):
            assert {query.main, -1 - query.main} <= query.may_show


def test_the_other_half_must_not_be_found(examples: Examples) -> None:
    """A sibling is a distractor of the protected half: nothing excuses finding it."""
    siblings = [query for query in examples.queries if query.edit == "sibling"]
    halves = {number for reference in examples.references for number in reference.shows if number < 0}
    assert halves
    for query in siblings:
        assert -1 - query.main in halves
        assert -1 - query.main not in query.copies | query.may_show


def test_templates_show_one_picture_each(examples: Examples) -> None:
    assert all(len(reference.shows) == 1 for reference in examples.references)


def test_some_pictures_are_protected_several_times(examples: Examples) -> None:
    owned = [number for reference in examples.references for number in reference.shows]
    assert any(owned.count(number) > 1 for number in {query.main for query in examples.queries if query.copies})
