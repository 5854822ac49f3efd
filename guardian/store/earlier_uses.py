"""Where the memory saw assets before they were protected, and what became of each place."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, delete, select, update

from guardian.model import EarlierUse, EarlierUseState
from guardian.store.inserting import insert_into
from guardian.store.newly_seen import place_of
from guardian.store.places import is_on
from guardian.store.seen_tables import earlier_uses
from guardian.urls.addresses import canonical_url, host_of, registrable_domain


class EarlierUses:
    """The table of earlier uses: one row for each asset and place."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, uses: Sequence[EarlierUse]) -> list[EarlierUse]:
        """Write uses that are not known yet; return those."""
        new = []
        for use in sorted(uses, key=lambda one: one.id):
            image_host = host_of(canonical_url(use.image_url)) if use.image_url else ""
            host = host_of(canonical_url(use.page_url)) if use.page_url else image_host
            statement = insert_into(self._connection, earlier_uses).values(
                id=use.id,
                asset_id=use.asset_id,
                place=place_of(use.page_url, use.image_url, use.sha256),
                sha256=use.sha256,
                image_url=use.image_url,
                page_url=use.page_url,
                domain=registrable_domain(host) if host else "",
                image_domain=registrable_domain(image_host) if image_host else "",
                host=host,
                image_host=image_host,
                source=use.source,
                context=use.context,
                first_seen_at=use.first_seen_at,
                last_seen_at=use.last_seen_at,
                probability=use.probability,
                description=use.description,
                state=use.state,
                checked_at=use.checked_at,
                detail=use.detail,
            )
            kept = statement.on_conflict_do_nothing(index_elements=["asset_id", "place"])
            if self._connection.execute(kept.returning(earlier_uses.c.id)).first() is not None:
                new.append(use)
        return new

    def get(self, id_: str) -> EarlierUse | None:
        """Return the use of this id; None when there is none (any more)."""
        row = self._connection.execute(select(earlier_uses).where(earlier_uses.c.id == id_)).first()
        return None if row is None else _use(row)

    def of_asset(self, asset_id: str) -> list[EarlierUse]:
        """Return the earlier uses of an asset, the first seen first."""
        query = select(earlier_uses).where(earlier_uses.c.asset_id == asset_id)
        ordered = query.order_by(earlier_uses.c.first_seen_at, earlier_uses.c.id)
        return [_use(row) for row in self._connection.execute(ordered)]

    def settle(self, id_: str, state: EarlierUseState, at: datetime, detail: str) -> None:
        """Write what a look at the place has shown."""
        values = {"state": state, "checked_at": at, "detail": detail.replace("\x00", "")[:2000]}
        self._connection.execute(update(earlier_uses).where(earlier_uses.c.id == id_).values(**values))

    def forget_host(self, host: str) -> int:
        """Forget uses on a host and below it; return how many."""
        return self._connection.execute(delete(earlier_uses).where(is_on(earlier_uses, host))).rowcount


def _use(row: Row[tuple[object, ...]]) -> EarlierUse:
    return EarlierUse(
        id=row.id,
        asset_id=row.asset_id,
        sha256=row.sha256,
        image_url=row.image_url,
        page_url=row.page_url,
        source=row.source,
        context=row.context,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        probability=row.probability,
        description=row.description,
        state=row.state,
        checked_at=row.checked_at,
        detail=row.detail,
    )
