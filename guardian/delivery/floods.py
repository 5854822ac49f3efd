"""Floods: messages about one work or rule that are held since there were too many in an hour; a person decides."""

from collections import Counter
from datetime import datetime

from guardian.errors import UsageError
from guardian.model import Actor, Waiting
from guardian.outbox import release
from guardian.store import Transaction


def held_floods(tx: Transaction) -> dict[str, int]:
    """Return what the floods are about, each with the number of messages that are held, the first one first."""
    return dict(Counter(one.key for one in tx.waiting.held() if one.key is not None))


def release_flood(tx: Transaction, actor: Actor, about: str, at: datetime) -> int:
    """Send the messages of a flood that are held; return how many. Raises UsageError when there are none."""
    number = release(tx, _held(tx, about), at)
    tx.audit.add(actor, "delivery.released", about, at, {"messages": str(number)})
    return number


def drop_flood(tx: Transaction, actor: Actor, about: str, at: datetime) -> int:
    """Never send the messages of a flood that are held; return how many. Their cases stay as they are.

    Raises UsageError when there are none.
    """
    held = _held(tx, about)
    for one in held:
        tx.waiting.remove(one)
    tx.audit.add(actor, "delivery.dropped", about, at, {"messages": str(len(held))})
    return len(held)


def _held(tx: Transaction, about: str) -> list[Waiting]:
    held = tx.waiting.lock_held(about)
    if not held:
        raise UsageError(f"no messages about {about} are held; `guardian delivery held` shows which are")
    return held
