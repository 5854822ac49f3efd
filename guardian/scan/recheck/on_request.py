"""Does what people ask for at the desk: looks at all places of a case again, or at the addresses of a notice."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog

from guardian.errors import GuardianError, UsageError
from guardian.model import Actor, Case, Task, TaskKind
from guardian.model.notices import Notice
from guardian.notices import steps
from guardian.notices.steps import StepAuthor
from guardian.scan.recheck.cases import RecheckReason, recheck_case
from guardian.scan.recheck.looks import LEASE
from guardian.scan.recheck.notice_addresses import dead_addresses, recipient_doubt
from guardian.scan.services import Services
from guardian.sources.settings import SourceSettings
from guardian.store import Store, Transaction
from guardian.tasks.outcomes import Dead, Done, TaskOutcome
from guardian.tasks.user_requests import UserRequest, owe_request, postponed, request_of

_AT_ONCE = 3
"""How many cases, and how many notices, are looked at together."""

log = structlog.get_logger(__name__)


def ask_for_recheck(tx: Transaction, case_id: str, by: Actor, at: datetime) -> Task:
    """Owe a look at all places of a case; return its task: the one that is owed already if somebody asked before."""
    tx.cases.lock(case_id)
    return owe_request(tx, TaskKind.RECHECK_ASKED, UserRequest(case_id, by), at)


def ask_to_verify(tx: Transaction, notice_id: str, by: Actor, at: datetime) -> Task:
    """Owe a look at the addresses of a notice, and return its task, likewise."""
    tx.notices.lock(notice_id)
    return owe_request(tx, TaskKind.VERIFY_NOTICE, UserRequest(notice_id, by), at)


class _Looks:
    """What both kinds share: a lane for each case or notice that somebody waits for."""

    lease = LEASE
    kind: TaskKind

    def __init__(self, services: Services) -> None:
        self._services = services

    def lanes(self) -> list[str | None]:
        """Return some of the cases or notices that somebody waits for, those first that have waited longest."""
        with self._services.store.read() as tx:
            return [*tx.tasks.destinations_due(self._services.clock(), self.kind, _AT_ONCE)]

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of it."""
        log.info("looked_as_asked", kind=self.kind.value, about=task.destination, outcome=outcome.settled.value)


class RequestedRecheckConsumer(_Looks):
    """The consumer of tasks of the kind `recheck_asked`. `sources` are those of the configuration by name."""

    kind = TaskKind.RECHECK_ASKED

    def __init__(self, services: Services, sources: Mapping[str, SourceSettings]) -> None:
        super().__init__(services)
        self._sources = sources

    async def perform(self, task: Task) -> TaskOutcome:
        """Look at all places of a case and write down what is there, as its page then shows."""
        asked, services = request_of(task), self._services
        case = await asyncio.to_thread(_case, services.store, asked.about)
        if case is None:
            return Done()
        try:
            await recheck_case(services, self._sources, case, RecheckReason(asked_by=asked.by.name))
        except GuardianError as error:
            return postponed(task, error, services.clock())
        return Done()


class VerifyNoticeConsumer(_Looks):
    """The consumer of tasks of the kind `verify_notice`."""

    kind = TaskKind.VERIFY_NOTICE

    async def perform(self, task: Task) -> TaskOutcome:
        """Look whether all addresses of a notice are live and write it into its history, as its page then shows."""
        asked, services = request_of(task), self._services
        notice = await asyncio.to_thread(_notice, services.store, asked.about)
        if notice is None:
            return Done()
        try:
            dead, doubt = await dead_addresses(services, notice), await recipient_doubt(notice)
        except GuardianError as error:
            return postponed(task, error, services.clock())

        def write() -> None:
            with services.store.begin() as tx:
                by = StepAuthor(asked.by.name, services.clock(), asked.by)
                steps.note_verified(tx, asked.about, dead, by, doubt)

        try:
            await asyncio.to_thread(write)
        except UsageError as error:
            # It was withdrawn, or sent, meanwhile: nobody needs to know any more.
            return Dead(str(error))
        return Done()


def _case(store: Store, id_: str) -> Case | None:
    with store.read() as tx:
        return tx.cases.get(id_)


def _notice(store: Store, id_: str) -> Notice | None:
    with store.read() as tx:
        return tx.notices.get(id_)
