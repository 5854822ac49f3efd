"""Does the durable tasks of the kind `bundle`: writes what somebody asked for at the desk, to be fetched there."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError
from guardian.evidence.bundle_options import BundleOptions
from guardian.model import Actor, Case, Task, TaskKind
from guardian.store import Store, Transaction
from guardian.tasks.outcomes import Done, TaskOutcome
from guardian.tasks.user_requests import UserRequest, owe_request, postponed, request_of

if TYPE_CHECKING:
    from guardian.evidence.bundle import Written

LEASE = timedelta(minutes=10)
"""Renewed while a bundle is written."""

KEPT_FOR = timedelta(days=7)
"""How long a bundle can be fetched; it can be made again at any time."""

_FOLDER = "bundles"
_AT_ONCE = 2
_FOR_OTHERS = "for_others"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,120}\.zip")

Export = Callable[[str, Path, Actor, BundleOptions], Awaitable["Written"]]
"""Writes the bundle of a case into a folder, for a person."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReadyBundle:
    """A bundle that can be fetched: its name, its size and when it was written."""

    name: str
    size_bytes: int
    at: datetime


def ask_for_bundle(tx: Transaction, case_id: str, by: Actor, options: BundleOptions, at: datetime) -> Task:
    """Owe the bundle of a case, and return its task: the one that is owed already when the same was asked for."""
    tx.cases.lock(case_id)
    chosen = frozenset({_FOR_OTHERS}) if options.for_others else frozenset()
    return owe_request(tx, TaskKind.BUNDLE, UserRequest(case_id, by, chosen), at)


def options_of(task: Task) -> BundleOptions:
    """Return which bundle a task of the kind `bundle` asks for."""
    return BundleOptions(for_others=_FOR_OTHERS in request_of(task).options)


def ready_bundles(data_dir: Path, case_id: str) -> Sequence[ReadyBundle]:
    """Return the bundles of a case that can be fetched, the newest first."""
    folder = data_dir / _FOLDER / case_id
    found = []
    for path in folder.glob("*.zip"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            # It was there for long enough.
            continue
        found.append(ReadyBundle(path.name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC)))
    return sorted(found, key=lambda one: (one.at, one.name), reverse=True)


def path_of_bundle(data_dir: Path, case_id: str, name: str) -> Path | None:
    """Return where a bundle that can be fetched is; None when there is none of this name."""
    path = data_dir / _FOLDER / case_id / name
    return path if _NAME.fullmatch(name) and path.is_file() else None


class BundleConsumer:
    """The consumer of bundles. Their lanes are cases."""

    lease = LEASE

    def __init__(self, store: Store, export: Export, data_dir: Path, clock: Callable[[], datetime]) -> None:
        self._store, self._export, self._clock = store, export, clock
        self._folder = data_dir / _FOLDER

    def lanes(self) -> list[str | None]:
        """Return some of the cases whose bundle somebody waits for; remove what was there for long enough."""
        self._remove_old()
        with self._store.read() as tx:
            return [*tx.tasks.destinations_due(self._clock(), TaskKind.BUNDLE, _AT_ONCE)]

    async def perform(self, task: Task) -> TaskOutcome:
        """Write one bundle. One that could not be written, for want of a time stamp for example, is tried again."""
        asked = request_of(task)
        case = await asyncio.to_thread(self._case, asked.about)
        if case is None:
            return Done()
        folder = self._folder / case.id
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = await self._export(case.id, folder, asked.by, options_of(task))
        except GuardianError as error:
            return postponed(task, error, self._clock())
        except OSError as error:
            return postponed(task, GuardianError(disk_error_text(error)), self._clock())
        for one in written.lost:
            log.error("evidence_lost", case=case.id, member=one.name, sha256=one.sha256, state=one.state.value)
        return Done()

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of one bundle."""
        log.info("bundle_made", case=task.destination, outcome=outcome.settled.value)

    def _case(self, case_id: str) -> Case | None:
        with self._store.read() as tx:
            return tx.cases.get(case_id)

    def _remove_old(self) -> None:
        """Remove what was there for long enough. What cannot be removed, or lies there for no case, stops no bundle."""
        oldest = (self._clock() - KEPT_FOR).timestamp()
        for path in self._folder.glob("*/*"):
            # Also the unfinished file of a process that was killed. Another process may be quicker.
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
        for folder in self._folder.glob("*/"):
            # Not one in which another process has just begun to write.
            with suppress(OSError):
                folder.rmdir()
