"""Recomputes the keys of findings after their rules changed, and merges findings whose keys have become the same.

Part of opening a database, like a migration and in its transaction: see `schema`. No message is sent because of it.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, bindparam, func, select, update

from guardian.errors import StoreUnusable
from guardian.store.chunks import in_chunks
from guardian.store.findings import is_at
from guardian.store.merging import merge_findings
from guardian.store.tables import findings
from guardian.urls.keys import KEY_VERSION, PlaceKeys, place_keys

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
    """Recompute all keys of earlier versions, and merge findings of a work whose keys become the same."""
    stale = (
        select(findings.c.id)
        .where(findings.c.key_version < KEY_VERSION)
        .order_by(findings.c.first_seen_at, findings.c.id)
    )
    ids = connection.execute(stale).scalars().all()
    merged = 0
    taken = _hashes_of_current_keys(connection)
    for chunk in in_chunks(ids):
        alone: list[dict[str, object]] = []
        perhaps_taken: list[tuple[str, str, PlaceKeys]] = []
        for id_, work_id, keys in _keyed(connection, chunk):
            hashed = hash((work_id, keys.page, keys.picture))
            if hashed in taken:
                perhaps_taken.append((id_, work_id, keys))
            else:
                taken.add(hashed)
                alone.append({"row": id_, **_columns(keys)})

        # Keys of other versions never meet these, so the order in which rows come forward does not matter.
        if alone:
            connection.execute(update(findings).where(findings.c.id == bindparam("row")), alone)
        for id_, work_id, keys in perhaps_taken:
            merged += _renew(connection, id_, work_id, keys)

    if ids:
        log.info("finding_keys_renewed", version=KEY_VERSION, findings=len(ids), merged=merged)


def _hashes_of_current_keys(connection: Connection) -> set[int]:
    """Return hashes of work and keys of all findings whose keys are of this version.

    Hashes, since a database may hold millions of findings. When two share one, a query tells them apart.
    """
    keys = select(findings.c.work_id, findings.c.page_key, findings.c.picture_key)
    return {hash(tuple(row)) for row in connection.execute(keys.where(findings.c.key_version == KEY_VERSION))}


def _keyed(connection: Connection, ids: Sequence[str]) -> list[tuple[str, str, PlaceKeys]]:
    """Return id, work and new keys of these findings, the one first seen first."""
    query = (
        select(findings.c.id, findings.c.work_id, findings.c.page_url, findings.c.image_url)
        .where(findings.c.id.in_(ids))
        .order_by(findings.c.first_seen_at, findings.c.id)
    )
    return [(row.id, row.work_id, place_keys(row.page_url, row.image_url)) for row in connection.execute(query)]


def _renew(connection: Connection, id_: str, work_id: str, keys: PlaceKeys) -> bool:
    """Give one finding its new keys; return whether another one had them already, so that the two were merged."""
    twin = connection.execute(select(findings.c.id).where(is_at(work_id, keys))).scalar()
    if twin is None:
        connection.execute(update(findings).where(findings.c.id == id_).values(**_columns(keys)))
        return False

    merge_findings(connection, id_, twin, _columns(keys))
    return True


def _columns(keys: PlaceKeys) -> dict[str, object]:
    return {"page_key": keys.page, "picture_key": keys.picture, "key_version": keys.version}
