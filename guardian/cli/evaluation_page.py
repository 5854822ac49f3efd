"""The page of an evaluation for a terminal: the numbers, what is found least, and what a threshold costs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.screen import Column, Cut, Row, Screen
from guardian.evaluation.comparison import Comparison, line_words
from guardian.evaluation.edit_words import edit_words
from guardian.views.counting import counted

if TYPE_CHECKING:
    from guardian.evaluation.results import EditResult, Results

_SHOWN = 5
_THRESHOLDS = (0.6, 0.8, 0.9, 0.95, 0.97, 0.99, 0.999)
_WELL_FOUND, _WELL_ALERTED = 0.95, 0.85


def page_lines(
    results: "Results", notes: tuple[str, ...], comparisons: tuple[Comparison, ...], page: Path, screen: Screen
) -> Iterable[str]:
    """Yield the lines of the page; `notes` say what the numbers rest on, `page` is the file with pictures."""
    for note in notes:
        yield from screen.wrapped(note)
    yield ""
    copies = max(1, results.copies)
    strangers = "not measured"
    if results.strangers:
        strangers = f"{results.accused} of {results.strangers} alerted; the loudest at {results.loudest:.3f}"
    yield from screen.facts(
        {
            "works": f"{results.works} of {results.works_of_catalogue} edited",
            "copies": f"{results.copies}: found {results.found / copies:.3f}, alerted {results.alerted / copies:.3f}",
            "strangers": strangers,
            "mixed up": f"{counted(results.mistaken, 'alert')} would name another of your works",
        },
        indent=0,
    )
    if results.advice_on_strangers:
        yield ""
        yield from screen.wrapped(results.advice_on_strangers)
    for one in comparisons:
        yield from _titled(one.title, _comparison(one, screen))
    yield from _titled(
        "Edits that are found or alerted least (found: first, above every stranger)", _edits(results, screen)
    )
    yield from _titled("What a threshold costs", _thresholds(results, screen))
    yield from _titled("Weak works", _weak(results, screen))
    yield from _titled("Works that resemble one another", _pairs(results, screen))
    yield from _titled("Strangers that resemble your works", _loud(results, screen))
    if results.left_out:
        reasons = [f"{counted(count, 'picture')}: {reason}" for reason, count in results.left_out.items()]
        yield from _titled("Not asked", [line for one in reasons for line in screen.wrapped(one, indent=2)])
    yield ""
    yield from screen.wrapped(f"With pictures: {page}", cut=Cut.NEVER)


def _titled(title: str, lines: Iterable[str]) -> Iterable[str]:
    shown = list(lines)
    if shown:
        yield ""
        yield click.style(title, bold=True)
        yield from shown


def _comparison(one: Comparison, screen: Screen) -> Iterable[str]:
    columns = [Column(""), *(Column(name, is_number=True) for name in (one.now_name, one.other_name, "change"))]
    rows = [Row((line.what, *line_words(line))) for line in one.lines]
    return screen.table(columns, rows, always_named=True)


def _edits(results: "Results", screen: Screen) -> Iterable[str]:
    """Yield the edits that leave something to wish for, and how many do not."""
    poor = [one for one in results.edits if one.found_share < _WELL_FOUND or one.alerted_share < _WELL_ALERTED]
    columns = [Column("edit"), Column("family"), Column("found", is_number=True), Column("alerted", is_number=True),
               Column("review", is_number=True), Column("asked", is_number=True)]  # fmt: skip
    yield from screen.table(columns, [Row(_edit_cells(one)) for one in poor], always_named=True)
    rest = len(results.edits) - len(poor)
    if rest:
        better = f"{counted(rest, 'edit')}: at least {_WELL_FOUND} found and {_WELL_ALERTED} alerted"
        yield from screen.wrapped(f"and {better}" if poor else better)


def _edit_cells(one: "EditResult") -> tuple[str, ...]:
    reviewed = one.reviewed / one.asked
    return (
        edit_words(one.edit),
        one.family,
        f"{one.found_share:.2f}",
        f"{one.alerted_share:.2f}",
        f"{reviewed:.2f}",
        f"{one.asked}",
    )


def _thresholds(results: "Results", screen: Screen) -> Iterable[str]:
    columns = [Column("alert from", is_number=True), Column("copies missed", is_number=True),
               Column("strangers accused", is_number=True), Column("another work named", is_number=True)]  # fmt: skip
    rows = [
        Row((f"{cost.threshold:g}", f"{cost.missed} ({cost.missed / max(1, results.copies):.1%})",
             f"{cost.false_alarms}" if results.strangers else "-", f"{cost.mistaken}"))
        for cost in results.thresholds
        if cost.threshold in _THRESHOLDS
    ]  # fmt: skip
    return screen.table(columns, rows, always_named=True)


def _weak(results: "Results", screen: Screen) -> Iterable[str]:
    words = []
    for work in results.weak:
        reasons = "; ".join(work.reasons) or "no reason that can be named"
        words.append(f"{work.asset.title}: found {work.found}, alerted {work.alerted} of {work.asked}; {reasons}")
    return _first(words, screen)


def _pairs(results: "Results", screen: Screen) -> Iterable[str]:
    words = []
    for pair in results.pairs:
        how = edit_words(pair.question.edit)
        words.append(
            f"{pair.shown.title} ({how}) resembles {pair.taken_for.title}: {pair.probability:.3f}, {pair.action}"
        )
    return _first(words, screen)


def _loud(results: "Results", screen: Screen) -> Iterable[str]:
    words = []
    for one in results.loud:
        how, name = edit_words(one.question.edit), Path(one.question.path).name
        words.append(f"{name} ({how}) resembles {one.asset.title}: {one.probability:.3f}, {one.action}")
    return _first(words, screen)


def _first(words: Sequence[str], screen: Screen) -> Iterable[str]:
    """Yield the first of several sentences, and how many more there are."""
    for sentence in words[:_SHOWN]:
        yield from screen.wrapped(sentence, indent=2)
    if len(words) > _SHOWN:
        yield f"  and {len(words) - _SHOWN} more"
