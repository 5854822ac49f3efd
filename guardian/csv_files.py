"""Reads CSV files as spreadsheet programs write them; what is wrong with one is said with its line."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from guardian.errors import ConfigError
from guardian.views.counting import counted
from guardian.views.plain_text import without_apostrophe

_SEPARATORS = ",;\t"
_STATED_SEPARATOR = re.compile(r"""["']?sep=([,;\t])["']?[,;\t]*""", re.IGNORECASE)


def read_rows(path: Path, columns: Sequence[str], *, required: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the values by column of each row that has any; blanks around values are removed, and the
    apostrophes by which tables that guardian writes keep spreadsheets from running values as formulas.

    The first line names the columns, some of `columns` and `required` among them, in any order. They are separated by
    comma, semicolon or tab. Raises ConfigError with the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text; save it as “CSV UTF-8”", file=path, line=line) from error

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
                names = _names(path, line, fields, columns, required)
            # Spreadsheet programs often add rows with nothing but separators at the end.
            elif any(field.strip() for field in fields):
                yield line, _values(path, line, names, fields)
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


def _names(path: Path, line: int, fields: list[str], columns: Sequence[str], required: str) -> list[str]:
    names = [name.strip().lower() for name in fields]
    while names and not names[-1]:
        names.pop()
    unknown = [name for name in names if name not in columns]
    if required not in names or unknown or len(set(names)) < len(names):
        others = ", ".join(name for name in columns if name != required)
        raise ConfigError(
            f"the first line must name the columns, each once: {required}, and any of {others}"
            + (f"; unknown: {', '.join(map(repr, unknown))}" if unknown else ""),
            file=path,
            line=line,
        )
    return names


def _values(path: Path, line: int, names: list[str], fields: list[str]) -> dict[str, str]:
    values = [without_apostrophe(field.strip()) for field in fields]
    if any(values[len(names) :]) or len(values) < len(names):
        raise ConfigError(
            f"{counted(len(values), 'field')}, but the first line names {len(names)} columns", file=path, line=line
        )
    return dict(zip(names, values, strict=False))
