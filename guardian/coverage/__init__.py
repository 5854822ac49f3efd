"""What was seen, what was not, and whether a source has gone quiet."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.coverage.coverage import Coverage, Trouble, as_json, coverage_of, coverages
    from guardian.coverage.telling import tell_of_trouble

__all__ = ["Coverage", "Trouble", "as_json", "coverage_of", "coverages", "tell_of_trouble"]

_HOMES = {"coverage": ("Coverage", "Trouble", "as_json", "coverage_of", "coverages"), "telling": ("tell_of_trouble",)}


def __getattr__(name: str) -> object:
    # The configuration imports this room's settings, and must not pay for SQLAlchemy by that.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(name)
