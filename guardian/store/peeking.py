"""Looks into a database without making, migrating or changing it: for checks that come before guardian is started."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from guardian.errors import StoreUnusable
from guardian.model import AssetState
from guardian.store.connecting import READ_ONLY, connect_for_reading
from guardian.store.schema import is_current
from guardian.store.settings import StoreSettings
from guardian.store.store import DATABASE_FILE
from guardian.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Groups:
    """How many assets are protected, and the collections and tags that they have."""

    assets: int
    collections: Set[str]
    tags: Set[str]


def protected_groups(settings: StoreSettings, data_dir: Path) -> Groups | None:
    """Return what is protected; None when there is no database yet, or one that must be migrated first.

    Raises StoreUnusable when the database cannot be read.
    """
    file = data_dir.absolute() / DATABASE_FILE
    if settings.url is None and not file.exists():
        return None

    url = URL.create("sqlite", database=str(file))
    engine = create_engine(settings.url) if settings.url else connect_for_reading(url)
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            if not is_current(connection):
                return None
            protected = Transaction(connection).assets.list(state=AssetState.PROTECTED)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"the database cannot be read: {reason}") from error
    finally:
        engine.dispose()

    tags = {tag for asset in protected for tag in asset.tags}
    return Groups(len(protected), {asset.collection for asset in protected}, tags)
