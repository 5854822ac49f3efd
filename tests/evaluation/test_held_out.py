"""What is told of a fit: how many candidates of each kind are found and alerted, by the pairs that were measured."""

import numpy as np
import pytest

from guardian.evaluation.held_out import Row, as_text, family_of, least_probability, rows_of
from guardian.evaluation.measured import Measured, Pair
from guardian.model import Action


def pair(query: int, *, is_copy: bool) -> Pair:
    return Pair(np.zeros(1), is_copy, "", query, query)


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    """Two seeds: three crops, of which stage one brings two, a page, and two distractors a seed."""
    edits = ("crop20", "crop20", "crop20", "design_form", "distractor_None", "distractor_crop20")
    first = (pair(0, is_copy=True), pair(0, is_copy=False), pair(1, is_copy=True), pair(3, is_copy=False))
    second = (pair(0, is_copy=True), pair(4, is_copy=False), pair(5, is_copy=False))
    return [Measured(1, edits, first), Measured(2, edits, second)]


STATED = np.array([0.99, 0.96, 0.7, 0.61, 0.1, 0.2, 0.05])


def test_kinds_are_counted_by_their_candidates(measured: list[Measured]) -> None:
    """The copy at 0.1 lies above the second of four distractors (0.05), and beside the crops nothing was measured."""
    assert rows_of(measured, STATED) == [
        Row("design", candidates=2, found=0, alerted=0, others_alerted=0, others_looked_at=1),
        Row("distractor", candidates=4, found=0, alerted=0, others_alerted=0, others_looked_at=0),
        Row("standard", candidates=6, found=3, alerted=1, others_alerted=1, others_looked_at=1),
    ]


def test_families_of_designs() -> None:
    names = ("design_form", "of_design_form", "quarter_of_design_form")
    assert [family_of(name) for name in names] == ["design", "copy of a design", "quarter of a design"]


def test_each_edit_has_a_row_if_asked(measured: list[Measured]) -> None:
    rows = rows_of(measured, STATED, by_edit=True)
    assert [row.kind for row in rows] == ["crop20", "design_form", "distractor_None", "distractor_crop20"]
    assert "crop20                            6   0.500    0.167" in as_text(rows)


def test_families_are_those_of_the_edits() -> None:
    families = [family_of(edit) for edit in ("ninth", "crop10", "of_design_form", "slide_of_long", "sibling")]
    assert families == ["wild", "hard", "copy of a design", "slide", "sibling"]


def test_bars_are_those_of_the_shipped_rules() -> None:
    assert (least_probability(Action.ALERT), least_probability(Action.REVIEW)) == (0.95, 0.6)
