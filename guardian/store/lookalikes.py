"""Pictures that a person has called not theirs, as rows, and the bytes that are known to show the same."""

from collections.abc import Collection

from sqlalchemy import Connection, Row, delete, insert, select, update

from guardian.model import LookAlike
from guardian.store.inserting import insert_into
from guardian.store.tables import lookalike_digests, lookalikes
from guardian.store.works import work_of


class LookAlikes:
    """The tables lookalikes and lookalike_digests."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, lookalike: LookAlike) -> None:
        """Write a look-alike; its own bytes are the first that are known to show it."""
        self._connection.execute(
            insert(lookalikes).values(
                id=lookalike.id,
                work_id=lookalike.work_id,
                sha256=lookalike.sha256,
                image_sha256=lookalike.image_sha256,
                perceptual_hash=lookalike.perceptual_hash,
                case_id=lookalike.case_id,
                batch=lookalike.batch,
                at=lookalike.at,
                by=lookalike.by,
            )
        )
        self.add_digest(lookalike.id, lookalike.sha256)

    def add_digest(self, id_: str, sha256: str) -> None:
        """Note that some bytes show the same picture as a look-alike."""
        statement = insert_into(self._connection, lookalike_digests).values(lookalike_id=id_, sha256=sha256)
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["lookalike_id", "sha256"]))

    def of_work(self, asset_id: str) -> list[LookAlike]:
        """Return the look-alikes of the work of an asset, the latest first."""
        query = select(lookalikes).where(lookalikes.c.work_id == work_of(asset_id))
        ordered = query.order_by(lookalikes.c.at.desc(), lookalikes.c.id)
        return [_lookalike(row) for row in self._connection.execute(ordered)]

    def list(self) -> list[LookAlike]:
        """Return all look-alikes, the latest first."""
        query = select(lookalikes).order_by(lookalikes.c.at.desc(), lookalikes.c.id)
        return [_lookalike(row) for row in self._connection.execute(query)]

    def with_digest(self, sha256: str) -> dict[str, str]:
        """Return the look-alikes that some bytes are known to show: by work, the id of one."""
        query = (
            select(lookalikes.c.work_id, lookalikes.c.id)
            .join(lookalike_digests, lookalike_digests.c.lookalike_id == lookalikes.c.id)
            .where(lookalike_digests.c.sha256 == sha256)
        )
        return {row.work_id: row.id for row in self._connection.execute(query)}

    def join_work(self, gone: str, kept: str) -> None:
        """Make the look-alikes of one work those of another."""
        statement = update(lookalikes).where(lookalikes.c.work_id == gone)
        self._connection.execute(statement.values(work_id=kept))

    def remove_batch(self, batch: str) -> int:
        """Delete the look-alikes that one decision has made; return how many there were."""
        ids = list(self._connection.execute(select(lookalikes.c.id).where(lookalikes.c.batch == batch)).scalars())
        self._connection.execute(delete(lookalike_digests).where(lookalike_digests.c.lookalike_id.in_(ids)))
        self._connection.execute(delete(lookalikes).where(lookalikes.c.id.in_(ids)))
        return len(ids)


def needed_by_lookalikes(connection: Connection, digests: Collection[str]) -> set[str]:
    """Return those of these digests of evidence by which look-alikes are recognised, so that their bytes must stay."""
    query = select(lookalikes.c.image_sha256).where(lookalikes.c.image_sha256.in_(list(digests)))
    return set(connection.execute(query).scalars())


def _lookalike(row: Row[tuple[object, ...]]) -> LookAlike:
    return LookAlike(**row._mapping)
