"""Protects files for `guardian asset add` and `guardian asset sync`, and tells of each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from guardian.cli.context import Session, opened_store
from guardian.cli.progress import progress_bar, say, say_if_kernels_are_compiled
from guardian.cli.screen import Cut, Screen
from guardian.cli.showing import json_line
from guardian.views.assets import weakness_words
from guardian.views.memory import earlier_lines
from guardian.views.plain_text import printable

if TYPE_CHECKING:
    from guardian.catalog.details import ChangedDetail
    from guardian.catalog.results import Added
    from guardian.catalog.wanted import Wanted
    from guardian.store import Store

WEAK, RESTORED, CUT_OFF, UNREADABLE = "weak", "restored", "cut off", "could not be read"

_INDENT = " " * 13


async def add_files(
    session: Session, wanted: "Sequence[Wanted]", counts: Counter[str], *, as_lines: bool = False, again: bool = False
) -> None:
    """Protect files, print a line for each as it is done, and add the results to `counts` by word."""
    from guardian.app import make_catalog, make_workers
    from guardian.catalog.results import added_json, moves_licences
    from guardian.housekeeping import label_new

    say_if_kernels_are_compiled()
    screen = Screen.of_output()
    moved: list[str] = []
    with opened_store(session) as store, progress_bar() as progress:
        workers = make_workers(session.config)
        step = progress.add_task("protecting", total=len(wanted))
        catalog = make_catalog(session.config, store, workers)
        async with aclosing(catalog.add(wanted, lambda: progress.advance(step), again=again)) as added:
            async for result in added:
                counts[result.outcome.value] += 1
                counts.update(_also(result))
                if result.asset is not None and moves_licences(result):
                    moved.append(result.asset.id)
                for line in [json_line(added_json(result))] if as_lines else fitted(_lines(result), screen):
                    say(progress, line)

        await label_new(session.config, store, workers)
        await workers.aclose()
        judge_moved(session, store, moved, quietly=as_lines)


def judge_moved(session: Session, store: "Store", asset_ids: Sequence[str], *, quietly: bool = False) -> None:
    """Judge the recorded uses of assets again whose collection or work has changed: licences go by both.

    Says which cases are licensed now or no longer, unless `quietly`. Raises ConfigError when there are such uses and
    the rules cannot be read.
    """
    if not asset_ids:
        return
    from guardian.app import judging_of, utc_now
    from guardian.cases.rejudging import judge_uses_of
    from guardian.cli.licence_terms import echo_rejudged

    now = utc_now()
    rejudged = store.run(lambda tx: judge_uses_of(tx, asset_ids, lambda: judging_of(session.config), now))
    if not quietly:
        echo_rejudged(rejudged)


def in_words(counts: Counter[str]) -> str:
    """Return the last line of the answer: how many files there were of each kind."""
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def fitted(lines: Iterable[str], screen: Screen) -> Iterator[str]:
    """Yield lines that begin with a word and blanks of the indent's width, made to fit the screen."""
    width = len(_INDENT)
    for line in lines:
        # A path that is wider than the screen stays whole, so that it can be copied.
        yield from screen.wrapped(line[width:], width, first=line[:width], cut=Cut.NEVER)


def _also(result: "Added") -> list[str]:
    """Return what is counted of a file beside its outcome."""
    is_weak = result.asset is not None and not result.was_known and weakness_words(result.asset)
    return [WEAK] * bool(is_weak) + [RESTORED] * result.restored + [CUT_OFF] * result.is_cut_off


def _lines(result: "Added") -> list[str]:
    """Return what people read about one file, and about assets that are nearly the same."""
    from guardian.catalog.results import AddOutcome
    from guardian.catalog.wanted import as_text

    if result.problem is not None:
        return [printable(f"{'unprotected':<12} {result.path}: {result.problem.detail or result.problem.word}")]
    if result.asset is None:
        return []

    lines = [f"{result.outcome.value:<12} {printable(str(result.path))}"]
    if result.was_known and result.asset.path != as_text(result.path):
        lines[0] += printable(f"  (the same bytes as {result.asset.path})")
    if result.outcome is AddOutcome.REMOVED:
        return [*lines, f"{_INDENT}{result.asset.id} was taken out; --again protects it"]

    notes = []
    if result.is_cut_off:
        notes.append("warning: the file is cut off; what is there is protected")
    notes += [f"warning: {words}" for words in result.not_compared]
    if result.restored:
        notes.append("its original was lost or damaged, and is restored")
    if weak := weakness_words(result.asset):
        notes.append(f"weak: {weak}")
    if result.versions and not result.was_known:
        notes.append(f"a version of {result.versions[0].path} ({result.asset.work_id})")
    versions = {version.id for version in result.versions}
    notes += earlier_lines(result.earlier)
    notes += [f"nearly the same as {near.path} ({near.id})" for near in result.nearly if near.id not in versions]
    return [*lines, *change_lines(result.changes), *(_INDENT + printable(note) for note in notes)]


def change_lines(changes: "Sequence[ChangedDetail]") -> list[str]:
    """Return a line for each changed detail of an asset."""
    lines = []
    for change in changes:
        before, after = (f"“{text}”" if text else "none" for text in (change.before, change.after))
        lines.append(_INDENT + printable(f"{change.name.replace('_', ' ')}: {before} -> {after}"))
    return lines
