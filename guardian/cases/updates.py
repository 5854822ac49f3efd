"""Tells of what became of cases and licences: changes to the destinations that ask for them, and digests.

What asks for attention at once (a case that is opened, escalated or reopened) is told of by `recording`, in the
transaction that sees it. All else is a line of a case's history first, and is told of from there, once.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from guardian.cases.licensing import LAPSES_SOON
from guardian.licences import days_left
from guardian.model import Audience, Case, CaseEvent, Licence, Message, Waiting
from guardian.outbox import Subject, enqueue, enqueue_once, mint, route
from guardian.store import Transaction
from guardian.views.messages import message_asset, message_case, message_change, message_licence

_TYPES = {
    "spread": "case.spread",
    "returned": "case.returned",
    "gone": "case.gone",
    "relocated": "case.relocated",
    "licensed": "case.licensed",
    "dismissed": "case.dismissed",
    # `recording` tells of the first three itself; of the last, the line with the licence does.
    "opened": None,
    "escalated": None,
    "reopened": None,
    "granted": None,
}
"""The event of each kind of line; any other kind is `case.changed`."""

_AT_ONCE = 200
_LAPSED_SINCE = timedelta(days=30)
"""A licence that ended longer ago is not told of, when a destination asks for that only now."""

_CLOCKS_MAY_DIFFER = timedelta(hours=1)
"""By how much the clocks of two machines on one database may differ."""

_MOST_IN_DIGEST = 25


def tell_of_changes(tx: Transaction, audience: Audience) -> int:
    """Enqueue messages about up to 200 lines of histories that nobody was told of yet; return how many lines.

    A line that no destination asks for is done with: who asks later is told of what happens from then on.
    """
    lines = tx.case_history.untold(_AT_ONCE)
    for line in lines:
        type_ = _TYPES.get(line.kind, "case.changed")
        names = audience.wanting(type_) if type_ is not None else ()
        case = tx.cases.get(line.case_id) if names else None
        if case is not None and type_ is not None:
            subject = Subject(case.work_id, severity=case.severity)
            route(tx, _of_change(tx, type_, case, line), names, audience.routing, subject)
    tx.case_history.mark_told([line.number for line in lines if line.number is not None])
    return len(lines)


def tell_of_licences(tx: Transaction, audience: Audience, now: datetime) -> int:
    """Enqueue a message about each licence that ends within 30 days, and one when it has ended; return how many.

    What was told too early, by a clock that has been put back since, is told again when it is so.
    """
    told = 0
    tx.messages.let_tell_again(_not_yet(tx.licences.list(), now), now + _CLOCKS_MAY_DIFFER)
    for licence in tx.licences.list():
        left = days_left(licence, now.date())
        if left is not None and left <= LAPSES_SOON.days:
            type_ = "licence.lapsing"
        elif licence.valid_until is not None and now.date() - _LAPSED_SINCE <= licence.valid_until < now.date():
            type_ = "licence.lapsed"
        else:
            continue
        names = audience.wanting(type_)
        if names:
            message = mint(type_, {"licence": message_licence(licence, left)}, now)
            told += enqueue_once(tx, message, names, _episode(type_, licence))
    return told


def _not_yet(licences: Sequence[Licence], now: datetime) -> list[str]:
    """Return the episodes that have not begun: of licences that have not ended, or do not end soon."""
    episodes = []
    for licence in licences:
        if licence.valid_until is None or licence.valid_until < now.date():
            continue
        episodes.append(_episode("licence.lapsed", licence))
        if licence.valid_until - now.date() > LAPSES_SOON:
            episodes.append(_episode("licence.lapsing", licence))
    return episodes


def tell_digests(tx: Transaction, audience: Audience, now: datetime) -> int:
    """Enqueue the digests that are due; return how many. One is due at each full hour or midnight (UTC)."""
    told = 0
    for name, since in tx.waiting.digests().items():
        every = audience.routing.of(name).digest
        # Who does not want digests any more gets at once what waited for one.
        if every is not None and _period(since, every) == _period(now, every):
            continue
        waiting = tx.waiting.for_digest(name)
        if not waiting:
            # Another process tells of it.
            continue
        enqueue(tx, _digest(tx, waiting, now), [name])
        for one in waiting:
            tx.waiting.remove(one)
        told += 1
    return told


def _period(at: datetime, every: timedelta) -> int:
    return int(at.astimezone(UTC).timestamp() // every.total_seconds())


def _digest(tx: Transaction, waiting: Sequence[Waiting], now: datetime) -> Message:
    """Return one message that names what waited, at most 25 of it, and says how much there is."""
    found = [message for one in waiting[:_MOST_IN_DIGEST] if (message := tx.messages.get(one.message_id)) is not None]
    entries = []
    for message in found:
        data = json.loads(message.body)["data"]
        entries.append(
            {
                "type": message.type,
                "webhook_id": message.id,
                "at": json.loads(message.body)["timestamp"],
                "case": {name: data["case"][name] for name in ("id", "operator", "state", "severity")},
                "asset": {"id": data["asset"]["id"], "title": data["asset"]["title"][:80]},
            }
        )
    return mint("digest", {"count": len(waiting), "events": entries}, now)


def _of_change(tx: Transaction, type_: str, case: Case, line: CaseEvent) -> Message:
    asset = tx.assets.get(case.asset_id)
    data = {
        "case": message_case(case),
        "asset": message_asset(asset) if asset is not None else None,
        "change": message_change(line),
    }
    return mint(type_, data, line.at)


def _episode(type_: str, licence: Licence) -> str:
    return f"{type_}:{licence.id}:{licence.valid_until}"
