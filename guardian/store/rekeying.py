"""Recomputes the keys of findings after their rules changed, and merges findings whose keys have become the same.

Part of opening a database, like a migration and in its transaction: see `schema`. No message is sent because of it.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, select, update

from guardian.errors import StoreUnusable
from guardian.model import ACTIONS_BY_STRENGTH, IMPORTANCE_BY_STRENGTH, SEVERITIES_BY_STRENGTH, Importance
from guardian.store.columns import Instant
from guardian.store.findings import OF_LAST_SIGHTING, is_at
from guardian.store.tables import case_events, cases, finding_aliases, finding_digests, findings
from guardian.urls.keys import KEY_VERSION, PlaceKeys, place_keys

_AT_A_TIME = 500
"""How many findings are read at once."""

log = structlog.get_logger(__name__)


def are_keys_current(connection: Connection) -> bool:
    """Return whether all keys were made by the rules of this version.

    Raises StoreUnusable when a newer guardian made some, since this one would not recognise those findings.
    """
    oldest = connection.execute(select(func.min(findings.c.key_version))).scalar()
    newest = connection.execute(select(func.max(findings.c.key_version))).scalar()
    if newest is not None and newest > KEY_VERSION:
        raise StoreUnusable(
            f"the database has keys of version {newest}, which this guardian does not know (it knows up to "
            f"{KEY_VERSION}): a newer guardian has written it. Install that version again, or restore the backup from "
            "before."
        )

    return oldest is None or oldest == KEY_VERSION


def renew_keys(connection: Connection) -> None:
    """Recompute all keys of earlier versions, and merge findings of an asset whose keys become the same."""
    stale = (
        select(findings.c.id)
        .where(findings.c.key_version < KEY_VERSION)
        .order_by(findings.c.first_seen_at, findings.c.id)
    )
    ids = connection.execute(stale).scalars().all()
    merged = 0
    taken = _hashes_of_current_keys(connection)
    for start in range(0, len(ids), _AT_A_TIME):
        alone: list[dict[str, object]] = []
        perhaps_taken: list[tuple[str, str, PlaceKeys]] = []
        for id_, asset_id, keys in _keyed(connection, ids[start : start + _AT_A_TIME]):
            hashed = hash((asset_id, keys.page, keys.picture))
            if hashed in taken:
                perhaps_taken.append((id_, asset_id, keys))
            else:
                taken.add(hashed)
                alone.append({"row": id_, **_columns(keys)})

        # Keys of other versions never meet these, so the order in which rows come forward does not matter.
        if alone:
            connection.execute(update(findings).where(findings.c.id == bindparam("row")), alone)
        for id_, asset_id, keys in perhaps_taken:
            merged += _renew(connection, id_, asset_id, keys)

    if ids:
        log.info("finding_keys_renewed", version=KEY_VERSION, findings=len(ids), merged=merged)


def _hashes_of_current_keys(connection: Connection) -> set[int]:
    """Return hashes of asset and keys of all findings whose keys are of this version.

    Hashes, since a database may hold millions of findings. When two share one, a query tells them apart.
    """
    keys = select(findings.c.asset_id, findings.c.page_key, findings.c.picture_key)
    return {hash(tuple(row)) for row in connection.execute(keys.where(findings.c.key_version == KEY_VERSION))}


def _keyed(connection: Connection, ids: Sequence[str]) -> list[tuple[str, str, PlaceKeys]]:
    """Return id, asset and new keys of these findings, the one first seen first."""
    query = (
        select(findings.c.id, findings.c.asset_id, findings.c.page_url, findings.c.image_url)
        .where(findings.c.id.in_(ids))
        .order_by(findings.c.first_seen_at, findings.c.id)
    )
    return [(row.id, row.asset_id, place_keys(row.page_url, row.image_url)) for row in connection.execute(query)]


def _renew(connection: Connection, id_: str, asset_id: str, keys: PlaceKeys) -> bool:
    """Give one finding its new keys; return whether another one had them already, so that the two were merged."""
    twin = connection.execute(select(findings.c.id).where(is_at(asset_id, keys))).scalar()
    if twin is None:
        connection.execute(update(findings).where(findings.c.id == id_).values(**_columns(keys)))
        return False

    both = select(findings).where(findings.c.id.in_([id_, twin])).order_by(findings.c.first_seen_at, findings.c.id)
    kept, gone = connection.execute(both).all()
    _merge(connection, kept, gone, keys)
    return True


def _merge(
    connection: Connection, kept: Row[tuple[object, ...]], gone: Row[tuple[object, ...]], keys: PlaceKeys
) -> None:
    """Merge two findings: the result has the id of the first, the older of their cases, and the latest sighting."""
    _merge_digests(connection, kept.id, gone.id)
    connection.execute(
        update(finding_aliases).where(finding_aliases.c.finding_id == gone.id).values(finding_id=kept.id)
    )
    # People and receivers have noted the id that disappears, so it leads to the finding from now on.
    connection.execute(insert(finding_aliases).values(id=gone.id, finding_id=kept.id))
    connection.execute(delete(findings).where(findings.c.id == gone.id))

    earlier, later = sorted((kept, gone), key=lambda row: row.last_seen_at)
    values = {name: getattr(later, name) for name in OF_LAST_SIGHTING}
    connection.execute(
        update(findings)
        .where(findings.c.id == kept.id)
        .values(
            **values,
            **_columns(keys),
            case_id=_older_case(connection, kept, gone),
            image_sha256=later.image_sha256 or earlier.image_sha256,
            page_sha256=later.page_sha256 or earlier.page_sha256,
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

    # Of two first versions the later one is only another one.
    firsts = sorted((row for row in rows if row.importance is Importance.FIRST), key=lambda row: row.first_seen_at)
    for row in firsts[1:]:
        if (row.candidate_sha256, row.page_sha256) != (firsts[0].candidate_sha256, firsts[0].page_sha256):
            connection.execute(update(finding_digests).where(*_digest(kept, row)).values(importance=Importance.CHANGED))


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
    now = connection.execute(select(func.current_timestamp(type_=Instant))).scalar()
    connection.execute(
        insert(case_events).values(
            case_id=younger.id, at=now, kind="moved", note=f"finding {left.id} is in {older.id} now, as {kept.id}"
        )
    )
    id_: str = older.id
    return id_


def _columns(keys: PlaceKeys) -> dict[str, object]:
    return {"page_key": keys.page, "picture_key": keys.picture, "key_version": keys.version}
