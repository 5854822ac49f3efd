"""Versions of the bytes at findings as rows, and which evidence is needed. What is worth keeping is told by `cases`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, or_, select, tuple_, update
from sqlalchemy import delete as delete_from

from guardian.model import CaseState, FindingDigest, Importance
from guardian.store.chunks import in_chunks
from guardian.store.columns import Instant
from guardian.store.evidence import needed_by_captures
from guardian.store.inserting import insert_into
from guardian.store.lookalikes import needed_by_lookalikes
from guardian.store.released_evidence import ReleasedEvidence
from guardian.store.retention import held_cases
from guardian.store.tables import cases, finding_digests, findings


class Rank(IntEnum):
    """What is dropped when evidence needs room, in this order. Nothing else ever is.

    What a message named stays, and so does the first version of a use that nobody has dismissed.
    """

    REPEATED = 1
    """Nothing that matters had changed, or it is not known."""
    CHANGED_UNPURSUED = 2
    """Something had changed, at a use that is licensed or dismissed."""
    CHANGED = 3
    """Something had changed."""
    FIRST_UNPURSUED = 4
    """The first version of a use that is licensed or dismissed."""


@dataclass(frozen=True, slots=True)
class Droppable:
    """A version that may be dropped, and the finding that it belongs to."""

    finding_id: str
    version: FindingDigest


class Versions:
    """The finding_digests table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cases_showing(self, digests: Collection[str]) -> dict[str, list[str]]:
        """Return by the SHA-256 of a picture the ids of the cases whose findings kept it."""
        found: dict[str, list[str]] = {}
        for chunk in in_chunks(digests):
            query = (
                select(finding_digests.c.image_sha256, findings.c.case_id)
                .join(findings, findings.c.id == finding_digests.c.finding_id)
                .where(finding_digests.c.image_sha256.in_(chunk), findings.c.case_id.is_not(None))
            )
            for digest, case_id in self._connection.execute(query.distinct().order_by(findings.c.case_id)):
                found.setdefault(digest, []).append(case_id)
        return found

    def of(self, finding_id: str) -> list[FindingDigest]:
        """Return all versions of the bytes that were seen at a finding and are kept, oldest first."""
        return self.of_all([finding_id])[finding_id]

    def of_all(self, finding_ids: Sequence[str]) -> dict[str, list[FindingDigest]]:
        """Return by finding what `of` returns for each."""
        found: dict[str, list[FindingDigest]] = {id_: [] for id_ in finding_ids}
        for chunk in in_chunks(finding_ids):
            query = (
                select(finding_digests)
                .where(finding_digests.c.finding_id.in_(chunk))
                .order_by(
                    finding_digests.c.first_seen_at, finding_digests.c.candidate_sha256, finding_digests.c.page_sha256
                )
            )
            for row in self._connection.execute(query):
                found[row.finding_id].append(_version(row))

        return found

    def kept_digests(self) -> list[tuple[str, str]]:
        """Return the SHA-256 of everything that is kept as evidence, each with the finding that first names it."""
        found: dict[str, str] = {}
        query = select(finding_digests).where(finding_digests.c.dropped_at.is_(None))
        ordered = query.order_by(finding_digests.c.first_seen_at, finding_digests.c.finding_id)
        for row in self._connection.execute(ordered):
            for digest in (row.image_sha256, row.page_sha256):
                if digest:
                    found.setdefault(digest, row.finding_id)
        return list(found.items())

    def kept_by_case(self) -> list[tuple[str, str, str]]:
        """Return the case, the kind ("picture of a scan", "page of a scan") and the SHA-256 of what scans kept."""
        query = (
            select(findings.c.case_id, finding_digests.c.image_sha256, finding_digests.c.page_sha256)
            .join(findings, findings.c.id == finding_digests.c.finding_id)
            .where(findings.c.case_id.is_not(None), finding_digests.c.dropped_at.is_(None))
        )
        kept = []
        for row in self._connection.execute(query):
            for kind, digest in (("picture of a scan", row.image_sha256), ("page of a scan", row.page_sha256)):
                if digest:
                    kept.append((row.case_id, kind, digest))
        return kept

    def note(self, finding_id: str, version: FindingDigest) -> None:
        """Write a version; one that was seen before keeps when that was first, and the evidence that it had."""
        statement = insert_into(self._connection, finding_digests).values(
            finding_id=finding_id,
            candidate_sha256=version.candidate_sha256,
            image_sha256=version.image_sha256,
            # "" for a page that was not kept: the column is part of the primary key, which cannot be null.
            page_sha256=version.page_sha256 or "",
            first_seen_at=version.first_seen_at,
            last_seen_at=version.last_seen_at,
            importance=version.importance,
            changes=version.changes,
            content_key=version.content_key,
            dropped_at=version.dropped_at,
        )
        replaced = ("last_seen_at", "importance", "changes", "content_key", "dropped_at")
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["finding_id", "candidate_sha256", "page_sha256"],
                set_={name: statement.excluded[name] for name in replaced}
                | {"image_sha256": func.coalesce(statement.excluded.image_sha256, finding_digests.c.image_sha256)},
            )
        )

    def mark_told(self, finding_id: str, version: FindingDigest) -> None:
        """Note that a message names a version, which is then kept for ever."""
        self._connection.execute(
            update(finding_digests).where(_is(finding_id, version)).values(importance=Importance.TOLD)
        )

    def supersede(self, finding_id: str, needless: Sequence[FindingDigest], at: datetime) -> None:
        """Delete versions that a later one makes needless, and release their evidence; not of a case on hold."""
        if self._is_held(finding_id):
            return
        for version in needless:
            self._connection.execute(delete_from(finding_digests).where(_is(finding_id, version)))
            self._release(version, at)

    def droppable(self, rank: Rank, limit: int, after: Droppable | None = None) -> list[Droppable]:
        """Return versions of a rank that have evidence, those seen longest ago first; continue `after` one."""
        order = (
            finding_digests.c.last_seen_at,
            finding_digests.c.finding_id,
            finding_digests.c.candidate_sha256,
            finding_digests.c.page_sha256,
        )
        query = (
            select(finding_digests)
            .join(findings, findings.c.id == finding_digests.c.finding_id)
            .outerjoin(cases, cases.c.id == findings.c.case_id)
            .where(_has_rank(rank), _has_evidence(), _is_free())
            .order_by(*order)
            .limit(limit)
        )
        if after is not None:
            version = after.version
            last = (
                literal(version.last_seen_at, Instant),
                after.finding_id,
                version.candidate_sha256,
                version.page_sha256 or "",
            )
            query = query.where(tuple_(*order) > tuple_(*last))
        return [Droppable(row.finding_id, _version(row)) for row in self._connection.execute(query)]

    def drop(self, dropped: Droppable, note: str, at: datetime) -> None:
        """Release the evidence of a version, which stays listed. `note`: what its finding says if it was the last."""
        id_, version = dropped.finding_id, dropped.version
        self._connection.execute(update(finding_digests).where(_is(id_, version)).values(dropped_at=at))
        self._release(version, at)

        # A finding names the evidence of its last sighting; without that, the latest evidence that there is.
        kept = [one for one in self.of(id_) if one.dropped_at is None]
        left = max(kept, key=lambda one: one.last_seen_at, default=None)
        self._connection.execute(
            update(findings)
            .where(
                findings.c.id == id_,
                findings.c.candidate_sha256 == version.candidate_sha256,
                func.coalesce(findings.c.page_sha256, "") == (version.page_sha256 or ""),
            )
            .values(
                image_sha256=left.image_sha256 if left else None,
                page_sha256=left.page_sha256 if left else None,
                evidence_note=note,
            )
        )

    def counts(self) -> dict[Importance, int]:
        """Return how many versions have evidence, by their importance."""
        query = (
            select(finding_digests.c.importance, func.count().label("number"))
            .where(_has_evidence())
            .group_by(finding_digests.c.importance)
        )
        return {row.importance: row.number for row in self._connection.execute(query)}

    def needed(self, digests: Collection[str]) -> set[str]:
        """Return those of these digests that a version, capture or look-alike needs, so that their bytes must stay."""
        wanted = list(digests)
        found = needed_by_lookalikes(self._connection, wanted) | needed_by_captures(self._connection, wanted)
        for column in (finding_digests.c.image_sha256, finding_digests.c.page_sha256):
            for chunk in in_chunks(wanted):
                query = select(column).where(column.in_(chunk), finding_digests.c.dropped_at.is_(None))
                found |= set(self._connection.execute(query).scalars())
        return found

    def _is_held(self, finding_id: str) -> bool:
        query = select(findings.c.id).where(findings.c.id == finding_id, findings.c.case_id.in_(held_cases()))
        return self._connection.execute(query).first() is not None

    def _release(self, version: FindingDigest, at: datetime) -> None:
        digests = {digest for digest in (version.image_sha256, version.page_sha256) if digest is not None}
        ReleasedEvidence(self._connection).add(digests - self.needed(digests), at)


