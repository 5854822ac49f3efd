"""What `guardian asset spread` does: reads what is known, has workers compare the versions, writes the graphs."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.cli.context import Session, opened_store
from guardian.cli.filters import asset_starting_with
from guardian.durable import write_whole
from guardian.errors import GuardianError
from guardian.model import Spread, SpreadVersion

if TYPE_CHECKING:
    from guardian.memory.remembering import Memory
    from guardian.store import Store


def read_spread(session: Session, asset_id: str) -> Spread:
    """Return how the copies of an asset's work hang together. Raises UsageError for an unknown asset."""
    return asyncio.run(_read_spread(session, asset_id))


async def _read_spread(session: Session, asset_id: str) -> Spread:
    from guardian.app import make_workers, open_rules, opened_memory, platforms_of
    from guardian.evidence.vaults import originals_in
    from guardian.memory.phylogeny import derive, with_derivations
    from guardian.memory.replay import JudgingSettings
    from guardian.memory.spread import spread_of

    config = session.config
    workers = make_workers(config)
    try:
        with opened_store(session) as store:
            memory = opened_memory(config, store, workers)
            await asyncio.to_thread(memory.write_waiting)
            settings = JudgingSettings(config.own_hosts, platforms_of(config))
            with store.read() as tx:
                asset = asset_starting_with(tx, asset_id)
                versions = spread_of(tx, asset.id, open_rules(config), settings, workers.report_recipe)
            versions = _with_previews(store, memory, versions)
            spread = Spread(asset.id, asset.title, versions, sum(not one.preview for one in versions))
            if not versions:
                return spread
            try:
                content = originals_in(config.data_dir).get(asset.sha256)
                derivations = await workers.run_with_matcher(derive, content, versions)
            except GuardianError as error:
                # The original is lost, or the index is: what was measured is shown all the same.
                told = tuple(replace(one, how=one.comparison.description) for one in versions)
                return replace(spread, versions=told, not_compared=str(error))
            return with_derivations(spread, derivations)
    finally:
        await workers.aclose()


def _with_previews(store: "Store", memory: "Memory", versions: tuple[SpreadVersion, ...]) -> tuple[SpreadVersion, ...]:
    """Return the versions with the previews that this machine's memory has of them, or of one nearly the same."""
    from guardian.memory.reading import MemoryReader

    reader = MemoryReader(memory.folder, memory.recipe)
    reader.refresh()
    shown = []
    with store.read() as tx:
        for one in versions:
            picture = tx.seen.get(one.sha256)
            head = tx.seen.get(picture.same_as) if picture is not None and picture.same_as is not None else picture
            found = reader.row_of(head.number) if head is not None else None
            preview = found[0].preview(found[1]) if found is not None else b""
            size = (picture.width, picture.height) if picture is not None else (one.width, one.height)
            shown.append(replace(one, preview=preview, width=size[0], height=size[1]))
    return tuple(shown)


def write_graph(path: Path, text: str) -> None:
    """Write a graph to a file, all of it or nothing. Raises OSError."""
    write_whole(path, text.encode())
