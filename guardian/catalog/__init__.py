"""What the owner protects: adding and taking out assets, their originals and their rights, and the index's upkeep."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.catalog.catalog import Added, Catalog
    from guardian.catalog.spreadsheet import read_spreadsheet
    from guardian.catalog.syncing import Sync, compare_with_folder
    from guardian.catalog.wanted import Wanted, absolute_path, as_text

__all__ = ["Added", "Catalog", "Sync", "Wanted", "absolute_path", "as_text", "compare_with_folder", "read_spreadsheet"]

_HOMES = {
    "catalog": ("Added", "Catalog"),
    "spreadsheet": ("read_spreadsheet",),
    "syncing": ("Sync", "compare_with_folder"),
    "wanted": ("Wanted", "absolute_path", "as_text"),
}


def __getattr__(name: str) -> object:
    # The configuration imports this room's settings, and must not pay for numpy and SQLAlchemy by that.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(name)
