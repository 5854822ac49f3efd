"""Prepares one file for being added: reads it, recognises what is known, measures what is new and keeps its bytes."""

import asyncio
import hashlib
from dataclasses import dataclass, replace

from guardian.catalog.context import CatalogContext
from guardian.catalog.results import Added, AddOutcome
from guardian.catalog.rights import AssetMetadata, read_metadata
from guardian.catalog.wanted import Wanted
from guardian.errors import FetchFailed, FetchRefused, TooPlain, Unmatchable, WorkerLost
from guardian.fetch import local
from guardian.matching.features.fingerprint import Fingerprint
from guardian.model import Asset, AssetState, NotComparedReason, Skipped


@dataclass(frozen=True, slots=True)
class Prepared:
    """A readable file that is new, kept and measured.

    `fingerprint` and `quick_copy` are None for a picture that is too plain to be compared. `size`: width and height.
    """

    wanted: Wanted
    sha256: str
    size: tuple[int, int]
    metadata: AssetMetadata
    fingerprint: Fingerprint | None = None
    quick_copy: bytes | None = None

    @property
    def left_out(self) -> tuple[str, ...]:
        """Which frames or pages of the file cannot be found, in words."""
        parts = self.fingerprint.not_compared if self.fingerprint is not None else ()
        return tuple(part.detail for part in parts if part.reason is NotComparedReason.FRAMES)


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose bytes are protected already. `restored`: its original was lost or damaged until now."""

    wanted: Wanted
    asset: Asset
    restored: bool


async def prepare(context: CatalogContext, wanted: Wanted, *, again: bool) -> Prepared | Known | Added:
    """Read and fingerprint one file and keep its bytes; return an Added when it stays out.

    `again`: also a file whose asset was withdrawn. Raises WorkersUnavailable, VaultFull, OSError (a full disk).
    """
    url = wanted.path.as_uri()
    try:
        content = (await asyncio.to_thread(local.read, url, context.max_bytes)).content
        sha256 = hashlib.sha256(content).hexdigest()
        asset = await asyncio.to_thread(_by_digest, context, sha256)

        if asset is not None and asset.state is AssetState.PROTECTED:
            return Known(wanted, asset, restored=await asyncio.to_thread(_restore, context, content, sha256))
        if asset is not None and asset.state is AssetState.WITHDRAWN and not again:
            return Added(wanted.path, AddOutcome.REMOVED, asset)
        prepared = await _measured(context, wanted, content, sha256)
    except Unmatchable as error:
        return Added(wanted.path, AddOutcome.UNMATCHABLE, problem=Skipped(url, error.reason, error.detail))
    except (FetchFailed, FetchRefused) as error:
        return Added(wanted.path, AddOutcome.UNREADABLE, problem=replace(error.skipped, url=url))
    except WorkerLost as error:
        return Added(wanted.path, AddOutcome.UNREADABLE, problem=Skipped(url, error.reason, str(error)))

    await asyncio.to_thread(context.originals.keep, content)
    return prepared


async def _measured(context: CatalogContext, wanted: Wanted, content: bytes, sha256: str) -> Prepared:
    """Return a new file with its fingerprint and metadata. Raises Unmatchable, WorkerLost."""
    try:
        found, quick_copy, metadata = await context.workers.fingerprint_with(read_metadata, content)
    except TooPlain as error:
        if error.size is None:
            raise
        metadata = await context.workers.run(read_metadata, content)
        return Prepared(wanted, sha256, error.size, metadata)
    return Prepared(wanted, sha256, (found.width, found.height), metadata, found, quick_copy)


def _restore(context: CatalogContext, content: bytes, sha256: str) -> bool:
    """Keep the bytes of a known asset, unless its original is whole; return whether it was not."""
    if context.originals.is_whole(sha256):
        return False
    context.originals.keep(content)
    return True


def _by_digest(context: CatalogContext, sha256: str) -> Asset | None:
    with context.store.read() as tx:
        return tx.assets.by_sha256(sha256)
