"""Forgets what is older or more than the settings allow, and what a site's owner asks to have forgotten."""

from dataclasses import dataclass
from datetime import datetime

from guardian.memory.remembering import Memory
from guardian.memory.writer import MemoryWriter
from guardian.store import Store

_AT_ONCE = 500
"""Pictures that one transaction forgets: few enough that no other writer waits for long."""

_ERASED = "erased"
"""File of a memory folder that names the last forgetting of a host that its segments were erased for."""

_FULL_SHARE = 0.95
"""Of `max_bytes`: down to here room is made once they are passed, so that not every scan has to."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many places and pictures were forgotten."""

    addresses: int
    pictures: int


def prune(store: Store, memory: Memory, now: datetime | None) -> int:
    """Forget pictures that were not seen for `keep`, then those not seen for longest until `max_bytes` are kept.

    Returns how many. Without `now` nothing is forgotten because of its age. Safe beside other processes, and to
    interrupt at any moment. Raises OSError, IndexNotReady, StoreUnusable.
    """
    total = 0
    while now is not None and (forgotten := _forget_old(store, memory, now)):
        total += forgotten

    total += _make_room(store, memory)
    memory.write_waiting()
    _tidy(store, memory, erase=False)
    _erase_forgotten_hosts(store, memory)
    return total


def _erase_forgotten_hosts(store: Store, memory: Memory) -> None:
    """Erase from this machine's folder what was seen on hosts that another machine was asked to forget."""
    with store.read() as tx:
        last = max(tx.memory_settings.refused_hosts().values(), default=None)
    note = memory.folder / _ERASED
    if last is None or (note.exists() and note.read_text(encoding="ascii") == last.isoformat()):
        return
    _tidy(store, memory, erase=True)
    note.write_text(last.isoformat(), encoding="ascii")


def _tidy(store: Store, memory: Memory, *, erase: bool) -> None:
    """Bring the segments of all recipes to what the database knows; with `erase` nothing that was forgotten is left."""
    for recipe in (memory.recipe, *memory.earlier_recipes()):
        MemoryWriter(store, memory.folder, recipe).tidy(erase=erase)


def _make_room(store: Store, memory: Memory) -> int:
    """Forget the pictures that were not seen for longest, if there are too many; return how many."""
    with store.read() as tx:
        size = tx.fingerprints.bytes_of_shard(memory.shard)
    too_much = size - memory.settings.max_bytes * _FULL_SHARE if size > memory.settings.max_bytes else 0

    total = 0
    while too_much > 0:
        with store.begin() as tx:
            freed, forgotten = tx.forgetting.forget_oldest(memory.shard, too_much, _AT_ONCE)
        if not forgotten:
            break
        too_much -= freed
        total += forgotten
    return total


def _forget_old(store: Store, memory: Memory, now: datetime) -> int:
    with store.begin() as tx:
        return tx.forgetting.forget_unseen_since(now - memory.settings.keep, _AT_ONCE)


def forget_host(store: Store, memory: Memory, host: str, now: datetime) -> Forgotten:
    """Forget all that was seen on a host and below it, and remember nothing of it again.

    When this returns, nothing of it is left in this machine's folder: fingerprints and previews are erased from the
    segments. Folders of other machines follow when they are pruned next, a day later at most. Raises OSError,
    IndexNotReady, StoreUnusable.
    """
    with store.begin() as tx:
        addresses, pictures = tx.forgetting.forget_host(host, now)
        tx.earlier_uses.forget_host(host)
    store.flush()
    _tidy(store, memory, erase=True)
    return Forgotten(addresses, pictures)


def forget_all(store: Store, memory: Memory) -> Forgotten:
    """Forget everything. Raises OSError, IndexNotReady, StoreUnusable."""
    with store.begin() as tx:
        places, pictures = tx.forgetting.forget_all()
    store.flush()
    _tidy(store, memory, erase=True)
    return Forgotten(places, pictures)
