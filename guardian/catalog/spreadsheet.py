"""A CSV file of images and what the owner says about them."""

import csv
from collections.abc import Iterator
from pathlib import Path

from guardian.catalog.wanted import Wanted
from guardian.errors import ConfigError
from guardian.model import Rights

_RIGHTS = ("creator", "copyright_notice", "licensor", "web_statement", "registration")
COLUMNS = ("path", "title", "collection", "tags", *_RIGHTS)


def read_spreadsheet(path: Path, collection: str | None) -> list[Wanted]:
    """One wanted file a row; paths count from the spreadsheet's folder, tags are parted by semicolons.

    Only `path` is required; `collection` is for rows that name none. Raises ConfigError with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(path, file.read(), collection))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read as UTF-8 text: {error}", file=path) from error


def _rows(path: Path, text: str, collection: str | None) -> Iterator[Wanted]:
    head = text.partition("\n")[0]
    reader = csv.DictReader(text.splitlines(), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    unknown = [name for name in names if name not in COLUMNS]
    if "path" not in names or unknown or len(set(names)) < len(names):
        raise ConfigError(
            f"the first line must name the columns, each once: path, and any of {', '.join(COLUMNS[1:])}"
            + (f"; unknown: {', '.join(map(repr, unknown))}" if unknown else ""),
            file=path,
            line=1,
        )
    try:
        for row in reader:
            yield _wanted(path, reader.line_num, row, collection)
    except csv.Error as error:
        raise ConfigError(str(error), file=path, line=reader.line_num) from error


def _wanted(path: Path, line: int, row: dict[str, str | None], collection: str | None) -> Wanted:
    if None in row or None in row.values():
        raise ConfigError("this row has more or fewer fields than the first line", file=path, line=line)
    values = {name: (value or "").strip() for name, value in row.items()}
    if not values["path"]:
        raise ConfigError("this row names no path", file=path, line=line)
    chosen = values.get("collection") or collection
    if not chosen:
        raise ConfigError("this row names no collection, and --collection is not given", file=path, line=line)
    tags = tuple(tag.strip() for tag in values.get("tags", "").split(";") if tag.strip())
    return Wanted(
        path=(path.absolute().parent / Path(values["path"]).expanduser()).absolute(),
        collection=chosen,
        title=values.get("title") or None,
        tags=tags,
        rights=Rights(**{name: values.get(name) or None for name in _RIGHTS}),
    )
