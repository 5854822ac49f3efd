"""Two ways of answering, side by side: what was not measured is a dash, and a change has its sign."""

import pytest

from guardian.evaluation.comparison import Line, change_words, line_words, number_words


@pytest.mark.parametrize(("number", "words"), [(0.96234, "0.962"), (3, "3"), (0, "0"), (1.0, "1.000"), (None, "-")])
def test_shares_have_three_decimals_and_counts_none(number: float | None, words: str) -> None:
    assert number_words(number) == words


@pytest.mark.parametrize(
    ("now", "other", "words"),
    [(0.9, 0.95, "+0.050"), (5, 2, "-3"), (4, 4, ""), (0.5, 0.50001, ""), (None, 0.1, ""), (2, None, "")],
)
def test_a_change_has_its_sign_and_none_is_said_where_there_is_none(
    now: float | None, other: float | None, words: str
) -> None:
    assert change_words(Line("copies found", now, other)) == words


def test_a_loss_has_the_digits_in_which_it_differs() -> None:
    assert line_words(Line("log loss", 0.0083, 0.0079, digits=4)) == ("0.0083", "0.0079", "-0.0004")
