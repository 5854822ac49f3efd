"""Every error that some caller treats differently, in one tree.

GuardianError                 something in the world went wrong, not in guardian's own code
├── UsageError                the request makes no sense: say so, exit 2
│   ├── ConfigError           a configuration or rule file is wrong: file, line, column, what to do
│   ├── CaseChanged           somebody else has changed the case since it was looked at: what they did
│   ├── DecidedAlready        the case was decided so before: nothing was changed
│   └── NoticeIncomplete      a notice cannot be approved or sent yet: what has to be done first
├── FetchRefused              guardian decided not to fetch (robots, blocked address, budget, too large)
├── FetchFailed               the other side did not deliver (time-out, status, broken transfer)
├── BrowserFailed             no browser could view a page: none is installed, or it failed; the message says which
├── Unmatchable               the bytes cannot be matched; an outcome with a reason, not a fault
│   ├── NotAnImage            not decodable as a picture
│   ├── TooPlain              too little structure to tell from strangers; TooSmall: too few pixels
│   └── OverLimit             more bytes, pixels or frames than allowed
├── NotRecognisable           an edit for an evaluation would show less than a person could recognise: it makes no copy
├── WorkerLost                a worker died or hung on this image: it is tried again later
├── WorkersUnavailable        no worker process can be started: nothing can be compared now
├── IndexNotReady             no usable index: missing, damaged, or of another recipe
├── WeightsMissing            a descriptor was configured whose weights are not here
├── DeliveryFailed            a destination did not accept a message; `permanent` says whether to stop
├── VaultFull                 there is no room to keep evidence: the finding goes on without, and says so
├── SiteSilent                nothing of a site that is to be captured answered: the capture is tried again later
├── CaptureFull               one capture holds as much as it may: this file is left out, which is said
├── StoreUnusable             the database is damaged, cannot be reached, or is too busy; the message says what to do
├── ClaimLost                 another process has taken over this scan: whatever this one would write is refused
└── AlreadyRunning            another process holds this role on this data folder
    └── SourceClaimed         another scan of this source is running
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from guardian.model import Case, CaseEvent, Skipped, SkipReason, reason_word
from guardian.model.notices import OpenPoint


class GuardianError(Exception):
    """Base of everything guardian raises on purpose. `str(error)` is fit to show to a user."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the constructor, whose arguments are not the message: errors travel from workers."""
        return _without_constructor, (type(self), self.args), self.__dict__


def internal_error_text(error: BaseException) -> str:
    """Return what people read of an error that is guardian's own fault; the caller logs it with its traceback."""
    return f"internal error ({type(error).__name__}): the log of guardian has its traceback"


def _without_constructor(kind: type[GuardianError], arguments: tuple[Any, ...]) -> GuardianError:
    return kind.__new__(kind, *arguments)


class UsageError(GuardianError):
    """The request makes no sense as asked."""


class ConfigError(UsageError):
    """A file that a person wrote is wrong.

    `line` and `column` count from 1; both are None when the whole file is meant.
    """

    def __init__(self, message: str, *, file: Path, line: int | None = None, column: int | None = None) -> None:
        # file:line:column, which editors and terminals know how to open.
        position = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{position}: {message}")
        self.file, self.line, self.column = file, line, column


class CaseChanged(UsageError):
    """Somebody else has changed a case since it was looked at.

    `case` is as it stands now, `since` are the lines that its history has got meanwhile.
    """

    def __init__(self, message: str, case: Case, since: tuple[CaseEvent, ...]) -> None:
        super().__init__(message)
        self.case, self.since = case, since


class DecidedAlready(UsageError):
    """A case was decided so before, and nothing new was said about it; `case` is as it was left."""

    def __init__(self, message: str, case: Case) -> None:
        super().__init__(message)
        self.case = case


class NoticeIncomplete(UsageError):
    """A notice cannot go on yet: `problem` says which and how, `points` what has to be done first."""

    def __init__(self, problem: str, points: Sequence[OpenPoint]) -> None:
        super().__init__("\n".join([f"{problem}:", *(f"  - {point.words}" for point in points)]))
        self.problem, self.points = problem, tuple(points)


