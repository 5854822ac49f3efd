"""Reads CSV files that list images and what the owner states about them."""

from pathlib import Path

from guardian.catalog.wanted import Wanted
from guardian.csv_files import read_rows
from guardian.errors import ConfigError
from guardian.model import Rights
from guardian.sources.files import absolute_path

_RIGHTS = ("creator", "copyright_notice", "licensor", "web_statement", "registration")
COLUMNS = ("path", "title", "collection", "tags", *_RIGHTS)


def read_spreadsheet(path: Path, collection: str | None) -> list[Wanted]:
    """Return one wanted file for each row. Relative paths start at the spreadsheet's folder.

    Columns are separated by comma, semicolon or tab, tags by semicolons. Only `path` is required; `collection` is
    for rows that name none. Raises ConfigError with the line.
    """
    rows = read_rows(path, COLUMNS, required="path")
    return [_wanted(path, line, values, collection) for line, values in rows]


def _wanted(path: Path, line: int, values: dict[str, str], collection: str | None) -> Wanted:
    if not values["path"]:
        raise ConfigError("this row names no path", file=path, line=line)
    chosen = values.get("collection") or collection
    if not chosen:
        raise ConfigError("this row names no collection, and none was given for such rows", file=path, line=line)
    try:
        file = Path(values["path"]).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{values['path']}: there is no such user", file=path, line=line) from error
    try:
        absolute = absolute_path(path.parent / file)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{values['path']}: no usable path: {error}", file=path, line=line) from error
    return Wanted(
        path=absolute,
        collection=chosen,
        title=values.get("title") or None,
        tags=tuple(dict.fromkeys(tag.strip() for tag in values.get("tags", "").split(";") if tag.strip())),
        rights=Rights(**{name: values.get(name) or None for name in _RIGHTS}),
        names_collection=bool(values.get("collection")),
    )
