"""Forgets what is older or more than the settings allow, and what a site's owner asks to have forgotten."""

from dataclasses import dataclass
from datetime import datetime

from guardian.memory.remembering import Memory
from guardian.store import Store

_AT_ONCE = 500
"""Pictures that one transaction forgets: few enough that no other writer waits for long."""

_FULL_SHARE = 0.95
"""Of `max_bytes`: down to here room is made once they are passed, so that not every scan has to."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many places and pictures were forgotten."""

    addresses: int
    pictures: int


def prune(store: Store, memory: Memory, now: datetime) -> int:
    """Forget pictures that were not seen for `keep`, then those not seen for longest until `max_bytes` are kept.

    Returns how many. Safe beside other processes, and to interrupt at any moment. Raises OSError, IndexNotReady,
    StoreUnusable.
    """
    total = 0
    while forgotten := _forget_old(store, memory, now):
        total += forgotten

    total += _make_room(store, memory)
    memory.fold()
    memory.writer.tidy()
    return total


def _make_room(store: Store, memory: Memory) -> int:
    """Forget the pictures that were not seen for longest, if there are too many; return how many."""
    with store.read() as tx:
        size = tx.fingerprints.bytes_of_shard(memory.shard)
    too_much = size - memory.settings.max_bytes * _FULL_SHARE if size > memory.settings.max_bytes else 0

    total = 0
    while too_much > 0:
        with store.begin() as tx:
            freed, forgotten = tx.seen.forget_oldest(memory.shard, too_much, _AT_ONCE)
        if not forgotten:
            break
        too_much -= freed
        total += forgotten
    return total


def _forget_old(store: Store, memory: Memory, now: datetime) -> int:
    with store.begin() as tx:
        return tx.seen.forget_before(now - memory.settings.keep, _AT_ONCE)


def forget_host(store: Store, memory: Memory, host: str, now: datetime) -> Forgotten:
    """Forget all that was seen on a host and below it, and remember nothing of it again.

    When this returns, nothing of it is left in this machine's folder: fingerprints and previews are erased from the
    segments. Folders of other machines follow when they are tidied next, a day later at most. Raises OSError,
    IndexNotReady, StoreUnusable.
    """
    with store.begin() as tx:
        addresses, pictures = tx.seen.forget_host(host, now)
        tx.earlier_uses.forget_host(host)
    store.flush()
    memory.writer.tidy(erase=True)
    return Forgotten(addresses, pictures)


def forget_all(store: Store, memory: Memory) -> Forgotten:
    """Forget everything. Raises OSError, IndexNotReady, StoreUnusable."""
    with store.begin() as tx:
        places, pictures = tx.seen.forget_all()
    store.flush()
    memory.writer.tidy(erase=True)
    return Forgotten(places, pictures)