class FetchRefused(GuardianError):
    """guardian decided not to fetch (ROBOTS, PRIVATE_ADDRESS, BUDGET, TOO_LARGE...)."""

    def __init__(self, reason: SkipReason, url: str, detail: str = "") -> None:
        super().__init__(f"refused to fetch {url}: {detail or reason}")
        self.reason, self.url, self.detail = reason, url, detail

    @property
    def skipped(self) -> Skipped:
        """The same as an item that a scan left out."""
        return Skipped(self.url, self.reason, self.detail)


class FetchFailed(GuardianError):
    """The other side did not deliver (TIMEOUT, BROKEN...). `status` is set when the reason is HTTP_STATUS."""

    def __init__(self, reason: SkipReason, url: str, detail: str = "", status: int | None = None) -> None:
        super().__init__(f"could not fetch {url}: {detail or reason_word(reason, status)}")
        self.reason, self.url, self.detail, self.status = reason, url, detail, status

    @property
    def skipped(self) -> Skipped:
        """The same as an item that a scan left out."""
        return Skipped(self.url, self.reason, self.detail, self.status)


class BrowserFailed(GuardianError):
    """No browser could view a page: there is none, or it failed. The message is a clause without capital and stop."""


class Unmatchable(GuardianError):
    """These bytes cannot be matched; `reason` says why."""

    reason = SkipReason.UNMATCHABLE

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotAnImage(Unmatchable):
    """Not decodable as a picture."""

    reason = SkipReason.NOT_AN_IMAGE


class TooPlain(Unmatchable):
    """Too little structure to be told from strangers.

    `size`: width and height in pixels of a picture whose file is still worth knowing again by its bytes; None for
    one that is blank or tiny, as files of anybody are.
    """

    reason = SkipReason.TOO_PLAIN

    def __init__(self, detail: str, size: tuple[int, int] | None = None) -> None:
        super().__init__(detail)
        self.size = size


class TooSmall(TooPlain):
    """Too few pixels to be told from strangers."""

    reason = SkipReason.TOO_SMALL


class OverLimit(Unmatchable):
    """More bytes, pixels or frames than the limits allow."""

    reason = SkipReason.OVER_LIMIT


class NotRecognisable(GuardianError):
    """An edit would show less of a picture than a person could recognise, so what it makes is no copy."""


class WorkerLost(GuardianError):
    """A worker process died or ran out of time on this image (`reason`: CRASHED, WORKER_KILLED, TIMED_OUT, SET_ASIDE).

    `failures`: how often this image ended a worker by itself; a worker that was killed from outside does not count.
    """

    def __init__(self, reason: SkipReason, detail: str, failures: int = 0) -> None:
        super().__init__(detail)
        self.reason, self.failures = reason, failures


class WorkersUnavailable(GuardianError):
    """No worker process can be started, or those that were do not get ready; no fault of an image."""


class IndexNotReady(GuardianError):
    """There is no usable index; the message says whether it is missing, damaged or of another recipe."""


class WeightsMissing(GuardianError):
    """A descriptor is configured whose weights are not on this machine; the message says how to get them."""


class DeliveryFailed(GuardianError):
    """A destination did not accept a message.

    `permanent`: do not try again. `disable`: the receiver wants no more messages (410).
    `retry_after`: the pause that the receiver asked for (Retry-After), if it did.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        disable: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(detail)
        self.permanent, self.disable, self.retry_after = permanent, disable, retry_after


class VaultFull(GuardianError):
    """Evidence was not kept: the cap is reached or the disk has no room; the message says which."""


class SiteSilent(GuardianError):
    """Nothing of a site that is to be captured answered; the message says how its page or picture failed."""


class CaptureFull(GuardianError):
    """A file does not fit into a capture any more (`evidence.capture.max_bytes`); the message says so."""


class StoreUnusable(GuardianError):
    """The database cannot be used now; the message says why and what to do."""


class ClaimLost(GuardianError):
    """This process was not heard of for longer than its lease, and another has taken over its scan."""


class AlreadyRunning(GuardianError):
    """Another process holds this role on this data folder."""


class SourceClaimed(AlreadyRunning):
    """Another scan of this source is running; the message says whose, and since when."""
