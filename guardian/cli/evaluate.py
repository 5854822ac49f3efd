"""`guardian evaluate`: edits your own works in all ways, and says which copies would be found, and at what cost."""

import asyncio
import importlib.util
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.progress import progress_bar
from guardian.cli.screen import Column, Cut, Row, Screen
from guardian.errors import UsageError
from guardian.model import Asset, AssetState
from guardian.views.counting import counted

if TYPE_CHECKING:
    from guardian.config import Config
    from guardian.evaluation.answering import Answer
    from guardian.evaluation.asking import Plan
    from guardian.evaluation.results import EditResult, Judge, Results
    from guardian.matching.workers import Workers

_SHOWN = 5
_THRESHOLDS = (0.6, 0.8, 0.9, 0.97, 0.99, 0.999)
_WELL_FOUND, _WELL_ALERTED = 0.95, 0.85
FAMILIES = ("standard", "hard", "wild")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for on the command line."""

    collection: str | None
    sample: int
    strangers: str | None
    families: tuple[str, ...]
    seed: int
    fit: bool


@click.command
@click.option("--collection", metavar="NAME", help="Edit works of this collection only; all are searched.")
@click.option("--sample", default=40, show_default=True, type=click.IntRange(1), help="How many works to edit.")
@click.option(
    "--strangers",
    metavar="FOLDER|SOURCE",
    help="Pictures that copy nothing of yours: a folder, or a source of kind folder. Without them false alarms are not "
    "measured.",
)
@click.option("--rules", "rules_path", type=click.Path(path_type=Path), help="Other rules: a file or a folder.")
@click.option("--edits", "families", multiple=True, type=click.Choice(FAMILIES), help="Only edits of this family.")
@click.option("--seed", default=1, show_default=True, help="Another seed draws other works, edits and strengths.")
@click.option("--fit", is_flag=True, help="Refit the confidence on this, and use it from now on if it measures better.")
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Where to write the page with pictures.")
@click.option("--json", "as_json", is_flag=True, help="All numbers as one JSON object.")
@pass_session
def command(
    session: Session, /, rules_path: Path | None, html_path: Path | None, as_json: bool, **wish: object
) -> None:
    """Edit your own works as people do, and see which copies would be found.

    A sample of your works goes through more than fifty edits, from crops and memes to mugs and negatives. Each edited
    picture is compared with the whole catalogue and judged by your rules, as if it were met on a host without a
    licence. Nothing is recorded and nobody is told. A run that was broken off goes on where it was.

    The exit code is 0 whatever the result.
    """
    asked = _Wish(**wish)  # type: ignore[arg-type]
    results, notes, page = asyncio.run(_evaluate(session, asked, rules_path, html_path))

    if as_json:
        from guardian.evaluation.report_json import results_json

        click.echo(json.dumps({**results_json(results), "notes": list(notes), "page": str(page)}, ensure_ascii=False))
        return
    screen = Screen.of_output()
    for line in _page(results, notes, page, screen):
        click.echo(line)


async def _evaluate(
    session: Session, wish: _Wish, rules_path: Path | None, html_path: Path | None
) -> "tuple[Results, tuple[str, ...], Path]":
    from guardian import rules
    from guardian.app import make_workers, opened_store
    from guardian.evaluation.asking import asked
    from guardian.evaluation.results import Judge, results

    config = session.config
    if wish.fit:
        _refuse_fit(wish)
    names = [destination.name for destination in config.destinations]
    judged_by = rules.load(rules_path or config.rules_dir, names)
    workers = make_workers(config)
    with opened_store(config) as store, store.read() as tx:
        protected = tx.assets.list(state=AssetState.PROTECTED)

    plan = _plan(config, wish, protected)
    folder = config.data_dir / "evaluation"
    with progress_bar() as progress:
        step = progress.add_task("asking", total=len(plan.questions))
        answers = await asked(workers, plan, folder, lambda done: progress.update(step, completed=done))
        found = results(plan.questions, answers, Judge(judged_by, protected), len({one.work_id for one in protected}))

        notes = _notes(wish, len(protected), rules_path or config.rules_dir)
        if wish.fit:
            notes += await asyncio.to_thread(
                _fit, config, workers, plan, answers, Judge(judged_by, protected), wish.seed
            )
        page = html_path or folder / "report.html"
        step = progress.add_task("drawing the page", total=None)
        await _write_page(workers, plan, found, notes, page)
    await workers.aclose()
    return found, notes, page


def _refuse_fit(wish: _Wish) -> None:
    """Raise UsageError when the confidence cannot be refitted, before anything is asked for minutes."""
    if importlib.util.find_spec("sklearn") is None:
        raise UsageError("--fit needs scikit-learn, which is not installed: pip install 'guardian[fit]'")
    if wish.strangers is None:
        raise UsageError("--fit needs pictures that copy nothing of yours: --strangers FOLDER")


def _fit(
    config: "Config", workers: "Workers", plan: "Plan", answers: "Mapping[str, Answer]", judge: "Judge", seed: int
) -> tuple[str, ...]:
    """Refit the confidence, keep it if it measures better, and return what is to be said of it. Raises UsageError."""
    from guardian.evaluation.refit import keep, refit
    from guardian.matching.recipe import own_confidences

    refitted = refit(plan.questions, answers, judge, seed)
    made, shipped = refitted.held_out, refitted.shipped
    measured = (
        f"Refitted on {refitted.content['provenance']['pairs']} pairs. On works that it had not seen: log loss "
        f"{refitted.loss:.4f} (shipped {refitted.shipped_loss:.4f}, standard error of the difference "
        f"{refitted.error:.4f}); copies alerted {made.alerted} ({shipped.alerted}) of {made.copies}; strangers alerted "
        f"{made.accused} ({shipped.accused}); another work named {made.mistaken} ({shipped.mistaken})."
    )
    if not refitted.is_better:
        return (measured, "That is not surely better, so nothing was kept.")
    path = keep(refitted, own_confidences(config.data_dir / "index", workers.index_recipe))
    return (
        measured,
        f"It is better, and is kept in {path}: commands use it from now on, a running daemon when it starts anew. "
        "The numbers here are those of before. Delete the file to go back.",
    )


def _plan(config: "Config", wish: _Wish, protected: list[Asset]) -> "Plan":
    """Return what is asked. Raises UsageError when there is nothing to ask."""
    from guardian.evaluation.asking import Plan, hosts_among
    from guardian.evaluation.attacks import HARD, STANDARD, WILD
    from guardian.evaluation.questions import plan, sampled
    from guardian.evidence import Vault

    originals = Vault(config.data_dir / "originals", 0)
    mine = [asset for asset in protected if wish.collection in (None, asset.collection)]
    here = [asset for asset in mine if originals.holds(asset.sha256)]
    if not mine:
        known = ", ".join(sorted({asset.collection for asset in protected}))
        what = f"collection {wish.collection}" if wish.collection else "catalogue"
        raise UsageError(f"the {what} holds no protected image; there are: {known or 'none'}")
    if not here:
        raise UsageError(f"none of the {counted(len(mine), 'original')} lies in {originals.folder}")

    by_name = {"standard": STANDARD, "hard": HARD, "wild": WILD}
    edits = [edit for family in wish.families or FAMILIES for edit in by_name[family]]
    strangers = _strangers(config, wish.strangers)
    chosen = sampled(here, wish.sample, wish.seed)
    paths = {asset.id: originals.path_of(asset.sha256) for asset in chosen}
    questions = plan(chosen, paths, strangers, edits, wish.seed)
    catalogue = f"{max(asset.number for asset in protected)}/{len(protected)}"
    return Plan(tuple(questions), hosts_among(strangers), catalogue)


def _strangers(config: "Config", named: str | None) -> list[Path]:
    """Return the files of a folder, or of the folder that a source watches. Raises UsageError."""
    from guardian.sources.files import files_in
    from guardian.sources.settings import FolderSettings

    if named is None:
        return []
    source = next((source for source in config.sources if source.name == named), None)
    if source is not None and not isinstance(source, FolderSettings):
        raise UsageError(
            f"the source {named} is of kind {source.kind}, and pictures that scans see are not kept: "
            "save some of them to a folder, and name that"
        )
    folder = source.path if source is not None else Path(named)
    if not folder.is_dir():
        raise UsageError(f"{named} is neither a folder nor a source of config.yaml")
    found = [path for path in files_in(folder) if path.is_file()]
    if not found:
        raise UsageError(f"the folder {folder} holds no file")
    return found


async def _write_page(workers: "Workers", plan: "Plan", found: "Results", notes: tuple[str, ...], path: Path) -> None:
    """Make the pictures of the page in the workers, and write it."""
    from guardian.evaluation.answering import thumbnail
    from guardian.evaluation.questions import Kind, Question
    from guardian.evaluation.report_html import MOST_SHOWN, page, pictured

    pictures: dict[str, bytes] = {}
    for question in pictured(found):
        if question.id not in pictures:
            pictures[question.id] = await workers.run_with_matcher(thumbnail, question, plan.hosts)
    matched = [*(pair.taken_for for pair in found.pairs[:MOST_SHOWN]), *(one.asset for one in found.loud[:MOST_SHOWN])]
    originals = {question.asset: question.path for question in plan.questions}
    for asset in matched:
        if asset.id not in pictures:
            shown = Question(Kind.ORIGINAL, originals.get(asset.id, asset.path), None, asset.id, 0)
            pictures[asset.id] = await workers.run_with_matcher(thumbnail, shown, plan.hosts)

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(found, "Your works, edited", notes, pictures), encoding="utf-8")


def _notes(wish: _Wish, assets: int, rules: Path) -> tuple[str, ...]:
    """Return what the numbers rest on."""
    of = f" of the collection {wish.collection}" if wish.collection else ""
    notes = [f"A sample of the works{of} (seed {wish.seed}), edited and compared with {counted(assets, 'asset')}."]
    notes.append(f"Alerts by the rules of {rules}, for hosts without a licence.")
    if wish.strangers is None:
        notes.append("No strangers were given (--strangers FOLDER), so false alarms were not measured.")
    return tuple(notes)


def _page(results: "Results", notes: tuple[str, ...], page: Path, screen: Screen) -> Iterable[str]:
    """Yield the lines of the page for a terminal."""
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
    yield from _titled(
        "Edits that are found or alerted least (found: first, above every stranger)", _edits(results, screen)
    )
    yield from _titled("What a threshold costs", _thresholds(results, screen))
    yield from _titled("Weak works", _weak(results, screen))
    yield from _titled("Works that are taken for one another", _pairs(results, screen))
    yield from _titled("Strangers that resemble your works", _loud(results, screen))
    if results.left_out:
        yield from _titled("Not asked", [line for reason, count in results.left_out.items()
                                         for line in screen.wrapped(f"{count}: {reason}", indent=2)])  # fmt: skip
    yield ""
    yield from screen.wrapped(f"With pictures: {page}", cut=Cut.NEVER)


def _titled(title: str, lines: Iterable[str]) -> Iterable[str]:
    shown = list(lines)
    if shown:
        yield ""
        yield click.style(title, bold=True)
        yield from shown


def _edits(results: "Results", screen: Screen) -> Iterable[str]:
    """Yield the edits that leave something to wish for, and how many do not."""
    poor = [one for one in results.edits if one.found_share < _WELL_FOUND or one.alerted_share < _WELL_ALERTED]
    columns = [Column("edit"), Column("family"), Column("found", is_number=True), Column("alerted", is_number=True),
               Column("review", is_number=True), Column("asked", is_number=True)]  # fmt: skip
    yield from screen.table(columns, [Row(_edit_cells(one)) for one in poor])
    rest = len(results.edits) - len(poor)
    if rest:
        better = f"{counted(rest, 'edit')}: at least {_WELL_FOUND} found and {_WELL_ALERTED} alerted"
        yield from screen.wrapped(f"and {better}" if poor else better)


def _edit_cells(one: "EditResult") -> tuple[str, ...]:
    reviewed = one.reviewed / one.asked
    return (
        one.edit,
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
    return screen.table(columns, rows)


def _weak(results: "Results", screen: Screen) -> Iterable[str]:
    for work in results.weak[:_SHOWN]:
        reasons = "; ".join(work.reasons) or "no reason that can be named"
        words = f"{work.asset.title}: found {work.found}, alerted {work.alerted} of {work.asked}; {reasons}"
        yield from screen.wrapped(words, indent=2)
    yield from _more(len(results.weak))


def _pairs(results: "Results", screen: Screen) -> Iterable[str]:
    for pair in results.pairs[:_SHOWN]:
        how = pair.question.edit or "as it is"
        words = f"{pair.shown.title} ({how}) for {pair.taken_for.title}: {pair.probability:.3f}, {pair.action}"
        yield from screen.wrapped(words, indent=2)
    yield from _more(len(results.pairs))


def _loud(results: "Results", screen: Screen) -> Iterable[str]:
    for one in results.loud[:_SHOWN]:
        how = one.question.edit or "as it is"
        words = f"{Path(one.question.path).name} ({how}) for {one.asset.title}: {one.probability:.3f}, {one.action}"
        yield from screen.wrapped(words, indent=2)
    yield from _more(len(results.loud))


def _more(count: int) -> Iterable[str]:
    if count > _SHOWN:
        yield f"  and {count - _SHOWN} more"
