"""Removes evidence that no finding needs any more, and makes room for more important evidence when there is none.

A version of some bytes in which nothing that matters changed gives up its evidence when a later one is kept (see
`cases.captures`). At the limit the least important evidence goes first, in the order of `Rank`; what a message named,
and the first evidence of a use that nobody has dismissed, never go.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, TypeVar

import structlog

from guardian.errors import StoreUnusable, VaultFull
from guardian.evidence.vault import Vault
from guardian.store import Store, Transaction
from guardian.store.versions import Droppable, Rank

_AT_A_TIME = 50
"""How many versions are dropped, or digests looked at, in one transaction."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


def remove_needless(store: Store, vault: Vault) -> int:
    """Remove the released evidence in this vault that no version needs; return how many bytes that freed.

    What cannot be removed is logged, and tried again by the next call.
    """
    freed, after = 0, ""
    while True:
        with store.read() as tx:
            digests = tx.released_evidence.list(_AT_A_TIME, after)
        if not digests:
            return freed

        # Others may lie in the folders of other processes, which remove them.
        here = [digest for digest in digests if vault.holds(digest)]
        if here:
            with store.begin() as tx:
                freed += _remove(tx, vault, here)
        after = digests[-1]


def with_room(store: Store, vault: Vault, clock: Callable[[], datetime], size: int, keep: Callable[[], T]) -> T:
    """Return what `keep` returns; while it raises VaultFull, less important evidence is removed and it is called again.

    `size`: the bytes of the largest file to be kept. Raises VaultFull when nothing less important is left, and whatever
    else `keep` raises.
    """
    rounds = _make_room(store, vault, clock)
    while True:
        try:
            return keep()
        except VaultFull as full:
            # What is larger than the limit itself would have everything else removed for nothing.
            if size > vault.max_bytes:
                raise
            try:
                if not next(rounds, False):
                    raise
            except StoreUnusable as error:
                # On a disk that is full the database cannot be written either.
                raise full from error


def _make_room(store: Store, vault: Vault, clock: Callable[[], datetime]) -> Iterator[Literal[True]]:
    """Remove needless evidence, then ever more important evidence; yield after each step."""
    remove_needless(store, vault)
    yield True

    for rank in Rank:
        after: Droppable | None = None
        while found := _drop_some(store, vault, rank, after, clock()):
            yield True
            after = found[-1]


def _drop_some(store: Store, vault: Vault, rank: Rank, after: Droppable | None, now: datetime) -> list[Droppable]:
    """Drop some evidence of a rank, of versions after one; return the versions that were looked at, none at the end."""
    with store.begin() as tx:
        # Nothing is dropped that is being put on hold.
        tx.released_evidence.hold_alone()
        found = tx.versions.droppable(rank, _AT_A_TIME, after)
        here = [one for one in found if _is_here(vault, one)]
        for one in here:
            tx.versions.drop(one, f"removed on {now:%Y-%m-%d} to make room (evidence.max_bytes)", now)

    if here:
        freed = remove_needless(store, vault)
        log.warning("evidence_dropped", why=rank.name.lower(), versions=len(here), bytes=freed)
    return found


def _is_here(vault: Vault, droppable: Droppable) -> bool:
    version = droppable.version
    return any(digest and vault.holds(digest) for digest in (version.image_sha256, version.page_sha256))


def _remove(tx: Transaction, vault: Vault, digests: list[str]) -> int:
    """Remove those of these bytes that no version needs; return how many bytes that freed."""
    # From here to the end of the transaction nobody writes a version that needs them.
    tx.released_evidence.hold_alone()
    needed = tx.versions.needed(digests)
    freed, done = 0, []
    for digest in digests:
        try:
            freed += 0 if digest in needed else vault.remove(digest)
        except OSError as error:
            log.warning("evidence_not_removed", sha256=digest, reason=str(error))
            continue
        done.append(digest)

    tx.released_evidence.forget(done)
    return freed
