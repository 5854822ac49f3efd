"""Looks into a database without making, migrating or changing it: for checks that come before guardian is started."""

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from guardian.errors import StoreUnusable
from guardian.model import AssetState
from guardian.store.connecting import READ_ONLY, connect, connect_for_reading, read_url
from guardian.store.schema import is_current
from guardian.store.settings import StoreSettings
from guardian.store.store import DATABASE_FILE, one_line
from guardian.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Groups:
    """How many assets are protected, and the collections, tags and labels that they have."""

    assets: int
    collections: Set[str]
    tags: Set[str]
    labels: Set[str] = frozenset()


def protected_groups(settings: StoreSettings, data_dir: Path) -> Groups | None:
    """Return what is protected; None when there is no database yet, or one that must be migrated first.

    Raises StoreUnusable when the database cannot be read, UsageError when its URL makes no sense.
    """
    engine = _engine(settings, data_dir)
    if engine is None:
        return None
    try:
        with engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            if not is_current(connection):
                return None
            protected = Transaction(connection).assets.list(state=AssetState.PROTECTED)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"the database cannot be read: {one_line(reason)}") from error
    finally:
        engine.dispose()

    tags = {tag for asset in protected for tag in asset.tags}
    labels = {term for asset in protected for term in asset.terms}
    return Groups(len(protected), {asset.collection for asset in protected}, tags, labels)


def _engine(settings: StoreSettings, data_dir: Path) -> Engine | None:
    """Return an engine that makes nothing; None when the SQLite file is not there. Raises UsageError."""
    file = URL.create("sqlite", database=str(data_dir.absolute() / DATABASE_FILE))
    url = read_url(settings.url) if settings.url is not None else file
    if url.get_backend_name() != "sqlite":
        return connect(url)
    return connect_for_reading(url) if Path(url.database or "").is_file() else None