def _is(finding_id: str, version: FindingDigest) -> ColumnElement[bool]:
    return and_(
        finding_digests.c.finding_id == finding_id,
        finding_digests.c.candidate_sha256 == version.candidate_sha256,
        finding_digests.c.page_sha256 == (version.page_sha256 or ""),
    )


def _has_evidence() -> ColumnElement[bool]:
    has_digest = or_(finding_digests.c.image_sha256.is_not(None), finding_digests.c.page_sha256 != "")
    return and_(has_digest, finding_digests.c.dropped_at.is_(None))


def _is_free() -> ColumnElement[bool]:
    """Return the condition that a finding is of no case on hold."""
    return or_(findings.c.case_id.is_(None), findings.c.case_id.not_in(held_cases()))


def _has_rank(rank: Rank) -> ColumnElement[bool]:
    importance = finding_digests.c.importance
    is_unpursued = or_(cases.c.id.is_(None), cases.c.state == CaseState.DISMISSED)
    match rank:
        case Rank.REPEATED:
            return importance.in_([Importance.LATEST, Importance.UNKNOWN])
        case Rank.CHANGED_UNPURSUED:
            return and_(importance == Importance.CHANGED, is_unpursued)
        case Rank.CHANGED:
            return importance == Importance.CHANGED
        case Rank.FIRST_UNPURSUED:
            return and_(importance == Importance.FIRST, is_unpursued)


def _version(row: Row[tuple[object, ...]]) -> FindingDigest:
    return FindingDigest(
        candidate_sha256=row.candidate_sha256,
        image_sha256=row.image_sha256,
        page_sha256=row.page_sha256 or None,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        importance=row.importance,
        changes=row.changes,
        content_key=row.content_key,
        dropped_at=row.dropped_at,
    )
