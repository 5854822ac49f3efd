"""Does the durable tasks of the kind `capture`: takes what is owed, and tries again what could not be taken."""

from datetime import timedelta

import structlog

from guardian.cases.capture_orders import order_of
from guardian.disk_errors import disk_error_text
from guardian.errors import ClaimLost, GuardianError
from guardian.evidence.capturing import CaptureServices, capture
from guardian.model import CaptureReason, EvidenceCapture, Task, TaskKind
from guardian.store import Transaction
from guardian.tasks.outcomes import Done, Postponed, TaskOutcome

LEASE = timedelta(minutes=5)
"""Renewed while a capture is taken."""

_AT_ONCE = 3
"""How many cases are captured at the same time."""

_PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
"""Before a capture is tried again; the last one is repeated."""

_AUTOMATIC = frozenset({CaptureReason.OPENED, CaptureReason.CHANGED, CaptureReason.RETURNED})

log = structlog.get_logger(__name__)


class CaptureConsumer:
    """The consumer of captures. Their lanes are cases. `owner`: the id of this process.

    `only_case`: captures of other cases are left to others.
    """

    lease = LEASE

    def __init__(self, services: CaptureServices, owner: str, only_case: str | None = None) -> None:
        self._services, self._owner, self._only_case = services, owner, only_case
        self._captured: dict[int, EvidenceCapture] = {}

    def lanes(self) -> list[str | None]:
        """Return some of the cases with a capture that is due, those first that have waited longest."""
        if self._only_case is not None:
            return [self._only_case]
        with self._services.store.read() as tx:
            return [*tx.tasks.destinations_due(self._services.clock(), TaskKind.CAPTURE, _AT_ONCE)]

    async def perform(self, task: Task) -> TaskOutcome:
        """Take one capture. One that could not be written, for want of room for example, is tried again later."""
        services, order = self._services, order_of(task)
        is_automatic = order.reason in _AUTOMATIC
        if is_automatic and order.reason.value not in services.settings.capture.when:
            return Done()

        def settle(tx: Transaction) -> None:
            now = services.clock()
            if not tx.tasks.renew(task.id, self._owner, now + self.lease):
                raise ClaimLost("another process has taken this capture over")
            # In the transaction of the capture, or a crash would have it taken twice.
            tx.tasks.finish(task.kind, task.key, now)

        try:
            can_wait = order.reason is not CaptureReason.ASKED and task.attempts < len(_PAUSES)
            captured = await capture(services, order, settle, can_wait=can_wait)
        except (GuardianError, OSError) as error:
            pause = _PAUSES[min(task.attempts, len(_PAUSES) - 1)]
            reason = disk_error_text(error) if isinstance(error, OSError) else str(error)
            return Postponed(services.clock() + pause, reason)
        if captured is not None:
            self._captured[task.id] = captured
        return Done()

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        """Log what came of one capture."""
        captured = self._captured.pop(task.id, None)
        facts = {"case": task.destination, "task": task.id}
        if isinstance(outcome, Postponed):
            log.warning("capture_postponed", reason=outcome.error, **facts)
        elif captured is not None:
            missing = [one.name for one in captured.not_taken]
            log.info("captured", capture=captured.id, files=len(captured.files), not_taken=missing, **facts)
