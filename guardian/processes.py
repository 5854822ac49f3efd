"""This process among those that work on one database: its heartbeat, its claims, and those of the lost.

Each long-lived process registers under an id of its own and says every few seconds that it is alive. What it works
on names it. One that is not heard of within its lease is lost: its work is free, and nobody else's is touched.
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
"""So often within a lease a process is heard of; one beat that comes late costs nothing."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Claim:
    """A running scan that this process owns. `is_lost` turns true when another process has taken it over."""

    scan_id: int
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What lost processes left behind: how many there were, the leases freed and the scans closed."""

    processes: int = 0
    leases: int = 0
    scans: int = 0


class Heartbeat:
    """Keeps this process's row and its claims alive, from a thread, however busy the event loop is."""

    def __init__(self, store: Store, lease: timedelta, command: str) -> None:
        self.id = f"process_{uuid.uuid4().hex[:16]}"
        self.lease = lease
        self._store, self._command = store, command
        self._claims: dict[int, Claim] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_ending, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Register this process and begin to beat. Raises StoreUnusable."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, leave the list of processes and free whatever is still leased. Raises StoreUnusable."""
        self._ending.set()
        self._thread.join()
        with self._store.begin() as tx:
            tx.processes.remove(self.id)
            tx.tasks.free_leases(self.id)

    @contextmanager
    def renewing(self, scan_id: int) -> Iterator[Claim]:
        """Keep the claim of a scan that has begun alive while the body runs."""
        claim = self._claims[scan_id] = Claim(scan_id)
        try:
            yield claim
        finally:
            del self._claims[scan_id]

    def beat(self) -> Process:
        """Say once that this process is alive and works on what it claimed. Raises StoreUnusable."""
        claims = dict(self._claims)
        with self._store.begin() as tx:
            process = tx.processes.beat(
                self.id, self.lease, host=socket.gethostname(), pid=os.getpid(), command=self._command
            )
            kept = tx.scans.renew(claims, self.id, self.lease) if claims else set()
        for scan_id, claim in claims.items():
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
    """Be one of the processes at work while the body runs. Raises StoreUnusable.

    A lock of the kernel's in the data folder dies with the process: whoever shares the folder sees at once that it
    was killed, and need not wait for the end of its lease.
    """
    heartbeat = Heartbeat(store, lease, command)
    with hold(data_dir, heartbeat.id):
        await asyncio.to_thread(heartbeat.start)
        try:
            yield heartbeat
        finally:
            try:
                await asyncio.to_thread(heartbeat.stop)
            except GuardianError as error:
                # The file stays: by it others see at once that nobody holds this role, before the lease is over.
                log.warning("not_unregistered", reason=str(error))
            else:
                remove_lock(data_dir, heartbeat.id)


def take_over_lost(store: Store, data_dir: Path, now: datetime) -> TakenOver:
    """Free what lost processes had claimed: their leases, and their scans, which others may take up. Nothing else."""
    with store.read() as tx:
        suspects = [process.id for process in tx.processes.lost()]
        suspects += [process.id for process in tx.processes.living() if has_holder(data_dir, process.id) is False]
    if not suspects:
        return TakenOver()

    gone = leases = scans = 0
    with store.begin() as tx:
        living = {process.id for process in tx.processes.living()}
        for id_ in suspects:
            # One that was suspended may have come back since.
            if id_ in living and has_holder(data_dir, id_) is not False:
                continue
            gone += tx.processes.remove(id_)
            leases += tx.tasks.free_leases(id_)
            scans += tx.scans.interrupt(id_, now)
    for id_ in suspects:
        if has_holder(data_dir, id_) is False:
            remove_lock(data_dir, id_)
    return TakenOver(gone, leases, scans)
