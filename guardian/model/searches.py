"""Searches that were saved under a name, and those that watch for new pictures."""

from dataclasses import dataclass
from datetime import datetime

from guardian.model.cases import Severity


@dataclass(frozen=True, slots=True)
class Watch:
    """What a named search tells of: new pictures whose score is `above` or more, each once.

    `since`: when it began; what was met before is not told. `watched_to`: the number of the last remembered picture
    that was looked at.
    """

    above: float
    severity: Severity
    since: datetime
    watched_to: int


@dataclass(frozen=True, slots=True)
class NamedSearch:
    """A search under a name. `asked` is what was asked, as JSON (guardian/search/asking.py)."""

    name: str
    asked: str
    saved_at: datetime
    watch: Watch | None = None
