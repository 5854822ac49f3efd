"""Two ways of answering the same questions, side by side: another profile, no descriptor, a refitted confidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.evaluation.results import Results


@dataclass(frozen=True, slots=True)
class Line:
    """One number both ways: a float is a share (0 to 1) or a loss, an int a count, None was not measured.

    `digits`: decimals of a float as it is shown.
    """

    what: str
    now: float | None
    other: float | None
    digits: int = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Numbers of the way in use (`now_name`) beside those of another (`other_name`), under a title."""

    title: str
    now_name: str
    other_name: str
    lines: tuple[Line, ...]


def compared_results(
    title: str, names: tuple[str, str], now: "Results", other: "Results", first: Sequence[Line] = ()
) -> Comparison:
    """Compare two answers to the same questions: copies by family, strangers, and alerts that name another work.

    `names` of both ways in their order; the lines `first` come before all others.
    """
    lines = [
        *first,
        Line("copies found", _share(now.found, now.copies), _share(other.found, other.copies)),
        Line("copies alerted", _share(now.alerted, now.copies), _share(other.alerted, other.copies)),
    ]
    families = list(dict.fromkeys(one.family for one in now.edits))
    # The only family there is has the numbers of all.
    for family in families if len(families) > 1 else ():
        lines.append(Line(f"{family} edits found", now.share_found(family), other.share_found(family)))
        lines.append(Line(f"{family} edits alerted", now.share_alerted(family), other.share_alerted(family)))
    accused = [one.accused if one.strangers else None for one in (now, other)]
    lines.append(Line("strangers alerted", accused[0], accused[1]))
    lines.append(Line("alerts that name another work", now.mistaken, other.mistaken))
    return Comparison(title, *names, tuple(lines))


def line_words(line: Line) -> tuple[str, str, str]:
    """Return both numbers of a line and the change between them as they are shown."""
    return number_words(line.now, line.digits), number_words(line.other, line.digits), change_words(line)


def number_words(number: float | None, digits: int = 3) -> str:
    """Return a number of a line as it is shown: "0.962", "3", and "-" for what was not measured."""
    if number is None:
        return "-"
    return f"{number}" if isinstance(number, int) else f"{number:.{digits}f}"


def change_words(line: Line) -> str:
    """Return by how much the other way differs: "+0.012", "-3", and "" where it does not, or is not known."""
    if line.now is None or line.other is None:
        return ""
    change = line.other - line.now
    words = f"{change:+d}" if isinstance(change, int) else f"{change:+.{line.digits}f}"
    return "" if float(words) == 0 else words


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
