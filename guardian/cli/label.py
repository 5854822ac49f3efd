"""`guardian label list`, `check` and `apply`: the owner's own vocabulary, on assets and on what was seen."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import LabelSource
from guardian.views.counting import counted

if TYPE_CHECKING:
    from guardian.search.labelling import LabelCounts
    from guardian.search.vocabulary import Vocabulary


@click.group("label")
def command() -> None:
    """Label pictures by your own vocabulary: what words, meaning and neighbours say of them."""


@command.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@pass_session
def list_(session: Session, as_lines: bool) -> None:
    """List the terms, with how many assets and remembered pictures carry each."""
    from guardian.app import make_workers
    from guardian.search.labelling import Labelling

    vocabulary = _vocabulary(session)
    with opened_store(session) as store:
        with store.read() as tx:
            assets = Counter(label.term for labels in tx.asset_labels.all().values() for label in labels)
            seen = tx.labels.counts()
        left = Labelling(store, make_workers(session.config), session.config.data_dir, vocabulary).left()

    screen = Screen.of_output()
    for term in vocabulary.terms.values():
        counts: dict[str, Any] = {"assets": assets[term.name], "seen": seen.get(term.name, 0)}
        if as_lines:
            more = {"phrasings": list(term.phrasings), "above": list(term.above)}
            echo([json_line({"term": term.name, **more, **counts})])
            continue
        above = f", a kind of {term.above[0]}" if term.above else ""
        others = f" ({', '.join(term.phrasings[1:])})" if len(term.phrasings) > 1 else ""
        words = f"{term.name}{others}{above}: {counted(counts['assets'], 'asset')}, {counts['seen']} seen"
        echo(screen.wrapped(words, 2, first=""))
    if not as_lines and (left.assets or left.seen):
        words = f"still to be labelled: {counted(left.assets, 'asset')}, {counted(left.seen, 'remembered picture')}"
        echo(screen.wrapped(f"{words}; `guardian run` does so, or `guardian label apply`"))


@command.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@pass_session
def check(session: Session, file: Path | None) -> None:
    """Read the vocabulary and say what is wrong with it, with its line. FILE stands in place of the configured one."""
    vocabulary = _vocabulary(session, file)
    phrasings = sum(len(term.phrasings) for term in vocabulary.terms.values())
    echo([f"{counted(len(vocabulary.terms), 'term')} in {counted(phrasings, 'phrasing')}"])


@command.command("apply")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def apply(session: Session, as_json: bool) -> None:
    """Put the terms on all assets and remembered pictures, in place of the labels before.

    A phrasing among the words of a picture labels it; so does a descriptor that knows texts (CLIP), where one is
    configured; the others get what the pictures carry that look most like them, where these agree. None need fit.
    """
    vocabulary = _vocabulary(session)
    counts, lacking = asyncio.run(_apply(session, vocabulary))
    if as_json:
        terms = {
            term: {source.value: counts.by_term.get((term, source), 0) for source in LabelSource}
            for term in vocabulary.terms
        }
        whole = {"assets": counts.assets, "assets_without": counts.assets_without}
        seen = {"seen": counts.seen, "seen_without": counts.seen_without, "seen_lacking_parts": lacking}
        click.echo(json_line({"terms": terms, **whole, **seen}))
        return
    screen = Screen.of_output()
    for term in vocabulary.terms:
        parts = [
            f"{count} by {source.value}" for source in LabelSource if (count := counts.by_term.get((term, source), 0))
        ]
        echo(screen.wrapped(f"{term}: {', '.join(parts) or 'nothing'}", 2, first=""))
    echo(
        screen.wrapped(
            f"{counted(counts.assets, 'asset')}, {counts.assets_without} without a label; "
            f"{counted(counts.seen, 'remembered picture')}, {counts.seen_without} without"
        )
    )
    if lacking:
        words = f"{counted(lacking, 'remembered picture')} of an earlier version get fewer labels by their neighbours"
        echo(screen.wrapped(f"{words} until `guardian memory rebuild` completes them; then apply again"))


async def _apply(session: Session, vocabulary: "Vocabulary") -> tuple["LabelCounts", int]:
    """Label everything; return the counts, and how many remembered pictures lack parts of today's appearance."""
    from guardian.app import opened_search
    from guardian.memory.rebuilding import earlier_appearances
    from guardian.search.labelling import Labelling

    async with opened_search(session.config) as opened:
        memory, lacking = opened.memory, 0
        if memory is not None:
            await asyncio.to_thread(memory.write_waiting)
            lacking = await asyncio.to_thread(earlier_appearances, memory)
        await opened.catalog.complete_appearances(lambda done, total: None)
        return await Labelling(opened.store, opened.workers, opened.config.data_dir, vocabulary).label_all(), lacking


def _vocabulary(session: Session, file: Path | None = None) -> "Vocabulary":
    from guardian.search.vocabulary import read_vocabulary

    path = file or session.config.labels
    if not path.exists():
        raise UsageError(f"there is no vocabulary: {path} does not exist; docs/search.md shows how to write one")
    return read_vocabulary(path)
