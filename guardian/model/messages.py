"""Messages to destinations: the events there are, and which destination wants which of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from guardian.model.cases import Severity

USUAL_EVENTS = (
    "case.opened",
    "case.escalated",
    "case.reopened",
    "source.failing",
    "source.silent",
    "source.shrinking",
    "flood.held",
    "watch.found",
)
"""What a destination gets that does not say which events it wants."""

CHANGES_OF_CASES = (
    "case.spread",
    "case.changed",
    "case.licensed",
    "case.dismissed",
    "case.gone",
    "case.returned",
    "case.relocated",
)
"""Events of cases that only destinations get which ask for them."""

EVENTS_OF_LICENCES = ("licence.lapsing", "licence.lapsed")

EVENTS_OF_NOTICES = ("notice.deadline",)

EVENTS = (*USUAL_EVENTS, *CHANGES_OF_CASES, *EVENTS_OF_LICENCES, *EVENTS_OF_NOTICES)
"""All events that a destination may ask for."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, minted once (guardian/outbox.py) and the same for every destination and at every attempt.

    `id` is what receivers get as webhook-id. `type` is one of those in message.schema.json. `body` are the final
    bytes: JSON whose `timestamp` is `created_at`.
    """

    id: str
    type: str
    created_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which events a destination wants (names, or patterns such as `case.*`; none: the usual ones), and how.

    Events of cases of one of the severities `digested` come together, once in each `digest` of time.
    """

    name: str
    events: tuple[str, ...] = ()
    digest: timedelta | None = None
    digested: tuple[Severity | None, ...] = (Severity.LOW,)

    def wants(self, event: str) -> bool:
        """Return whether this destination wants to be told of an event."""
        return any(fnmatchcase(event, pattern) for pattern in self.events or USUAL_EVENTS)

    def collects(self, severity: Severity | None) -> bool:
        """Return whether events of cases of this severity wait for the next digest."""
        return self.digest is not None and severity in self.digested


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is told of what: the subscriptions of destinations, and how many messages an hour are no flood yet.

    A destination without a subscription wants the usual events. `flood_limit` counts the messages about one work, and
    those of one rule; 0 is no limit.
    """

    subscriptions: tuple[Subscription, ...] = ()
    flood_limit: int = 0

    def of(self, name: str) -> Subscription:
        """Return the subscription of a destination."""
        return next((one for one in self.subscriptions if one.name == name), Subscription(name))

    def wanting(self, event: str, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of these destinations that want to be told of an event, each once, in their order."""
        return tuple(name for name in dict.fromkeys(names) if self.of(name).wants(event))


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may be told: names of destinations, and which of them want which message. Without names, nobody."""

    destinations: tuple[str, ...] = ()
    routing: Routing = field(default_factory=Routing)

    def wanting(self, event: str) -> tuple[str, ...]:
        """Return the destinations that want to be told of an event, each once, in their order."""
        return self.routing.wanting(event, self.destinations)

    def narrowed_to(self, names: tuple[str, ...]) -> "Audience":
        """Return the same with these destinations alone; with all of them where no name is given."""
        return Audience(names, self.routing) if names else self


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message to a destination that waits: for the next digest (`key` is None), or for a person, since it is part
    of the flood `key`.
    """

    message_id: str
    destination: str
    key: str | None
    at: datetime
