"""Merges findings that turn out to be one, by their keys or by their works. Nobody is told of it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from guardian.model import ACTIONS_BY_STRENGTH, IMPORTANCE_BY_STRENGTH, SEVERITIES_BY_STRENGTH, Importance
from guardian.store.audit import Audit
from guardian.store.columns import Instant
from guardian.store.evidence_tables import evidence_captures
from guardian.store.retention import Holds
from guardian.store.tables import case_events, cases, finding_aliases, finding_digests, findings

OF_LAST_SIGHTING = (
    "asset_id",
    "source",
    "page_url",
    "image_url",
    "last_seen_at",
    "licence",
    "decision",
    "comparison",
    "candidate_sha256",
    "evidence_note",
    "context",
    "also_at",
    "perceptual_hash",
    "licence_id",
    "licensed_since",
    "first_missed_at",
    "missed_scans",
)
"""The columns that another sighting of a finding replaces."""


def merge_findings(connection: Connection, one: str, other: str, recognised_by: Mapping[str, object]) -> None:
    """Merge two findings: the result has the id of the first, the older of their cases, and the latest sighting.

    Of two sightings at the same time the better match counts. `recognised_by` are the columns, by name, that
    recognise the result. The id that disappears leads to it from now on.
    """
    both = select(findings).where(findings.c.id.in_([one, other])).order_by(findings.c.first_seen_at, findings.c.id)
    kept, gone = connection.execute(both).all()

    _merge_digests(connection, kept.id, gone.id)
    connection.execute(
        update(finding_aliases).where(finding_aliases.c.finding_id == gone.id).values(finding_id=kept.id)
    )
    # People and receivers have noted the id that disappears, so it leads to the finding from now on.
    connection.execute(insert(finding_aliases).values(id=gone.id, finding_id=kept.id))
    connection.execute(delete(findings).where(findings.c.id == gone.id))

    case_id = _older_case(connection, kept, gone)
    if case_id is not None:
        # What was captured of either is proof of the one that is left.
        of_either = update(evidence_captures).where(evidence_captures.c.finding_id.in_([kept.id, gone.id]))
        connection.execute(of_either.values(finding_id=kept.id, case_id=case_id))
        for row in (kept, gone):
            Holds(connection).spread(row.case_id, case_id)

    earlier, later = sorted((kept, gone), key=lambda row: (row.last_seen_at, row.comparison.probability))
    values = {name: getattr(later, name) for name in OF_LAST_SIGHTING}
    connection.execute(
        update(findings)
        .where(findings.c.id == kept.id)
        .values(
            **values,
            **recognised_by,
            case_id=case_id,
            image_sha256=later.image_sha256 or earlier.image_sha256,
            page_sha256=later.page_sha256 or earlier.page_sha256,
            image_status=later.image_status or earlier.image_status,
            page_status=later.page_status or earlier.page_status,
        )
    )


def _merge_digests(connection: Connection, kept: str, gone: str) -> None:
    """Move the digests of one finding to the other; bytes that both have seen become one row."""
    both = select(finding_digests).where(finding_digests.c.finding_id.in_([kept, gone]))
    rows = connection.execute(both).all()
    of_kept = {(row.candidate_sha256, row.page_sha256): row for row in rows if row.finding_id == kept}
    for row in rows:
        if row.finding_id == kept:
            continue

        this = _digest(gone, row)
        same = of_kept.get((row.candidate_sha256, row.page_sha256))
        if same is None:
            connection.execute(update(finding_digests).where(*this).values(finding_id=kept))
            continue

        connection.execute(delete(finding_digests).where(*this))
        connection.execute(
            update(finding_digests)
            .where(*_digest(kept, row))
            .values(
                first_seen_at=min(same.first_seen_at, row.first_seen_at),
                last_seen_at=max(same.last_seen_at, row.last_seen_at),
                image_sha256=same.image_sha256 or row.image_sha256,
                importance=max(same.importance, row.importance, key=IMPORTANCE_BY_STRENGTH.index),
            )
        )

    # Only one version of the merged finding is its first: the later one of two becomes one that changed.
    firsts = sorted((row for row in rows if row.importance is Importance.FIRST), key=lambda row: row.first_seen_at)
    for row in firsts[1:]:
        if (row.candidate_sha256, row.page_sha256) != (firsts[0].candidate_sha256, firsts[0].page_sha256):
            # Only where it still is a first version: the update above may have made it a more important one.
            is_first = finding_digests.c.importance == Importance.FIRST
            demoted = update(finding_digests).where(*_digest(kept, row), is_first)
            connection.execute(demoted.values(importance=Importance.CHANGED))


def _digest(finding_id: str, row: Row[tuple[object, ...]]) -> Sequence[ColumnElement[bool]]:
    return (
        finding_digests.c.finding_id == finding_id,
        finding_digests.c.candidate_sha256 == row.candidate_sha256,
        finding_digests.c.page_sha256 == row.page_sha256,
    )


def _older_case(connection: Connection, kept: Row[tuple[object, ...]], gone: Row[tuple[object, ...]]) -> str | None:
    """Return the id of the case that the merged finding belongs to: the older of the two, if they differ.

    The other case stays, even without findings: it is of another operator, and what a person decided about that one
    must neither be lost nor apply to the other. Its history says where the finding went.
    """
    ids = {row.case_id for row in (kept, gone) if row.case_id is not None}
    if len(ids) < 2:
        return next(iter(ids), None)

    query = select(cases).where(cases.c.id.in_(ids)).order_by(cases.c.opened_at, cases.c.id)
    older, younger = connection.execute(query).all()

    # The older case takes the strength of both, or the next sighting would escalate it to a strength that a message
    # has reported already.
    connection.execute(
        update(cases)
        .where(cases.c.id == older.id)
        .values(
            action=max(older.action, younger.action, key=ACTIONS_BY_STRENGTH.index),
            severity=max(older.severity, younger.severity, key=SEVERITIES_BY_STRENGTH.index),
        )
    )
    left = kept if kept.case_id == younger.id else gone
    now = connection.execute(select(func.current_timestamp(type_=Instant))).scalar_one()
    event = {
        "case_id": younger.id,
        "at": now,
        "kind": "moved",
        "note": f"finding {left.id} is in {older.id} now, as {kept.id}",
    }
    connection.execute(insert(case_events).values(**event, told=True))
    audit = Audit(connection)
    audit.anchor(younger.id, event, now)
    audit.write()
    id_: str = older.id
    return id_
