"""Matches that the rules kept, each at one address, with the digests that were seen there."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, Row, func, select, update

from guardian.model import Finding, FindingDigest
from guardian.store.inserting import insert_into
from guardian.store.tables import finding_digests, findings
from guardian.urls.addresses import address_key, host_of
from guardian.urls.renditions import picture_key


def finding_id(asset_id: str, page_url: str, image_url: str) -> str:
    """The id of the finding with this natural key; other spellings of the addresses give the same id.

    So do another rendition of the picture and the next signature of its address, which many sites change by the hour.
    """
    # Files beside each other are files of their own, whatever their names.
    picture = picture_key(image_url) if host_of(image_url) else image_url
    # A picture that was seen on no page is used by its host, and a proxy is another host than the one it asks.
    page = f"{host_of(image_url)} {picture}" if page_url == image_url else address_key(page_url)
    key = "\n".join((asset_id, page, picture))
    return "find_" + hashlib.sha256(key.encode()).hexdigest()[:20]


class Findings:
    """The findings table and its digests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upsert(self, finding: Finding) -> tuple[Finding, bool]:
        """Write a finding, or what is new about it; returns it as it stands and whether it is new.

        When it was first seen, and the case once it has one, stay. Its addresses are those that led there last,
        since signed ones expire. Evidence that was not kept this time does not erase evidence that was.
        """
        values = {column.name: getattr(finding, column.name) for column in findings.c}
        statement = insert_into(self._connection, findings).values(**values)
        inserted = self._connection.execute(
            statement.on_conflict_do_nothing(index_elements=["id"]).returning(findings.c.id)
        ).first()
        if inserted is None:
            self._connection.execute(
                update(findings)
                .where(findings.c.id == finding.id)
                .values(
                    source=finding.source,
                    page_url=finding.page_url,
                    image_url=finding.image_url,
                    last_seen_at=finding.last_seen_at,
                    licence=finding.licence,
                    decision=finding.decision,
                    comparison=finding.comparison,
                    candidate_sha256=finding.candidate_sha256,
                    evidence_note=finding.evidence_note,
                    context=finding.context,
                    also_at=finding.also_at,
                    perceptual_hash=finding.perceptual_hash,
                    case_id=func.coalesce(findings.c.case_id, finding.case_id),
                    image_sha256=func.coalesce(finding.image_sha256, findings.c.image_sha256),
                    page_sha256=func.coalesce(finding.page_sha256, findings.c.page_sha256),
                )
            )
        self._note_digest(finding)
        return self._one(finding.id), inserted is not None

    def get(self, id_: str) -> Finding | None:
        """The finding of this id."""
        row = self._connection.execute(select(findings).where(findings.c.id == id_)).first()
        return None if row is None else _finding(row)

    def starting_with(self, prefix: str) -> list[Finding]:
        """Findings whose id starts so, by id; people type the first few characters."""
        query = select(findings).where(findings.c.id.startswith(prefix, autoescape=True)).order_by(findings.c.id)
        return [_finding(row) for row in self._connection.execute(query)]

    def at(self, asset_id: str, page_url: str, image_url: str) -> Finding | None:
        """The finding of this asset at this address, however it is spelled."""
        return self.get(finding_id(asset_id, page_url, image_url))

    def digests(self, finding_id: str) -> list[FindingDigest]:
        """All bytes that were seen at a finding's address, oldest first."""
        query = (
            select(finding_digests)
            .where(finding_digests.c.finding_id == finding_id)
            .order_by(finding_digests.c.first_seen_at, finding_digests.c.candidate_sha256)
        )
        return [
            FindingDigest(
                candidate_sha256=row.candidate_sha256,
                image_sha256=row.image_sha256,
                page_sha256=row.page_sha256 or None,
                first_seen_at=row.first_seen_at,
                last_seen_at=row.last_seen_at,
            )
            for row in self._connection.execute(query)
        ]

    def list(self, case_id: str | None = None, since: datetime | None = None) -> list[Finding]:
        """Findings, oldest first; `since`: only those seen then or later."""
        query = select(findings).order_by(findings.c.first_seen_at, findings.c.id)
        if case_id is not None:
            query = query.where(findings.c.case_id == case_id)
        if since is not None:
            query = query.where(findings.c.last_seen_at >= since)
        return [_finding(row) for row in self._connection.execute(query)]

    def _note_digest(self, finding: Finding) -> None:
        statement = insert_into(self._connection, finding_digests).values(
            finding_id=finding.id,
            candidate_sha256=finding.candidate_sha256,
            image_sha256=finding.image_sha256,
            page_sha256=finding.page_sha256 or "",
            first_seen_at=finding.last_seen_at,
            last_seen_at=finding.last_seen_at,
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["finding_id", "candidate_sha256", "page_sha256"],
                set_={
                    "last_seen_at": statement.excluded.last_seen_at,
                    "image_sha256": func.coalesce(statement.excluded.image_sha256, finding_digests.c.image_sha256),
                },
            )
        )

    def _one(self, id_: str) -> Finding:
        return _finding(self._connection.execute(select(findings).where(findings.c.id == id_)).one())


def _finding(row: Row[tuple[object, ...]]) -> Finding:
    return Finding(**row._mapping)
