"""Protects files for `guardian asset add` and `guardian asset sync`, and tells of each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from guardian.cli.context import Session, opened_store
from guardian.cli.progress import progress_bar, say
from guardian.cli.screen import Screen
from guardian.cli.showing import json_line
from guardian.views.assets import asset_json, weakness_words
from guardian.views.plain_text import printable

if TYPE_CHECKING:
    from guardian.catalog.adding import Added
    from guardian.catalog.details import Change
    from guardian.catalog.wanted import Wanted

WEAK, RESTORED, UNREADABLE = "weak", "restored", "could not be read"

_INDENT = " " * 13


async def add_files(
    session: Session, wanted: "Sequence[Wanted]", counts: Counter[str], *, as_lines: bool = False, again: bool = False
) -> None:
    """Protect files, print a line for each as it is done, and add the results to `counts` by word."""
    from guardian.app import make_catalog, make_workers

    screen = Screen.of_output()
    with opened_store(session) as store, progress_bar() as progress:
        workers = make_workers(session.config)
        step = progress.add_task("protecting", total=len(wanted))
        catalog = make_catalog(session.config, store, workers)
        async with aclosing(catalog.add(wanted, lambda: progress.advance(step), again=again)) as added:
            async for result in added:
                counts[result.outcome.value] += 1
                counts.update(_also(result))
                for line in [json_line(_facts(result))] if as_lines else fitted(_lines(result), screen):
                    say(progress, line)

        await workers.aclose()


def in_words(counts: Counter[str]) -> str:
    """Return the last line of the answer: how many files there were of each kind."""
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def fitted(lines: Iterable[str], screen: Screen) -> Iterator[str]:
    """Yield lines that begin with a word and blanks of the indent's width, made to fit the screen."""
    width = len(_INDENT)
    for line in lines:
        yield from screen.wrapped(line[width:], width, first=line[:width])


def _also(result: "Added") -> list[str]:
    """Return what is counted of a file beside its outcome."""
    is_weak = result.asset is not None and not result.was_known and weakness_words(result.asset)
    return [WEAK] * bool(is_weak) + [RESTORED] * result.restored


def _lines(result: "Added") -> list[str]:
    """Return what people read about one file, and about assets that are nearly the same."""
    from guardian.catalog.adding import AddOutcome
    from guardian.catalog.wanted import as_text

    if result.problem is not None:
        return [printable(f"{'unprotected':<12} {result.path}: {result.problem.detail or result.problem.word}")]
    if result.asset is None:
        return []

    lines = [f"{result.outcome.value:<12} {printable(str(result.path))}"]
    if result.was_known and result.asset.path != as_text(result.path):
        lines[0] += printable(f"  (the same bytes as {result.asset.path})")
    if result.outcome is AddOutcome.REMOVED:
        lines[0] += f"  ({result.asset.id} was taken out; --again protects it)"
        return lines

    notes = []
    if result.restored:
        notes.append("its original was lost or damaged, and is restored")
    if weak := weakness_words(result.asset):
        notes.append(f"weak: {weak}")
    notes += [f"nearly the same as {near.path} ({near.id})" for near in result.nearly]
    return [*lines, *change_lines(result.changes), *(_INDENT + printable(note) for note in notes)]


def change_lines(changes: "Sequence[Change]") -> list[str]:
    """Return a line for each changed detail of an asset."""
    lines = []
    for change in changes:
        before, after = (f"“{text}”" if text else "none" for text in (change.before, change.after))
        lines.append(_INDENT + printable(f"{change.name.replace('_', ' ')}: {before} -> {after}"))
    return lines


def _facts(result: "Added") -> dict[str, Any]:
    return {
        "path": str(result.path),
        "outcome": result.outcome.value.replace(" ", "_"),
        "asset": asset_json(result.asset) if result.asset else None,
        "nearly_the_same_as": [near.id for near in result.nearly],
        "changes": [{"name": change.name, "before": change.before, "after": change.after} for change in result.changes],
        "restored": result.restored,
        "error": f"{result.problem.word}: {result.problem.detail}" if result.problem else None,
    }
