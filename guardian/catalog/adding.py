"""Protects files: reads and measures each, then reserves, publishes and protects a batch of them together."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog

from guardian.catalog.context import CatalogContext
from guardian.catalog.publishing import a_few_at_a_time, protect_published, publish_entries
from guardian.catalog.rights import FileMetadata, filled, read_metadata
from guardian.catalog.upkeep import rebuild
from guardian.catalog.wanted import Wanted, as_text
from guardian.errors import FetchFailed, FetchRefused, IndexNotReady, Unmatchable, WorkerLost
from guardian.fetch import local
from guardian.matching.features.fingerprint import Fingerprint
from guardian.model import Asset, AssetState, Skipped

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding one file.

    `asset` is None exactly when `problem` says why it is not protected. `was_known`: the same bytes were protected
    before. `nearly`: assets that look almost the same, most similar first. `versions`: the other protected assets of
    its work.
    """

    path: Path
    asset: Asset | None = None
    problem: Skipped | None = None
    unmatchable: bool = False
    was_known: bool = False
    nearly: tuple[Asset, ...] = ()
    versions: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A readable, matchable file, fingerprinted and kept."""

    wanted: Wanted
    sha256: str
    fingerprint: Fingerprint
    metadata: FileMetadata


async def add_batch(context: CatalogContext, batch: Sequence[Wanted], looked_at: Callable[[], None]) -> list[Added]:
    """Add some files together: prepare, reserve, publish, protect. Return one result for each, in their order.

    The lock of the catalogue must be held. `looked_at` is called for each file as soon as it was read and measured.
    """

    async def prepare(wanted: Wanted) -> _Prepared | Added:
        prepared = await _prepare(context, wanted)
        looked_at()
        return prepared

    prepared = await a_few_at_a_time(batch, prepare, context.workers.count + 1)
    ready = [one for one in prepared if isinstance(one, _Prepared)]

    reserved = await asyncio.to_thread(_reserve, context, ready)
    fresh = {one.sha256: one for one in ready if reserved[one.sha256].state is AssetState.ADDING}
    nearly = await asyncio.to_thread(_nearly, context, list(fresh.values()), reserved)
    entries = [(reserved[sha256].number, reserved[sha256].id, one.fingerprint) for sha256, one in fresh.items()]

    try:
        await publish_entries(context, entries)
        await protect_published(context, [reserved[sha256] for sha256 in fresh])
    except IndexNotReady as error:
        # Publishing may merge small segments, which reads them whole and so can be the first to notice damage.
        log.warning("index_rebuilt", reason=str(error))
        await rebuild(context)
        reserved = await asyncio.to_thread(_reserve, context, ready)

    # Of several files with the same bytes the first is new, the others are known.
    results, told = [], set[str]()
    for one in prepared:
        if isinstance(one, Added):
            results.append(one)
            continue
        is_first = one.sha256 in fresh and one.sha256 not in told
        told.add(one.sha256)
        published_hash = one.fingerprint.perceptual_hash
        asset = replace(reserved[one.sha256], state=AssetState.PROTECTED, perceptual_hash=published_hash)
        results.append(Added(one.wanted.path, asset, was_known=not is_first, nearly=nearly.get(one.sha256, ())))
    return results


def with_versions(context: CatalogContext, result: Added) -> Added:
    """Return the result with the work that its asset belongs to now, once it was looked for."""
    if result.asset is None:
        return result
    with context.store.read() as tx:
        work = tx.works.of_asset(result.asset.id)
    if work is None:
        return result
    others = tuple(asset for asset in work.protected if asset.id != result.asset.id)
    return replace(result, asset=replace(result.asset, work_id=work.id), versions=others)


async def _prepare(context: CatalogContext, wanted: Wanted) -> _Prepared | Added:
    """Read and fingerprint one file and keep its bytes; return an Added when it is known or cannot be protected."""
    url = wanted.path.as_uri()
    try:
        content = (await asyncio.to_thread(local.read, url, context.max_bytes)).content
        sha256 = hashlib.sha256(content).hexdigest()
        known = await asyncio.to_thread(_protected, context, sha256)
        if known is not None:
            return Added(wanted.path, known, was_known=True)
        fingerprint, metadata = await context.workers.fingerprint_with(read_metadata, content)
    except Unmatchable as error:
        return Added(wanted.path, problem=Skipped(url, error.reason, error.detail), unmatchable=True)
    except (FetchFailed, FetchRefused) as error:
        return Added(wanted.path, problem=replace(error.skipped, url=url))
    except WorkerLost as error:
        return Added(wanted.path, problem=Skipped(url, error.reason, str(error)))

    await asyncio.to_thread(context.originals.keep, content)
    return _Prepared(wanted, sha256, fingerprint, metadata)


def _protected(context: CatalogContext, sha256: str) -> Asset | None:
    """Return the protected asset with these bytes, None if there is none."""
    with context.store.read() as tx:
        known = tx.assets.by_sha256(sha256)
    return known if known is not None and known.state is AssetState.PROTECTED else None


def _reserve(context: CatalogContext, ready: Sequence[_Prepared]) -> dict[str, Asset]:
    """Reserve rows in one transaction; return them by SHA-256. The first of files with the same bytes counts."""
    reserved: dict[str, Asset] = {}
    if not ready:
        return reserved

    with context.store.begin() as tx:
        for one in ready:
            wanted, metadata = one.wanted, one.metadata
            if one.sha256 not in reserved:
                reserved[one.sha256] = tx.assets.reserve(
                    one.sha256,
                    title=wanted.title or metadata.title or as_text(Path(wanted.path.stem)),
                    collection=wanted.collection,
                    path=as_text(wanted.path),
                    size=(one.fingerprint.width, one.fingerprint.height),
                    at=context.clock(),
                    tags=wanted.tags,
                    rights=filled(wanted.rights, metadata.rights),
                )
    return reserved


def _nearly(
    context: CatalogContext, fresh: Sequence[_Prepared], reserved: dict[str, Asset]
) -> dict[str, tuple[Asset, ...]]:
    """Return up to three earlier assets with nearly the same hash for each new one, the nearest first."""
    if not fresh:
        return {}
    before = context.index.contents(every_byte=False)
    most = context.settings.near_identical_bits

    # Each new asset is compared with those before it in the batch, too.
    hashes, ids = before.hashes, list(before.ids)
    found: dict[str, tuple[Asset, ...]] = {}
    for one in fresh:
        distances = np.bitwise_count(hashes ^ one.fingerprint.hash).sum(axis=1)
        close = [int(row) for row in np.argsort(distances) if distances[row] <= most]
        if close:
            with context.store.read() as tx:
                assets = [tx.assets.get(ids[row]) for row in close[:3]]
            found[one.sha256] = tuple(asset for asset in assets if asset is not None)

        hashes, ids = np.vstack([hashes, one.fingerprint.hash]), [*ids, reserved[one.sha256].id]
    return found
