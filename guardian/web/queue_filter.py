"""What the queue's form chooses: the text of each field, read as a filter of cases."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from guardian.errors import UsageError
from guardian.model import PURSUED_STATES, CaseFilter, CaseGrouping, CaseState, LicenceStatus, Severity
from guardian.urls.addresses import host_in

WAITING, ALL = "waiting", "all"
_FIELDS = (
    "state",
    "collection",
    "operator",
    "host",
    "severity",
    "licence",
    "assignee",
    "label",
    "source",
    "words",
    "confidence",
    "opened_from",
    "opened_until",
    "work",
)
_KEPT, _LONGEST_KEPT = "queue", 10_000
_ALWAYS_SHOWN = ("state", "severity", "operator", "words")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue's form chooses: the text of each field, and what to group by."""

    fields: dict[str, str]
    group: CaseGrouping | None

    @property
    def query(self) -> str:
        """The query string that makes this choice again."""
        chosen = {name: text for name, text in self.fields.items() if text}
        return urlencode(chosen | ({"group": self.group.value} if self.group else {}))

    @property
    def chosen(self) -> int:
        """How many of the fields are set that the form folds away."""
        return sum(bool(text) for name, text in self.fields.items() if name not in _ALWAYS_SHOWN)

    def but(self, **fields: str) -> str:
        """Return the path of the queue with other texts in some fields."""
        return f"/cases?{QueueFilter(self.fields | fields, self.group).query}"

    def within(self, key: str) -> "QueueFilter":
        """Return the choice of one of its groups alone."""
        name = self.group.value if self.group else "operator"
        return QueueFilter(self.fields | {name: key}, None)

    @property
    def path(self) -> str:
        """The path of the queue that is chosen so."""
        return f"/cases?{self.query}"

    @property
    def kept(self) -> str:
        """The query string by which a case's page leads back to this choice, and on in it; "" for the usual one."""
        is_usual = all(not text or (name, text) == ("state", WAITING) for name, text in self.fields.items())
        return "" if is_usual else "?" + urlencode({_KEPT: QueueFilter(self.fields, None).query})

    def filter(self) -> CaseFilter:
        """Return the filter that this choice is. Raises UsageError for a text that makes no sense in its field."""
        given = {name: text or None for name, text in self.fields.items()}
        states = {WAITING: PURSUED_STATES, ALL: ()}
        state = self.fields["state"]
        try:
            return CaseFilter(
                states=states[state] if state in states else (CaseState(state),),
                severities=(Severity(given["severity"]),) if given["severity"] else (),
                licence=LicenceStatus(given["licence"]) if given["licence"] else None,
                collection=given["collection"],
                operator=given["operator"],
                host=(host_in(given["host"]) or given["host"]) if given["host"] else None,
                assignee=given["assignee"],
                label=given["label"],
                source=given["source"],
                words=given["words"],
                confidence=_share(given["confidence"]),
                opened_from=_midnight(given["opened_from"]),
                opened_before=_midnight(given["opened_until"], timedelta(days=1)),
                work_id=given["work"],
                by_priority=True,
            )
        except (ValueError, OverflowError) as error:
            raise UsageError(f"the queue cannot be chosen so: {error}") from error


def queue_filter_kept_in(query: QueryParams) -> QueueFilter:
    """Return the choice from which the page of a case was opened, the usual one when its address says nothing."""
    return queue_filter_in(QueryParams(query.get(_KEPT, "")[:_LONGEST_KEPT]))


def unknown_fields(query: QueryParams) -> list[str]:
    """Return the names in a query string that are no fields of the queue's form."""
    return sorted(set(query) - {*_FIELDS, "group"})


def queue_filter_in(query: QueryParams) -> QueueFilter:
    """Return what a query string chooses; what it does not name is open, what is unknown is passed over."""
    fields = {name: query.get(name, "").strip()[:200] for name in _FIELDS}
    fields["state"] = fields["state"] or WAITING
    group = query.get("group", "")
    return QueueFilter(fields, CaseGrouping(group) if group in list(CaseGrouping) else None)


def _share(text: str | None) -> float | None:
    """Return a number of percent as a share; None for no text. Raises ValueError."""
    if text is None:
        return None
    percent = float(text.removesuffix("%").strip())
    if not 0 <= percent <= 100:
        raise ValueError(f"{text} is no number of percent from 0 to 100")
    return percent / 100


def _midnight(text: str | None, later: timedelta = timedelta()) -> datetime | None:
    """Return the midnight (UTC) with which a day begins, or so much later; None for no text. Raises ValueError."""
    return datetime.combine(date.fromisoformat(text), time(), UTC) + later if text is not None else None
