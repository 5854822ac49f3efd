"""Ids as people type them."""

import pytest

from guardian.errors import UsageError
from guardian.views.short_ids import only_one, with_prefix


def test_a_prefix_is_added_where_it_is_missing() -> None:
    assert with_prefix("12ab", "asset_") == with_prefix("asset_12ab", "asset_") == "asset_12ab"


def test_the_only_one_is_returned() -> None:
    assert only_one([7], ["case_7"], "7", "case", "see the list") == 7


def test_none_and_several_are_told_apart() -> None:
    with pytest.raises(UsageError, match=r"^there is no case 7; see the list$"):
        only_one([], [], "7", "case", "see the list")
    ids = [f"case_7{letter}" for letter in "abcdef"]
    with pytest.raises(UsageError, match=r"^6 cases start with 7: case_7a, .*, case_7e, \.\.\.$"):
        only_one(ids, ids, "7", "case", "see the list")


def test_an_empty_id_names_nothing_rather_than_everything() -> None:
    with pytest.raises(UsageError, match="the id of the licence is empty: is there a variable without a value"):
        only_one(["one"], ["lic_1"], " ", "licence", "`guardian licence list` shows them")
