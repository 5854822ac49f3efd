"""`guardian evaluate`: edits your own works in all ways, and says which copies would be found, and at what cost."""

import asyncio
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.evaluation_page import page_lines
from guardian.cli.options import option_group
from guardian.cli.progress import progress_bar
from guardian.cli.screen import Screen
from guardian.durable import write_whole
from guardian.errors import IndexNotReady, UsageError
from guardian.model import Asset, AssetState
from guardian.views.counting import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from guardian.config import Config
    from guardian.evaluation.answering import Answer
    from guardian.evaluation.asking import Plan
    from guardian.evaluation.comparison import Comparison
    from guardian.evaluation.refit import Refitted
    from guardian.evaluation.results import Judge, Results
    from guardian.matching.workers import Workers

FAMILIES = ("standard", "hard", "wild")

_NAMED = 5
"""So many strangers are named in one sentence."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for on the command line."""

    collection: str | None
    sample: int
    strangers: str | None
    families: tuple[str, ...]
    seed: int
    fit: bool
    strangers_checked: bool
    also: str | None


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """All that was asked of the catalogue, by whom it is judged, and what the answers say together."""

    plan: "Plan"
    protected: list[Asset]
    judge: "Judge"
    answers: "Mapping[str, Answer]"
    results: "Results"


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
@click.option(
    "--also",
    type=click.Choice(["full", "fast", "without-descriptor"]),
    help="Ask all of it once more with this profile, or without the descriptor, and say what that changes.",
)
@click.option("--fit", is_flag=True, help="Refit the confidence on this, and use it from now on if it measures better.")
@click.option(
    "--strangers-checked",
    is_flag=True,
    help="With --fit: you looked at the strangers that are alerted, and none shows a work of yours.",
)
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Where to write the page with pictures.")
@click.option("--json", "as_json", is_flag=True, help="All numbers as one JSON object.")
@option_group(_Wish, "wish")
@pass_session
def command(session: Session, wish: _Wish, rules_path: Path | None, html_path: Path | None, as_json: bool) -> None:
    """Edit your own works as people do, and see which copies would be found.

    A sample of your works goes through more than fifty edits, from crops and memes to mugs and negatives. Each edited
    picture is compared with the whole catalogue and judged by your rules, as if it were met on a host without a
    licence. Nothing is recorded and nobody is told. A run that was broken off goes on where it was.

    The exit code is 0 whatever the result.
    """
    results, notes, comparisons, page = asyncio.run(_evaluate(session, wish, rules_path, html_path))

    if as_json:
        from guardian.evaluation.report_json import results_json

        content = {**results_json(results, comparisons), "notes": list(notes), "page": str(page)}
        click.echo(json.dumps(content, ensure_ascii=False))
        return
    screen = Screen.of_output()
    for line in page_lines(results, notes, comparisons, page, screen):
        click.echo(line)


async def _evaluate(
    session: Session, wish: _Wish, rules_path: Path | None, html_path: Path | None
) -> "tuple[Results, tuple[str, ...], tuple[Comparison, ...], Path]":
    """Return the results, what they rest on, what else was measured beside them, and the file with pictures."""
    from guardian import rules
    from guardian.app import make_workers, opened_store
    from guardian.evaluation.asking import asked
    from guardian.evaluation.report_html import page as html_page
    from guardian.evaluation.results import Judge, results

    config = session.config
    if wish.fit:
        _refuse_fit(wish)
    elif wish.strangers_checked:
        raise UsageError("--strangers-checked belongs to --fit, which was not asked for")
    if wish.also is not None:
        _refuse_the_same(wish.also, config)
    names = [destination.name for destination in config.destinations]
    judged_by = rules.load(rules_path or config.rules_dir, names)
    workers = make_workers(config)
    with opened_store(config) as store, store.read() as tx:
        protected = tx.assets.list(state=AssetState.PROTECTED)

    plan = _plan(config, wish, protected)
    folder = config.data_dir / "evaluation"
    await _complete_index(config, workers, protected)
    with progress_bar() as progress:
        step = progress.add_task("asking", total=len(plan.questions))
        answers = await asked(workers, plan, folder, lambda done: progress.update(step, completed=done))
        judge = Judge(judged_by, protected)
        found = results(plan.questions, answers, judge, len({one.work_id for one in protected}))
        evaluated = _Evaluated(plan, protected, judge, answers, found)

        notes, comparisons = _notes(wish, len(protected), rules_path or config.rules_dir), list["Comparison"]()
        if wish.also is not None:
            comparison, said = await _also(config, wish.also, evaluated, progress)
            comparisons.append(comparison)
            notes += said
        if wish.fit:
            comparison, said = await asyncio.to_thread(_fit, config, workers, evaluated, wish)
            comparisons.append(comparison)
            notes += said
        page = html_path or folder / "report.html"
        progress.add_task("drawing the page", total=None)
        pictures = await _pictures(workers, evaluated)
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, html_page(found, "Your works, edited", notes, pictures, comparisons).encode())
    await workers.aclose()
    return found, notes, tuple(comparisons), page


