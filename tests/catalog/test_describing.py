"""Keywords and captions of files that were added before they were kept: read from the originals, little by little."""

import asyncio
import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path

from guardian.app import make_catalog, make_workers
from guardian.catalog.describing import LEFT
from guardian.config import Config
from guardian.evidence import Vault
from guardian.model import Asset, Description
from guardian.store import Store
from tests.catalog.test_rights import iptc, jpeg
from tests.databases import store_in

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def _added(store: Store, content: bytes | None, name: str) -> Asset:
    sha256 = hashlib.sha256(content or name.encode()).hexdigest()
    with store.begin() as tx:
        asset = tx.assets.reserve(sha256, title=name, collection="shop", path=f"/{name}", size=(8, 6), at=NOW)
        tx.assets.protect([asset.number])
    return asset


def test_captions_of_earlier_files_are_read_once(config: Config, tmp_path: Path) -> None:
    asyncio.run(_read(config, tmp_path))


async def _read(config: Config, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = make_workers(config)
    catalog = make_catalog(config, store, workers)
    content = jpeg(stream=iptc({(2, 25): [b"sand"], (2, 120): [b"Dunes at dawn"]}))
    try:
        earlier, lost = _added(store, content, "earlier"), _added(store, None, "lost")
        Vault(config.data_dir / "originals", sys.maxsize).keep(content)
        assert await catalog.describe_some() == 0, "a new database has none"
        with store.begin() as tx:
            tx.upkeep.note(LEFT, str(lost.number))
        assert await catalog.describe_some() == 2
        assert await catalog.describe_some() == 0
        with store.read() as tx:
            assert tx.upkeep.value(LEFT) is None
            assert tx.assets.get(earlier.id).description == Description("sand", "Dunes at dawn")  # type: ignore[union-attr]
            assert tx.assets.get(lost.id).description == Description()  # type: ignore[union-attr]
            assert [hit.number for hit in tx.words.assets("dawn", 5).hits] == [earlier.number]
    finally:
        await workers.aclose()
        store.close()
