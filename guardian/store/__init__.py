"""The database, and the only package that speaks SQL: SQLite by default, PostgreSQL by its URL. One file for each noun.

Synchronous: the daemon calls it through asyncio.to_thread.
"""

from guardian.store.locks import has_holder, hold, hold_when_free, remove_lock
from guardian.store.settings import ProcessSettings, StoreSettings
from guardian.store.store import Store, open_store
from guardian.store.transaction import Transaction

__all__ = [
    "ProcessSettings",
    "Store",
    "StoreSettings",
    "Transaction",
    "has_holder",
    "hold",
    "hold_when_free",
    "open_store",
    "remove_lock",
]