async def _complete_index(config: "Config", workers: "Workers", protected: list[Asset]) -> None:
    """Bring the index up to date first: works that it lacks could not be found. Raises GuardianError when it cannot."""
    from guardian.app import make_catalog, opened_store
    from guardian.matching.index.writer import IndexWriter

    try:
        published = set(IndexWriter(workers.index_folder, workers.index_recipe).contents(every_byte=False).numbers)
    except IndexNotReady:
        published = set()
    missing = {asset.number for asset in protected if not asset.by_bytes_only} - published
    if missing:
        click.echo(f"guardian: the index lacks {counted(len(missing), 'asset')}; it is completed now", err=True)
        with opened_store(config) as store:
            await make_catalog(config, store, workers).repair()


async def _also(
    config: "Config", name: str, evaluated: _Evaluated, progress: "Progress"
) -> "tuple[Comparison, tuple[str, ...]]":
    """Ask everything of a variant and return what that changes, and what is to be said of it."""
    from guardian.evaluation.asking import asked
    from guardian.evaluation.comparison import compared_results
    from guardian.evaluation.results import results
    from guardian.evaluation.variants import Variant, indexed, variant_workers
    from guardian.evidence.vaults import originals_in

    folder = config.data_dir / "evaluation" / name
    workers = variant_workers(Variant(name), config.matching, config.embedding, folder)
    originals, plan, protected = originals_in(config.data_dir), evaluated.plan, evaluated.protected
    step = progress.add_task(f"{name}: indexing", total=len(protected))
    unread = await indexed(workers, protected, originals.path_of, lambda done: progress.update(step, completed=done))
    step = progress.add_task(f"{name}: asking", total=len(plan.questions))
    answers = await asked(workers, plan, folder, lambda done: progress.update(step, completed=done))
    await workers.aclose()

    found = evaluated.results
    other = results(plan.questions, answers, evaluated.judge, found.works_of_catalogue)
    is_profile = name != Variant.WITHOUT_DESCRIPTOR
    of = f"with {name}" if is_profile else "without descriptor"
    columns = ("as configured", name if is_profile else of)
    comparison = compared_results(f"The same pictures {of}", columns, found, other)
    if not unread:
        return comparison, ()
    return comparison, (f"{of.capitalize()} {counted(unread, 'asset')} could not be read and were not searched.",)


def _refuse_the_same(also: str, config: "Config") -> None:
    """Raise UsageError for a variant that asks as the configuration does, before anything is asked for minutes."""
    if also == config.matching.profile:
        raise UsageError(f"--also {also}: that is the profile that is configured (matching.profile)")
    if also == "without-descriptor" and config.embedding.weights is None:
        raise UsageError("--also without-descriptor: none is configured (embedding.weights), so nothing would differ")


