"""Where candidates come from: one file per kind of source, and the reading of pages."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.sources.files import files_in
    from guardian.sources.kinds import Source, open_source
    from guardian.sources.reading import PageReader
    from guardian.sources.responses import is_page, is_picture, is_web_address
    from guardian.sources.settings import SourceSettings
    from guardian.sources.visit import Milestone, Seen, Visit

__all__ = [
    "Milestone",
    "PageReader",
    "Seen",
    "Source",
    "SourceSettings",
    "Visit",
    "files_in",
    "is_page",
    "is_picture",
    "is_web_address",
    "open_source",
]

_HOMES = {
    "files": ("files_in",),
    "kinds": ("Source", "open_source"),
    "reading": ("PageReader",),
    "responses": ("is_page", "is_picture", "is_web_address"),
    "settings": ("SourceSettings",),
    "visit": ("Milestone", "Seen", "Visit"),
}


def __getattr__(name: str) -> object:
    # The configuration imports this room's settings, and must not pay for the HTML parser by that.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(name)
