"""The history of a case as a bundle carries it: each line with the digests by which anybody can check it.

A line of the audit log covers the digest of the line before it, and the log has a line with the digest of each line of
the case's history. So the lines can be checked without the log; that the log still ends as stated, only with it.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from guardian.evidence.manifest import canonical_json
from guardian.model import AuditHead, AuditLine
from guardian.model.people import ActorKind
from guardian.store import Transaction
from guardian.store.audit import HISTORY, content_digest, line_digest
from guardian.views.people import audit_line_json

_SEEN_BY_GUARDIAN = frozenset({"opened", "escalated", "returned", "gone", "licensed", "unlicensed"})
"""Lines of a case's history that follow from what was seen and licensed, not from what a person did."""


def is_for_others(kind: str, by: str | None, note: str | None) -> bool:
    """Return whether a line of a case's history, of this kind, may be read by people outside."""
    return kind in _SEEN_BY_GUARDIAN and not by and not note


def history_lines(tx: Transaction, case_id: str, *, for_others: bool = False) -> bytes:
    """Return history.jsonl: the lines of the case's history, those of the audit log about it, and the log's end.

    `for_others`: without the lines that people caused.
    """
    lines = _lines_for_others(tx, case_id) if for_others else _lines(tx, case_id)
    return b"".join(canonical_json(line) + b"\n" for line in lines)


def _lines(tx: Transaction, case_id: str) -> Iterator[dict[str, Any]]:
    for content, digest in tx.audit.history_of(case_id):
        yield {"kind": "history", "content": content, "sha256": digest}
    for line in tx.audit.lines(subject=case_id):
        yield {"kind": "audit", "before": tx.audit.digest_before(line.number), **audit_line_json(line)}
    yield from _head(tx)


def _lines_for_others(tx: Transaction, case_id: str) -> Iterator[dict[str, Any]]:
    """Yield what people outside may read, and how many lines they may not.

    Not even the digests of those: names and network addresses could be found by trying all that there are.
    """
    left_out = sum(1 for _ in tx.audit.lines(subject=case_id))
    for content, digest in tx.audit.history_of(case_id):
        if is_for_others(content["kind"], content.get("by"), content.get("note")):
            yield {"kind": "history", "content": content, "sha256": digest}
        else:
            left_out += 1
    yield {"kind": "left_out", "lines": left_out}
    yield from _head(tx)


def _head(tx: Transaction) -> Iterator[dict[str, Any]]:
    head = tx.audit.head()
    if head is not None:
        yield {"kind": "head", "number": head.number, "digest": head.digest}


def head_of(content: bytes) -> AuditHead | None:
    """Return the end of the log that a history.jsonl states; None when it states none."""
    for line in reversed(content.splitlines()):
        read = json.loads(line)
        if read["kind"] == "head":
            return AuditHead(read["number"], read["digest"])
    return None


def faults_in(content: bytes) -> list[str]:
    """Return what does not fit together in a history.jsonl, in sentences; none when all does."""
    faults: list[str] = []
    anchored: set[str] = set()
    histories: list[tuple[int, str]] = []
    try:
        for number, text in enumerate(content.splitlines(), start=1):
            read = json.loads(text)
            if read["kind"] == "history":
                if content_digest(read["content"]) != read["sha256"]:
                    faults.append(f"line {number} of history.jsonl has not the digest that it states")
                histories.append((number, str(read["sha256"])))
            elif read["kind"] == "audit":
                line = _audit_line(read)
                if line_digest(read["before"], line) != line.digest:
                    faults.append(f"line {number} of history.jsonl has not the digest that the audit log gave it")
                if line.action == HISTORY:
                    anchored.add(line.detail["sha256"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return [*faults, "history.jsonl cannot be read"]

    # Lines from before there was an audit log are anchored together, in its first line, and cannot be checked singly.
    if anchored:
        first = next((number for number, digest in histories if digest in anchored), 0)
        faults += [
            f"line {number} of history.jsonl is not among those that the audit log knows"
            for number, digest in histories
            if number > first and digest not in anchored
        ]
    return faults


def _audit_line(read: dict[str, Any]) -> AuditLine:
    return AuditLine(
        number=read["number"],
        at=datetime.fromisoformat(read["at"]),
        actor_kind=ActorKind(read["actor_kind"]),
        actor=read["actor"],
        action=read["action"],
        subject=read["subject"],
        address=read["address"],
        detail=read["detail"],
        digest=read["digest"],
    )