def _refuse_fit(wish: _Wish) -> None:
    """Raise UsageError when the confidence cannot be refitted, before anything is asked for minutes."""
    if importlib.util.find_spec("sklearn") is None:
        raise UsageError("--fit needs scikit-learn, which is not installed: pip install 'guardian[fit]'")
    if wish.strangers is None:
        raise UsageError("--fit needs pictures that copy nothing of yours: --strangers FOLDER")


def _fit(
    config: "Config", workers: "Workers", evaluated: _Evaluated, wish: _Wish
) -> "tuple[Comparison, tuple[str, ...]]":
    """Refit the confidence, keep it if it measures better, and compare both. Raises UsageError."""
    from guardian.evaluation.comparison import Line, compared_results
    from guardian.evaluation.refit import keep, refit
    from guardian.matching.recipe import own_confidences

    refitted = refit(evaluated.plan.questions, evaluated.answers, evaluated.judge, wish.seed)
    rests_on = f"Refitted on {refitted.content['provenance']['pairs']} pairs, and measured on works it had not seen"
    losses = [
        Line("log loss", refitted.shipped_loss, refitted.loss, digits=4),
        Line("standard error of its change", None, refitted.error, digits=4),
    ]
    names = ("shipped", "refitted")
    comparison = compared_results(rests_on, names, refitted.shipped, refitted.held_out, losses)
    why_not = why_not_kept(refitted, strangers_checked=wish.strangers_checked)
    if why_not is not None:
        return comparison, (why_not,)
    path = keep(refitted, own_confidences(config.data_dir / "index", workers.index_recipe))
    return comparison, (
        f"The refitted confidence is better, and is kept in {path}: commands use it from now on, a running daemon when "
        "it starts anew. All numbers but those of the comparison are of before. Delete the file to go back.",
    )


def why_not_kept(refitted: "Refitted", *, strangers_checked: bool) -> str | None:
    """Return why a refitted confidence is not kept, and how to go on; None where it is."""
    doubtful = refitted.doubtful_strangers
    if doubtful and not strangers_checked:
        more = len(doubtful) - _NAMED
        names = ", ".join(Path(path).name for path in doubtful[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return (
            f"No refitted confidence was kept: {counted(len(doubtful), 'stranger is', 'strangers are')} alerted, and "
            f"what shows a work of yours would teach that its copies are none. Look at {names}; take out of the folder "
            "what shows one, and fit again. Where none does, add --strangers-checked: then these false alarms are "
            "learnt from."
        )
    return None if refitted.is_better else "The refitted confidence is not surely better, so nothing was kept."


def _plan(config: "Config", wish: _Wish, protected: list[Asset]) -> "Plan":
    """Return what is asked. Raises UsageError when there is nothing to ask."""
    from guardian.evaluation.asking import Plan, hosts_among
    from guardian.evaluation.attacks import HARD, STANDARD, WILD
    from guardian.evaluation.questions import plan, sampled
    from guardian.evidence.vaults import originals_in

    originals = originals_in(config.data_dir)
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
    from guardian.sources.requests import find_source
    from guardian.sources.settings import FolderSettings

    if named is None:
        return []
    source = find_source(config.sources, named)
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


async def _pictures(workers: "Workers", evaluated: _Evaluated) -> dict[str, bytes]:
    """Make the pictures of the page in the workers; return them by the ids of questions and of assets."""
    from guardian.evaluation.answering import thumbnail
    from guardian.evaluation.questions import Kind, Question
    from guardian.evaluation.report_html import MOST_SHOWN, pictured

    plan, found = evaluated.plan, evaluated.results
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
    return pictures


def _notes(wish: _Wish, assets: int, rules: Path) -> tuple[str, ...]:
    """Return what the numbers rest on."""
    of = f" of the collection {wish.collection}" if wish.collection else ""
    notes = [f"A sample of the works{of} (seed {wish.seed}), edited and compared with {counted(assets, 'asset')}."]
    notes.append(f"Alerts by the rules of {rules}, for hosts without a licence.")
    if wish.strangers is None:
        notes.append("No strangers were given (--strangers FOLDER), so false alarms were not measured.")
    return tuple(notes)
