"""What was measured, as JSON and in words."""

import pytest

from guardian.views.comparisons import percent_text


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(1.0, ">99.9 %"), (0.9991, ">99.9 %"), (0.999, "99.9 %"), (0.5, "50.0 %"), (0.0004, "<0.1 %"), (0.0, "0.0 %")],
)
def test_probabilities_are_never_rounded_to_certainty(probability: float, shown: str) -> None:
    assert percent_text(probability) == shown
