"""Destinations that asked for silence."""

from datetime import UTC, datetime

from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_disabled_until_enabled(store: Store) -> None:
    with store.begin() as tx:
        assert tx.destinations.disabled() == {}
        tx.destinations.disable("legal", NOON, "410\x00 Gone")
        tx.destinations.disable("legal", NOON, "410 still gone")
        tx.destinations.disable("archive", NOON, "410 Gone")
    with store.begin() as tx:
        assert tx.destinations.disabled() == {"archive": "410 Gone", "legal": "410 still gone"}
        assert tx.destinations.enable("legal") is True
        assert tx.destinations.enable("legal") is False
        assert list(tx.destinations.disabled()) == ["archive"]
