"""Keywords and captions of files that were added before they were kept: read from the originals, little by little."""

import asyncio
import hashlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guardian.app import make_catalog, make_workers
from guardian.catalog.describing import LEFT
from guardian.config import Config
from guardian.errors import WorkerLost
from guardian.evidence import Vault
from guardian.matching.workers import Workers
from guardian.model import Asset, Description
from guardian.store import Store
from tests.catalog.test_rights import iptc, jpeg
from tests.databases import store_in
from tests.matching import jobs


class KillableWorkers(Workers):
    """Workers whose jobs about some bytes end them: crashed by the file, or killed from outside."""

    def __init__(self, config: Config, log: Path) -> None:
        super().__init__(config.matching, config.embedding, config.data_dir / "index")
        self.log, self.kills, self.crashes = log, b"", b""

    async def run(self, job: Callable[..., Any], *arguments: Any) -> Any:
        if arguments == (self.kills,):
            return await super().run(jobs.be_killed, self.log, 9)
        if arguments == (self.crashes,):
            return await super().run(jobs.crash, self.log)
        return await super().run(job, *arguments)


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


def test_a_file_whose_worker_was_killed_from_outside_is_read_by_the_next_call(config: Config, tmp_path: Path) -> None:
    asyncio.run(_read_with_kills(config, tmp_path))


async def _read_with_kills(config: Config, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = KillableWorkers(config, tmp_path / "log")
    catalog = make_catalog(config, store, workers)
    vault = Vault(config.data_dir / "originals", sys.maxsize)
    first, crashing, newest = (jpeg(stream=iptc({(2, 120): [words]})) for words in (b"Dunes", b"Bomb", b"Sea"))
    try:
        assets = [_added(store, content, f"file {number}") for number, content in enumerate((first, crashing, newest))]
        for content in (first, crashing, newest):
            vault.keep(content)
        with store.begin() as tx:
            tx.upkeep.note(LEFT, str(assets[-1].number))

        def captions() -> list[str | None]:
            with store.read() as tx:
                return [asset.description.caption for asset in tx.assets.of_ids({one.id for one in assets}).values()]

        workers.kills, workers.crashes = first, crashing
        with pytest.raises(WorkerLost, match="killed"):
            await catalog.describe_some()
        assert sorted(filter(None, captions())) == ["Sea"], "what was read before is kept"

        workers.kills = b""
        assert await catalog.describe_some() == 1, "the one that ends its worker by itself is not tried again"
        assert sorted(filter(None, captions())) == ["Dunes", "Sea"]
        assert await catalog.describe_some() == 0
    finally:
        await workers.aclose()
        store.close()
