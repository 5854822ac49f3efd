"""Checks the audit log: whether its chain of digests holds, and whether histories and messages are as it says."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from guardian.model import AuditHead
from guardian.store import Transaction
from guardian.store.audit import BEFORE_THE_FIRST, BEGUN, DELIVERED, HISTORY, line_digest


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found: the first thing that is wrong comes first. `head` is the last line as it now is."""

    lines: int
    histories: int
    head: AuditHead | None
    faults: tuple[str, ...]


def verify(tx: Transaction, heads: tuple[AuditHead, ...] = ()) -> Verified:
    """Check every line of the log and of all histories.

    `heads` are heads that were kept elsewhere, in messages or logs, say: each must still be in the log.
    """
    faults: list[str] = []
    anchored: Counter[str] = Counter()
    wanted = {head.number: head for head in heads}
    begun: dict[str, str] = {}
    sent: dict[str, str] = {}
    before: str | None = BEFORE_THE_FIRST
    number = 0

    for line in tx.audit.lines():
        number += 1
        if line.number != number:
            faults.append(f"{_lines(number, line.number - 1)} of the audit log {_is_gone(number, line.number - 1)}")
            # The digest before this line is not known; the lines after it can be checked again.
            before, number = None, line.number
        if before is not None and line_digest(before, line) != line.digest:
            faults.append(f"line {number} of the audit log ({line.at:%Y-%m-%d %H:%M} UTC, {line.action}) was changed")
        head = wanted.pop(number, None)
        if head is not None and head.digest != line.digest:
            faults.append(f"line {number} of the audit log is not the one that a kept head names")
        if line.action == HISTORY:
            anchored[line.detail.get("sha256", "")] += 1
        elif line.action == DELIVERED:
            sent[line.subject or ""] = line.detail.get("sha256", "")
        elif line.action == BEGUN:
            begun = dict(line.detail)
        before = line.digest

    counted = tx.audit.counted()
    if counted > number:
        cut = f"{_lines(number + 1, counted)} of the audit log {_is_gone(number + 1, counted)}"
        faults.append(f"{cut}: its end was cut off")
    faults += [f"line {lost} of the audit log, which a kept head names, is gone" for lost in sorted(wanted)]

    faults += [
        f"the message {id_} is not the one that was sent: its bytes were changed"
        for id_, digest in tx.messages.digests()
        if sent.get(id_, digest) != digest
    ]
    histories, of_histories = _check_histories(tx, anchored, begun)
    return Verified(number, histories, tx.audit.head(), (*faults, *of_histories))


def _check_histories(tx: Transaction, anchored: Counter[str], begun: dict[str, str]) -> tuple[int, list[str]]:
    """Return how many lines of history there are, and what is wrong with them."""
    count, without = 0, []
    left = Counter(anchored)
    for case_id, at, digest in tx.audit.history():
        count += 1
        if left[digest] > 0:
            left[digest] -= 1
        else:
            without.append((case_id, at, digest))

    older = hashlib.sha256("\n".join(sorted(digest for _, _, digest in without)).encode()).hexdigest()
    faults: list[str] = []
    if older != begun.get("sha256"):
        # Lines of before the log are known by their number and one digest over all; rows come in the order of writing.
        extra = max(len(without) - int(begun.get("lines", "0")), 0)
        faults += [
            f"the history of {case_id} has a line of {at:%Y-%m-%d %H:%M} UTC that was changed or added"
            for case_id, at, _ in without[len(without) - extra :]
        ]
        if not extra:
            faults.append("a line of history from before the audit log began was changed or removed")
    faults += _missing(tx, +left)
    return count, faults


def _missing(tx: Transaction, left: Counter[str]) -> Iterator[str]:
    """Return a sentence for each line of history that the log names and no history has."""
    if not left:
        return
    for line in tx.audit.lines():
        if line.action == HISTORY and left[line.detail.get("sha256", "")] > 0:
            left[line.detail["sha256"]] -= 1
            yield f"the history of {line.subject} lacks its line of {line.at:%Y-%m-%d %H:%M} UTC, or it was changed"


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _is_gone(first: int, last: int) -> str:
    return "is gone" if first == last else "are gone"
