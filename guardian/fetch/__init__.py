"""Every request there is. `Stranger` visits addresses that strangers chose, `Operator` those the operator chose."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.fetch.errand import Errand
    from guardian.fetch.operator import Operator, OperatorAnswer
    from guardian.fetch.pace import Take
    from guardian.fetch.stranger import Kind, Stranger

__all__ = ["Errand", "Kind", "Operator", "OperatorAnswer", "Stranger", "Take"]

_HOMES = {
    "errand": ("Errand",),
    "operator": ("Operator", "OperatorAnswer"),
    "pace": ("Take",),
    "stranger": ("Kind", "Stranger"),
}


def __getattr__(name: str) -> object:
    # The configuration imports this room's settings, and must not pay for the HTTP libraries by that.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(name)
