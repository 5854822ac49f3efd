"""Registers this process among those that work on one database, keeps its claims alive, takes over from lost ones.

Each long-lived process has an id of its own, by which it owns what it works on, and renews its lease every few
seconds (its heartbeat). A process that does not renew within its lease is lost: only its work becomes free.
"""

import asyncio
import os
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from guardian.errors import GuardianError
from guardian.model import Process
from guardian.store import Store, has_holder, hold, remove_lock

BEATS_PER_LEASE = 4
"""Heartbeats within one lease: more than one, so that a late heartbeat costs nothing."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ScanClaim:
    """A running scan that this process owns. `is_lost` turns true when another process has taken it over."""

    scan_id: int
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class TakenOver:
    """How many lost processes were removed, leases of theirs freed, and scans of theirs closed."""

    processes: int = 0
    leases: int = 0
    scans: int = 0


class Heartbeat:
    """Renews this process's row and its claims from a thread of its own, however busy the event loop is."""

    def __init__(self, store: Store, lease: timedelta, command: str) -> None:
        self.id = f"process_{uuid.uuid4().hex[:16]}"
        self.lease = lease
        self._store, self._command = store, command
        self._claims: dict[int, ScanClaim] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_ending, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Register this process and begin to send heartbeats. Raises StoreUnusable."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """End the heartbeats, unregister this process and free its leases. Raises StoreUnusable."""
        self._ending.set()
        self._thread.join()
        with self._store.begin() as tx:
            tx.processes.remove(self.id)
            tx.tasks.free_leases(self.id)

    @contextmanager
    def renewing(self, scan_id: int) -> Iterator[ScanClaim]:
        """Renew the claim of a running scan while the body runs."""
        claim = self._claims[scan_id] = ScanClaim(scan_id)
        try:
            yield claim
        finally:
            del self._claims[scan_id]

    def beat(self) -> Process:
        """Send one heartbeat: renew the lease of this process and of every scan it claimed. Raises StoreUnusable."""
        # A copy: the event loop adds and removes claims while this thread waits for the database.
        claims = dict(self._claims)
        with self._store.begin() as tx:
            process = tx.processes.beat(
                self.id, self.lease, host=socket.gethostname(), pid=os.getpid(), command=self._command
            )
            kept = tx.scans.renew(claims, self.id, self.lease) if claims else set()

        for scan_id, claim in claims.items():
            # A scan that has just ended is not renewed either, but it is not lost.
            claim.is_lost = claim.is_lost or (scan_id not in kept and scan_id in self._claims)
        return process

    def _beat_until_ending(self) -> None:
        # Threading's own timeouts follow a clock that cannot be set, so a jump of the wall clock delays no beat.
        while not self._ending.wait(self.lease.total_seconds() / BEATS_PER_LEASE):
            try:
                self.beat()
            except GuardianError as error:
                # The database is away or busy. Others may take over once the lease is over; the claims tell then.
                log.warning("heartbeat_failed", reason=str(error))
            except Exception:
                log.exception("heartbeat_failed")


@asynccontextmanager
async def registered(store: Store, data_dir: Path, lease: timedelta, command: str) -> AsyncIterator[Heartbeat]:
    """Register this process while the body runs. Raises StoreUnusable.

    It also holds a kernel lock in the data folder, which dies with it: processes that share the folder see at once
    that it was killed, and need not wait for the end of its lease.
    """
    heartbeat = Heartbeat(store, lease, command)
    with hold(data_dir, heartbeat.id):
        try:
            await asyncio.to_thread(heartbeat.start)
        except BaseException:
            # No row was written for this process, so its lock file must not stay either.
            remove_lock(data_dir, heartbeat.id)
            raise
        try:
            yield heartbeat
        finally:
            if await _unregister(heartbeat):
                remove_lock(data_dir, heartbeat.id)


async def _unregister(heartbeat: Heartbeat) -> bool:
    """Return whether the row of this process is gone. Otherwise its lock file must stay.

    By a lock file that nobody holds others see at once that this process has ended, before its lease is over.
    """
    try:
        await asyncio.to_thread(heartbeat.stop)
    except GuardianError as error:
        log.warning("not_unregistered", reason=str(error))
        return False
    return True


def take_over_lost(store: Store, data_dir: Path, now: datetime) -> TakenOver:
    """Free the leases of lost processes and close their scans, so that others may go on. Raises StoreUnusable."""
    with store.read() as tx:
        suspects = [process.id for process in tx.processes.lost()]
        suspects += [process.id for process in tx.processes.living() if has_holder(data_dir, process.id) is False]
        has_ownerless = tx.scans.has_ownerless()
    if not suspects and not has_ownerless:
        # Nearly always: nothing is written then.
        return TakenOver()

    removed = leases = scans = 0
    with store.begin() as tx:
        living = {process.id for process in tx.processes.living()}
        for id_ in suspects:
            # One that was suspended may have come back since.
            if id_ in living and has_holder(data_dir, id_) is not False:
                continue
            removed += tx.processes.remove(id_)
            leases += tx.tasks.free_leases(id_)
            scans += tx.scans.interrupt(id_, now)
        # Scans of sources that are no longer watched, which nobody claims again.
        scans += tx.scans.interrupt_ownerless(now)

    for id_ in suspects:
        if has_holder(data_dir, id_) is False:
            remove_lock(data_dir, id_)
    return TakenOver(removed, leases, scans)
