"""A migrated store on each database, and protected assets in it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from guardian.model import Asset, AssetState
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def protect(store: Store) -> Callable[[str], Asset]:
    """protect("a") makes a protected asset whose digest is all a's."""

    def make(digit: str, collection: str = "shop") -> Asset:
        with store.begin() as tx:
            asset = tx.assets.reserve(
                digit * 64, title=f"Picture {digit}", collection=collection, path=f"/{digit}.jpg", size=(8, 6), at=NOON
            )
            tx.assets.protect([asset.number])
            protected = tx.assets.get(asset.id)
        assert protected is not None
        assert protected.state is AssetState.PROTECTED
        return protected

    return make
