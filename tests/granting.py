"""Licences that tests grant."""

from datetime import date, datetime

from guardian.model import Licence
from guardian.store import Transaction


def grant_licence(
    tx: Transaction,
    host: str,
    *,
    at: datetime,
    asset_id: str | None = None,
    collection: str | None = None,
    dates: tuple[date | None, date | None] = (None, None),
    territory: str | None = None,
    proof_file: str | None = None,
) -> Licence:
    """Write a licence for one asset or one collection, and return it; `dates` are its first and last day."""
    first, last = dates
    terms = Licence(
        id="",
        host=host,
        asset_id=asset_id,
        collection=collection,
        valid_from=first,
        valid_until=last,
        territory=territory,
        proof_file=proof_file,
    )
    return tx.licences.grant(terms, at)
