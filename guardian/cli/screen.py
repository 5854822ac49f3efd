"""Lays out what people read: tables and labelled facts that fit the terminal, and times as they speak of them.

Where standard output is a pipe or a file nothing is cut or wrapped, one record is one line, and times are exact.
`COLUMNS` in the environment sets the width of a terminal. It means nothing in a pipe: readline sets it for children.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

import click
from rich.cells import cell_len, set_cell_size

from guardian.views.plain_text import printable
from guardian.views.timestamps import ago_text, minute_text

GAP = "  "
NARROWEST = 20
"""A terminal that is narrower is treated as so wide: below that every line would be cut to nothing."""

_NARROWEST_COLUMN = 8
_ID_DIGITS = 8
_ELLIPSIS = "…"


class Cut(Enum):
    """How a text is shortened that does not fit.

    END is for prose. MIDDLE is for paths and addresses, whose both ends tell them apart. NEVER is for what is typed
    or compared.
    """

    END = "end"
    MIDDLE = "middle"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. Its name is shown on terminals only."""

    name: str
    cut: Cut = Cut.NEVER
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One record: a cell for each column, and what stands below it on a terminal and behind it in a pipe.

    `path` is a path or address, which gets a line of its own; `below` are texts.
    """

    cells: Sequence[str]
    below: Sequence[str] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """The place that a command writes to. `columns` is None where nothing must be cut or wrapped."""

    columns: int | None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of_output(cls) -> "Screen":
        """Return what standard output is now."""
        if not sys.stdout.isatty():
            return cls(None)

        # It looks at COLUMNS first; a terminal that does not know its size has 80 columns.
        return cls(max(NARROWEST, shutil.get_terminal_size().columns))

    def moment(self, at: datetime) -> str:
        """Return an aware time: "3 hours ago" on a terminal, to the minute in UTC elsewhere."""
        return minute_text(at) if self.columns is None else ago_text(at, self.now)

    def planned(self, at: datetime) -> str:
        """Return a coming time to end a sentence with: "in 2 hours" on a terminal, "at 2026-11-24 12:00Z" elsewhere."""
        return f"at {minute_text(at)}" if self.columns is None else ago_text(at, self.now)

    def dated(self, at: datetime) -> str:
        """Return an aware time to the minute in UTC; on a terminal followed by how long ago that is."""
        exact = minute_text(at)
        return exact if self.columns is None else f"{exact} ({ago_text(at, self.now)})"

    def short_id(self, id_: str) -> str:
        """Return the beginning of an id on a terminal, where it is enough for every command; elsewhere all of it."""
        kind, separator, digits = id_.rpartition("_")
        return id_ if self.columns is None else f"{kind}{separator}{digits[:_ID_DIGITS]}"

    def fitted(self, text: str, cut: Cut = Cut.END, lead: str = "") -> str:
        """Return `lead` and a text on one line, the text cut to what is left of it and made safe to print."""
        text = printable(text)
        return lead + (text if self.columns is None else shortened(text, self.columns - cell_len(lead), cut))

    def pair(self, first: str, second: str, lead: str = "", indent: int = 4) -> list[str]:
        """Return an address and words about it on one line, or below each other where they do not fit together."""
        line = f"{lead}{printable(first)}{GAP}{printable(second)}".rstrip()
        if self.columns is None or cell_len(line) <= self.columns:
            return [line]
        return [self.fitted(first, Cut.MIDDLE, lead), *(self.wrapped(second, indent) if second else [])]

    def wrapped(self, text: str, indent: int = 0, *, first: str | None = None, cut: Cut = Cut.MIDDLE) -> list[str]:
        """Return a text as lines that are broken between words and indented by so many columns.

        `first` stands in place of the first line's indent. A word that is wider than a line is shortened as `cut`
        says; with NEVER it stays whole, so that an address can be copied.
        """
        lead = " " * indent if first is None else first
        text = printable(text)
        if self.columns is None:
            return [lead + text]

        lines = _broken(text, max(1, self.columns - indent), cut)
        return [(lead + lines[0]).rstrip(), *(" " * indent + line.rstrip() for line in lines[1:])]

    def reflowed(self, lines: Iterable[str], cut: Cut = Cut.NEVER) -> Iterator[str]:
        """Yield indented lines, those that are too long broken between words and their rest indented by two more.

        `cut` says what becomes of a word that is wider than a line.
        """
        for line in lines:
            text = line.lstrip(" ")
            indent = len(line) - len(text)
            yield from self.wrapped(text, indent + 2, first=" " * indent, cut=cut)

    def facts(self, facts: Mapping[str, str], indent: int = 2, cut: Cut = Cut.NEVER) -> Iterator[str]:
        """Yield labelled texts as lines, the texts under each other. A long word stays whole, unless `cut` says so.

        A text with a word that does not fit beside its label stands below it.
        """
        label_width = max((cell_len(label) for label in facts), default=0)
        text_column = indent + label_width + len(GAP)
        for label, text in facts.items():
            lead = " " * indent + set_cell_size(label, label_width) + GAP
            longest_word = max(cell_len(word) for word in text.split(" "))
            if self.columns is None or cut is not Cut.NEVER or longest_word <= self.columns - text_column:
                yield from self.wrapped(text, text_column, first=lead, cut=cut)
            else:
                yield lead.rstrip()
                yield from self.wrapped(text, indent + 2, cut=cut)

    def table(self, columns: Sequence[Column], rows: Iterable[Row], *, always_named: bool = False) -> Iterator[str]:
        """Yield a table as lines; on a terminal the names of the columns come first. Nothing without rows.

        `always_named`: elsewhere too, in a report whose lines are no records.
        """
        records = [Row([printable(cell) for cell in row.cells], row.below, row.path) for row in rows]
        if not records:
            return

        widths = [max(cell_len(row.cells[index]) for row in records) for index in range(len(columns))]
        if self.columns is not None or always_named:
            widths = [max(width, cell_len(one.name)) for width, one in zip(widths, columns, strict=True)]
        if self.columns is not None:
            widths = _shrunk(widths, columns, self.columns - len(GAP) * (len(columns) - 1))
        if self.columns is not None or always_named:
            yield click.style(_line([one.name for one in columns], columns, widths), dim=True)

        for row in records:
            line = _line(row.cells, columns, widths)
            if self.columns is None:
                yield GAP.join([line, *(printable(text) for text in (row.path, *row.below) if text)])
                continue
            yield line
            if row.path:
                yield self.fitted(row.path, Cut.MIDDLE, GAP)
            for text in row.below:
                yield from self.wrapped(text, len(GAP)) if text else ()


def echo(lines: Iterable[str]) -> None:
    """Print lines on standard output."""
    for line in lines:
        click.echo(line)


def shortened(text: str, width: int, cut: Cut) -> str:
    """Return a text of at most `width` terminal cells; with NEVER all of it. Wide letters count as two."""
    if cut is Cut.NEVER or cell_len(text) <= width:
        return text

    room = max(0, width - 1)
    if cut is Cut.END:
        return _start(text, room) + _ELLIPSIS
    head = _start(text, room // 2)
    return head + _ELLIPSIS + _start(text[::-1], room - cell_len(head))[::-1]


def _start(text: str, width: int) -> str:
    """Return the longest beginning of a text that takes at most `width` cells."""
    taken = 0
    for index, letter in enumerate(text):
        taken += cell_len(letter)
        if taken > width:
            return text[:index]
    return text


def _broken(text: str, width: int, cut: Cut) -> list[str]:
    """Return the words of a text on lines of at most `width` cells; an empty text is one empty line."""
    lines = [""]
    for word in _words(text, width, cut):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _words(text: str, width: int, cut: Cut) -> Iterator[str]:
    """Yield the words of a text, those that are wider than a line shortened as `cut` says.

    Scripts whose letters mostly take two cells (Chinese, Japanese) may be broken between any two letters.
    """
    for word in text.split(" "):
        if cell_len(word) <= width or cell_len(word) < 1.5 * len(word):
            yield shortened(word, width, cut)
            continue
        while word:
            piece = _start(word, width) or word[0]
            yield piece
            word = word[len(piece) :]


def _shrunk(widths: Sequence[int], columns: Sequence[Column], room: int) -> list[int]:
    """Return widths that fit into `room` where that can be: the widest columns that may be cut give cells away."""
    shrunk = list(widths)
    can_shrink = [index for index, one in enumerate(columns) if one.cut is not Cut.NEVER]
    while sum(shrunk) > room:
        widest = max(can_shrink, key=lambda index: shrunk[index], default=None)
        if widest is None or shrunk[widest] <= _NARROWEST_COLUMN:
            break
        shrunk[widest] -= 1
    return shrunk


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    """Return one line of a table, each cell in its width."""
    shown = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        cell = shortened(cell, width, column.cut)
        padding = " " * (width - cell_len(cell))
        shown.append(padding + cell if column.is_number else cell + padding)
    return GAP.join(shown).rstrip()
