"""Reads CSV files that list images and what the owner states about them."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from guardian.catalog.wanted import Wanted
from guardian.errors import ConfigError
from guardian.model import Rights
from guardian.sources.files import absolute_path
from guardian.views.counting import counted

_RIGHTS = ("creator", "copyright_notice", "licensor", "web_statement", "registration")
COLUMNS = ("path", "title", "collection", "tags", *_RIGHTS)
_SEPARATORS = ",;\t"
_STATED_SEPARATOR = re.compile(r"""["']?sep=([,;\t])["']?[,;\t]*""", re.IGNORECASE)


def read_spreadsheet(path: Path, collection: str | None) -> list[Wanted]:
    """Return one wanted file for each row. Relative paths start at the spreadsheet's folder.

    Columns are separated by comma, semicolon or tab, tags by semicolons. Only `path` is required; `collection` is
    for rows that name none. Raises ConfigError with the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text; save it as “CSV UTF-8”", file=path, line=line) from error
    return list(_rows(path, text, collection))


def _rows(path: Path, text: str, collection: str | None) -> Iterator[Wanted]:
    head, _, rest = text.partition("\n")
    # Excel writes its separator in a line before the first: sep=;
    stated = _STATED_SEPARATOR.fullmatch(head.strip())
    separator = stated[1] if stated else max(_SEPARATORS, key=head.count)
    before = 1 if stated else 0
    # strict: a quote in the wrong place is an error, not guessed about.
    reader = csv.reader(io.StringIO(rest if stated else text, newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    try:
        line = 1 + before
        for fields in reader:
            if not names:
                names = _names(path, line, fields)
            # Spreadsheet programs often add rows with nothing but separators at the end.
            elif any(field.strip() for field in fields):
                yield _wanted(path, line, _values(path, line, names, fields), collection)
            line = reader.line_num + 1 + before
    except csv.Error as error:
        raise ConfigError(f"not well-formed CSV: {_fault(error)}", file=path, line=reader.line_num + before) from error
    if not names:
        raise ConfigError("is empty", file=path)


def _fault(error: csv.Error) -> str:
    """Return what is wrong with a line, in the words of a spreadsheet rather than of the parser."""
    said = str(error)
    if "expected after" in said:
        return "after a closing quote there must be a separator; a quote inside a quoted field is written twice"
    if "field larger" in said:
        return "a field is longer than 131072 characters: is a closing quote missing?"
    if "unexpected end" in said:
        return "a quoted field never ends: a closing quote is missing"
    if "NUL" in said:
        return "it holds a zero byte, as no text does; save it as “CSV UTF-8”"
    return "a quote or line end stands in the wrong place"


def _names(path: Path, line: int, fields: list[str]) -> list[str]:
    names = [name.strip().lower() for name in fields]
    while names and not names[-1]:
        names.pop()
    unknown = [name for name in names if name not in COLUMNS]
    if "path" not in names or unknown or len(set(names)) < len(names):
        raise ConfigError(
            f"the first line must name the columns, each once: path, and any of {', '.join(COLUMNS[1:])}"
            + (f"; unknown: {', '.join(map(repr, unknown))}" if unknown else ""),
            file=path,
            line=line,
        )
    return names


def _values(path: Path, line: int, names: list[str], fields: list[str]) -> dict[str, str]:
    values = [field.strip() for field in fields]
    if any(values[len(names) :]) or len(values) < len(names):
        raise ConfigError(
            f"{counted(len(values), 'field')}, but the first line names {len(names)} columns", file=path, line=line
        )
    return dict(zip(names, values, strict=False))


def _wanted(path: Path, line: int, values: dict[str, str], collection: str | None) -> Wanted:
    if not values["path"]:
        raise ConfigError("this row names no path", file=path, line=line)
    chosen = values.get("collection") or collection
    if not chosen:
        raise ConfigError("this row names no collection, and --collection is not given", file=path, line=line)
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
