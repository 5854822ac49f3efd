"""Licences in words."""

from datetime import UTC, date, datetime

import pytest

from guardian.model import Asset, Licence, LicenceStatus
from guardian.views.licences import USE_TEXTS, grant_text, licence_json, scope_text

ASSET = Asset("asset_1", 1, "Düne", "shop", "/a.jpg", "a" * 64, 800, 600, datetime(2026, 11, 24, tzinfo=UTC), "work_1")
OF_ONE = Licence("lic_1", "customer.example", asset_id="asset_1")
OF_MANY = Licence("lic_2", "customer.example", collection="press")


def test_every_status_of_a_use_has_words() -> None:
    assert set(USE_TEXTS) == set(LicenceStatus)


def test_what_a_licence_covers() -> None:
    assert scope_text(OF_MANY, None) == "the collection press"
    assert scope_text(OF_ONE, ASSET) == "“Düne” (asset_1)"
    assert scope_text(OF_ONE, None) == "asset_1"


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, None, "customer.example may use all without end"),
        (date(2026, 1, 1), None, "customer.example may use all from 2026-01-01"),
        (None, date(2026, 12, 31), "customer.example may use all until 2026-12-31"),
    ],
)
def test_who_may_use_it_when(first: date | None, last: date | None, words: str) -> None:
    licence = Licence("lic_1", "customer.example", collection="a", valid_from=first, valid_until=last)
    assert grant_text(licence, "all") == words


def test_open_ends_are_null() -> None:
    shown = licence_json(OF_MANY, LicenceStatus.LICENSED)
    assert (shown["valid_from"], shown["valid_until"], shown["today"]) == (None, None, "licensed")
