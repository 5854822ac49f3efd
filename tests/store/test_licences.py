"""Licences as rows."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from guardian.errors import UsageError
from guardian.model import Asset
from guardian.store import Store
from tests.granting import grant_licence

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_licences_of_a_host_and_of_the_domains_above_it(store: Store, protect: Callable[..., Asset]) -> None:
    asset = protect("a")
    with store.begin() as tx:
        by_asset = grant_licence(tx, "A.example", at=NOON, asset_id=asset.id, dates=(date(2026, 1, 1), None))
        by_collection = grant_licence(tx, "b.example", at=NOON, collection="shop", territory="EU")
        above = grant_licence(tx, "example", at=NOON, collection="press")
    with store.read() as tx:
        assert tx.licences.for_host("a.example") == [by_asset, above]
        assert tx.licences.for_host("www.b.example") == [by_collection, above]
        assert tx.licences.for_host("www.a.example") == [by_asset, above]
        assert tx.licences.for_host("aa.example") == [above], "no part of a name"
        assert tx.licences.for_host("") == []
    assert (by_asset.host, by_asset.valid_from, by_asset.valid_until) == ("a.example", date(2026, 1, 1), None)


def test_a_licence_for_www_speaks_about_the_bare_name(store: Store) -> None:
    with store.begin() as tx:
        granted = grant_licence(tx, "www.a.example", at=NOON, collection="shop")
        assert tx.licences.for_host("a.example") == [granted]
        assert tx.licences.for_host("www.a.example") == [granted]
        assert tx.licences.for_host("b.a.example") == []


def test_same_terms_twice_are_one_licence(store: Store) -> None:
    with store.begin() as tx:
        first = grant_licence(tx, "a.example", at=NOON, collection="shop")
        second = grant_licence(tx, "a.example", at=NOON, collection="shop", proof_file="/contract.pdf")
        assert [licence.proof_file for licence in tx.licences.list()] == ["/contract.pdf"]
        assert first.id == second.id
        assert tx.licences.remove(first.id) is True
        assert tx.licences.remove(first.id) is False
        assert tx.licences.list() == []


def test_terms_that_make_no_sense(store: Store) -> None:
    with store.begin() as tx:
        with pytest.raises(UsageError, match="either"):
            grant_licence(tx, "a.example", at=NOON)
        with pytest.raises(UsageError, match="either"):
            grant_licence(tx, "a.example", at=NOON, asset_id="a", collection="shop")
        with pytest.raises(UsageError, match="before it begins"):
            grant_licence(tx, "a.example", at=NOON, collection="shop", dates=(date(2026, 2, 1), date(2026, 1, 1)))
