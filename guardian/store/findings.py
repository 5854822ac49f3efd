"""Findings as rows. The versions of the bytes that were seen at each are rows of their own: see `versions`."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, and_, func, literal, select, update

from guardian.model import AssetState, Finding, LicenceStatus, UnseenFinding
from guardian.model.cases import SCANS_UNTIL_ABSENT
from guardian.store.chunks import in_chunks
from guardian.store.columns import Instant
from guardian.store.inserting import insert_into
from guardian.store.merging import OF_LAST_SIGHTING, merge_findings
from guardian.store.tables import assets, cases, finding_aliases, findings
from guardian.store.works import work_of
from guardian.urls.keys import PlaceKeys, page_key, place_keys

_FACTS = tuple(findings.c[field.name] for field in fields(Finding))
"""The columns of a Finding; the keys that recognise it are the store's own."""


class Findings:
    """The findings table."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upsert(self, finding: Finding) -> tuple[Finding, bool]:
        """Insert a finding, or update the one that it is another sighting of; return it, and whether it is new.

        The asset's work and the keys of the addresses tell which finding it is; the id is used only if it is new. An
        update keeps the first-seen time and the case. It replaces the addresses, since signed ones expire, and the
        asset, since another version of the work may match better now. Evidence that was not kept this time does not
        erase evidence that was.
        """
        keys = place_keys(finding.page_url, finding.image_url)
        statement = insert_into(self._connection, findings).values(
            **{column.name: getattr(finding, column.name) for column in _FACTS},
            work_id=work_of(finding.asset_id),
            page_key=keys.page,
            picture_key=keys.picture,
            key_version=keys.version,
        )
        # Insert first and look afterwards: looking first would race with another process that sees the same picture.
        recognised_by = ["work_id", "page_key", "picture_key", "key_version"]
        inserted = self._connection.execute(
            statement.on_conflict_do_nothing(index_elements=recognised_by).returning(findings.c.id)
        ).first()

        id_ = self._seen_again(finding, keys) if inserted is None else finding.id
        return self._one(id_), inserted is not None

    def get(self, id_: str) -> Finding | None:
        """Return the finding of this id, or the one that it was merged into; None when there is none."""
        known_as = select(finding_aliases.c.finding_id).where(finding_aliases.c.id == id_)
        query = select(*_FACTS).where((findings.c.id == id_) | findings.c.id.in_(known_as))
        row = self._connection.execute(query).first()
        return None if row is None else _finding(row)

    def starting_with(self, prefix: str) -> list[Finding]:
        """Return the findings whose id, or an id that was merged into theirs, begins with `prefix`."""
        earlier = finding_aliases.c.id.startswith(prefix, autoescape=True)
        query = (
            select(*_FACTS)
            .where(
                findings.c.id.startswith(prefix, autoescape=True)
                | findings.c.id.in_(select(finding_aliases.c.finding_id).where(earlier))
            )
            .order_by(findings.c.id)
        )

        return [_finding(row) for row in self._connection.execute(query)]

    def at(self, asset_id: str, page_url: str, image_url: str) -> Finding | None:
        """Return the finding of this asset's work at these addresses, or at others with the same keys; None without."""
        query = select(*_FACTS).where(is_at(work_of(asset_id), place_keys(page_url, image_url)))
        row = self._connection.execute(query).first()
        return None if row is None else _finding(row)

    def of_work(self, work_id: str) -> list[Finding]:
        """Return the findings of a work, the first seen first, also those without a case."""
        query = select(*_FACTS).where(findings.c.work_id == work_id)
        ordered = query.order_by(findings.c.first_seen_at, findings.c.id)
        return [_finding(row) for row in self._connection.execute(ordered)]

    def unseen(self, source: str, since: datetime) -> list[UnseenFinding]:
        """Return the findings of a source that were not seen since then.

        Left out are those at places that were looked at in vain since then, and those of works that are not compared.
        """
        compared = select(assets.c.work_id).where(assets.c.state == AssetState.PROTECTED)
        columns = findings.c.id, findings.c.page_url, findings.c.last_seen_at, findings.c.missed_scans
        query = select(*columns).where(
            findings.c.source == source,
            findings.c.last_seen_at < since,
            findings.c.doubted_at.is_(None) | (findings.c.doubted_at < since),
            findings.c.work_id.in_(compared),
        )
        return [UnseenFinding(*row) for row in self._connection.execute(query)]

    def miss(self, ids: Sequence[str], at: datetime) -> None:
        """Note that a scan looked at the places of these findings and did not see them."""
        for chunk in in_chunks(ids):
            self._connection.execute(
                update(findings)
                .where(findings.c.id.in_(chunk))
                .values(
                    first_missed_at=func.coalesce(findings.c.first_missed_at, literal(at, Instant)),
                    missed_scans=findings.c.missed_scans + 1,
                )
            )

    def lose(self, ids: Sequence[str], at: datetime) -> None:
        """Note that these findings are gone: each was looked at, and neither page nor file shows the picture."""
        for chunk in in_chunks(ids):
            is_there = findings.c.missed_scans < SCANS_UNTIL_ABSENT
            self._connection.execute(
                update(findings)
                .where(findings.c.id.in_(chunk), is_there)
                .values(
                    first_missed_at=func.coalesce(findings.c.first_missed_at, literal(at, Instant)),
                    missed_scans=SCANS_UNTIL_ABSENT,
                )
            )

    def cases_of(self, ids: Sequence[str]) -> list[str]:
        """Return the ids of the cases that any of these findings belong to, in the order in which cases are locked.

        That is the order of their works: whoever records a picture that shows several works knows no cases before.
        """
        found: set[tuple[str, str]] = set()
        for chunk in in_chunks(ids):
            query = select(findings.c.work_id, findings.c.case_id).where(findings.c.id.in_(chunk))
            of_case = query.where(findings.c.case_id.is_not(None)).distinct()
            found |= {(row.work_id, row.case_id) for row in self._connection.execute(of_case)}
        return list(dict.fromkeys(case_id for _, case_id in sorted(found)))

    def foremost(self, case_ids: Sequence[str]) -> dict[str, Finding]:
        """Return for each of these cases the finding seen last, if possible one whose picture was kept."""
        its = findings.alias()
        best = (
            select(its.c.id)
            .where(its.c.case_id == cases.c.id)
            .order_by(its.c.image_sha256.is_(None), its.c.last_seen_at.desc(), its.c.id)
            .limit(1)
            .correlate(cases)
            .scalar_subquery()
        )
        chosen = select(best).select_from(cases).where(cases.c.id.in_(case_ids))
        rows = self._connection.execute(select(*_FACTS).where(findings.c.id.in_(chosen)))
        return {finding.case_id: finding for finding in map(_finding, rows) if finding.case_id is not None}

    def are_all_absent(self, case_id: str) -> bool:
        """Return whether a case has findings and each of them counts as gone."""
        is_there = findings.c.missed_scans < SCANS_UNTIL_ABSENT
        query = select(func.count(), func.count().filter(is_there)).where(findings.c.case_id == case_id)
        every, there = self._connection.execute(query).one()
        return every > 0 and there == 0

    def doubt(self, places: Iterable[tuple[str, str | None]], at: datetime) -> None:
        """Note that places could not be looked at, so that what was seen there before is not missed.

        A place is the addresses of a page and of a picture on it; None for all of its pictures. A picture without a
        page has its own address in both.
        """
        pictures: dict[str, set[str | None]] = {}
        for page_url, image_url in places:
            keys = place_keys(page_url, image_url or page_url)
            page = keys.page if image_url is not None else page_key(page_url)
            pictures.setdefault(page, set()).add(keys.picture if image_url is not None else None)

        doubted: list[str] = []
        wanted = list(pictures)
        for chunk in in_chunks(wanted):
            query = select(findings.c.id, findings.c.page_key, findings.c.picture_key)
            found = query.where(findings.c.page_key.in_(chunk))
            for row in self._connection.execute(found):
                if pictures[row.page_key] & {None, row.picture_key}:
                    doubted.append(row.id)
        for chunk in in_chunks(doubted):
            self._connection.execute(update(findings).where(findings.c.id.in_(chunk)).values(doubted_at=at))

    def judge(self, judged: Finding) -> None:
        """Write what the licences and the rules say of a recorded use now; all else stays as it was last seen."""
        values = {
            "licence": judged.licence,
            "licence_id": judged.licence_id,
            "licensed_since": judged.licensed_since,
            "decision": judged.decision,
        }
        self._connection.execute(update(findings).where(findings.c.id == judged.id).values(**values))

    def put_into_case(self, id_: str, case_id: str) -> Finding:
        """Make a finding part of a case, unless it is in one already; return it."""
        statement = update(findings).where(findings.c.id == id_, findings.c.case_id.is_(None))
        self._connection.execute(statement.values(case_id=case_id))
        return self._one(id_)

    def licensed_by_none(self) -> list[str]:
        """Return the ids of findings of earlier versions, which did not note by which licence a use is licensed."""
        query = select(findings.c.id).where(
            findings.c.licence == LicenceStatus.LICENSED, findings.c.licence_id.is_(None)
        )
        return list(self._connection.execute(query).scalars())

    def licensed(self, licence_id: str | None = None) -> list[Finding]:
        """Return the uses that licences cover, by any or by one of them, those licensed last first."""
        query = select(*_FACTS).where(findings.c.licence == LicenceStatus.LICENSED)
        if licence_id is not None:
            query = query.where(findings.c.licence_id == licence_id)
        rows = self._connection.execute(query.order_by(findings.c.licensed_since.desc(), findings.c.id))
        return [_finding(row) for row in rows]

    def places(
        self, *, asset_id: str | None = None, collection: str | None = None, licence: LicenceStatus | None = None
    ) -> dict[str, str]:
        """Return by finding the address of its page.

        Only findings of the work of an asset, of works that have an asset in a collection, or of a status, if given.
        """
        query = select(findings.c.id, findings.c.page_url)
        if asset_id is not None:
            query = query.where(findings.c.work_id == work_of(asset_id))
        if collection is not None:
            holding = select(assets.c.work_id).where(assets.c.collection == collection)
            query = query.where(findings.c.work_id.in_(holding))
        if licence is not None:
            query = query.where(findings.c.licence == licence)
        return {row.id: row.page_url for row in self._connection.execute(query)}

    def list(self, case_id: str | None = None, since: datetime | None = None) -> list[Finding]:
        """Return findings, the first seen first. `since`: only those that were last seen then or later."""
        query = select(*_FACTS).order_by(findings.c.first_seen_at, findings.c.id)
        if case_id is not None:
            query = query.where(findings.c.case_id == case_id)
        if since is not None:
            query = query.where(findings.c.last_seen_at >= since)
        return [_finding(row) for row in self._connection.execute(query)]

    def join_work(self, gone: str, kept: str) -> int:
        """Make all findings of one work findings of another; return how many were merged.

        Two at one place become one: see merge_findings.
        """
        mine, theirs = findings.alias(), findings.alias()
        same = [mine.c[name] == theirs.c[name] for name in ("page_key", "picture_key", "key_version")]
        twins = select(mine.c.id, theirs.c.id).where(mine.c.work_id == gone, theirs.c.work_id == kept, *same)
        pairs = self._connection.execute(twins.order_by(mine.c.id)).all()
        for one, other in pairs:
            merge_findings(self._connection, one, other, {"work_id": kept})
        self._connection.execute(update(findings).where(findings.c.work_id == gone).values(work_id=kept))
        return len(pairs)

    def move(self, id_: str, work_id: str, case_id: str | None) -> None:
        """Make a finding one of another work and case."""
        self._connection.execute(update(findings).where(findings.c.id == id_).values(work_id=work_id, case_id=case_id))

    def _seen_again(self, finding: Finding, keys: PlaceKeys) -> str:
        """Update the finding with these keys for another sighting; return its id."""
        statement = (
            update(findings)
            .where(is_at(work_of(finding.asset_id), keys))
            .values(
                **{name: getattr(finding, name) for name in OF_LAST_SIGHTING},
                # A finding that was recorded without a case gets one when the rules change their mind, and keeps it.
                case_id=func.coalesce(findings.c.case_id, finding.case_id),
                image_sha256=func.coalesce(finding.image_sha256, findings.c.image_sha256),
                page_sha256=func.coalesce(finding.page_sha256, findings.c.page_sha256),
                # What a site says is unchanged has the status that it had.
                image_status=func.coalesce(finding.image_status, findings.c.image_status),
                page_status=func.coalesce(finding.page_status, findings.c.page_status),
            )
            .returning(findings.c.id)
        )
        id_: str = self._connection.execute(statement).scalar_one()
        return id_

    def _one(self, id_: str) -> Finding:
        return _finding(self._connection.execute(select(*_FACTS).where(findings.c.id == id_)).one())


def is_at(work_id: str | ScalarSelect[str], keys: PlaceKeys) -> ColumnElement[bool]:
    """Return the SQL condition that recognises a finding."""
    return and_(
        findings.c.work_id == work_id,
        findings.c.page_key == keys.page,
        findings.c.picture_key == keys.picture,
        findings.c.key_version == keys.version,
    )


def _finding(row: Row[tuple[object, ...]]) -> Finding:
    return Finding(**row._mapping)
