"""Holds on cases, of which nothing may be deleted, and the traces of evidence that was deleted, as rows."""

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from guardian.model import EvidenceDeletion, EvidenceHold
from guardian.store.inserting import insert_into
from guardian.store.retention_tables import evidence_deletions, evidence_holds
from guardian.store.tables import case_events, finding_digests, findings


class Holds:
    """The evidence_holds table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, hold: EvidenceHold) -> bool:
        """Write a hold; return whether the case had none. One that it has stays as it is."""
        statement = insert_into(self._connection, evidence_holds).values(
            case_id=hold.case_id, at=hold.at, by=hold.by, note=hold.note
        )
        added = statement.on_conflict_do_nothing(index_elements=["case_id"]).returning(evidence_holds.c.case_id)
        return self._connection.execute(added).first() is not None

    def get(self, case_id: str) -> EvidenceHold | None:
        """Return the hold on a case; None when there is none."""
        row = self._connection.execute(select(evidence_holds).where(evidence_holds.c.case_id == case_id)).first()
        return None if row is None else EvidenceHold(**row._mapping)

    def list(self) -> list[EvidenceHold]:
        """Return all holds, the oldest first."""
        query = select(evidence_holds).order_by(evidence_holds.c.at, evidence_holds.c.case_id)
        return [EvidenceHold(**row._mapping) for row in self._connection.execute(query)]

    def end(self, case_id: str) -> bool:
        """Delete the hold on a case; return whether there was one."""
        return self._connection.execute(delete(evidence_holds).where(evidence_holds.c.case_id == case_id)).rowcount > 0

    def spread(self, case_id: str, to: str) -> None:
        """Have another case that has got evidence of a held case held for the same reason."""
        hold = self.get(case_id)
        if hold is not None:
            self.put(EvidenceHold(to, hold.at, hold.by, hold.note))


class Deletions:
    """The evidence_deletions table, which only grows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, deletion: EvidenceDeletion) -> None:
        """Write the trace of a deletion."""
        self._connection.execute(
            insert(evidence_deletions).values(
                id=deletion.id,
                case_id=deletion.case_id,
                at=deletion.at,
                by=deletion.by,
                reason=deletion.reason,
                note=deletion.note,
                captures=deletion.captures,
                size_bytes=deletion.size_bytes,
                files=deletion.files,
            )
        )

    def of_case(self, case_id: str) -> list[EvidenceDeletion]:
        """Return what was deleted of a case, the oldest first."""
        query = (
            select(evidence_deletions)
            .where(evidence_deletions.c.case_id == case_id)
            .order_by(evidence_deletions.c.at, evidence_deletions.c.id)
        )
        return [EvidenceDeletion(**row._mapping) for row in self._connection.execute(query)]


def held_cases() -> Select[tuple[str]]:
    """Return the query for the ids of all cases that are on hold."""
    return select(evidence_holds.c.case_id)


def is_of_held_case(sha256: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that some bytes are a picture which was seen at a use of a case on hold, now or earlier."""
    is_held = findings.c.case_id.in_(held_cases())
    latest = select(findings.c.candidate_sha256).where(is_held)
    of_finding = finding_digests.c.finding_id == findings.c.id
    versions = select(finding_digests.c.candidate_sha256).join(findings, of_finding).where(is_held)
    return sha256.in_(latest.union(versions))


def is_about_held_case(message_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the history of a case on hold names a message."""
    return (
        select(case_events.c.id)
        .where(case_events.c.message_id == message_id, case_events.c.case_id.in_(held_cases()))
        .exists()
    )


def follow_merged_case(connection: Connection, gone_id: str, kept_id: str) -> None:
    """Have holds and traces of a case that was merged into another be that one's."""
    Holds(connection).spread(gone_id, kept_id)
    Holds(connection).end(gone_id)
    connection.execute(
        update(evidence_deletions).where(evidence_deletions.c.case_id == gone_id).values(case_id=kept_id)
    )
