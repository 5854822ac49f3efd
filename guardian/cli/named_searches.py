"""`guardian search save | run | list | remove | watch | unwatch`: searches under a name, and those that watch."""

import asyncio
import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.acting import this_user
from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.progress import say_if_kernels_are_compiled
from guardian.cli.screen import Screen, echo
from guardian.cli.searching import (
    ResultOptions,
    SearchOptions,
    asked_by,
    content_of,
    result_options,
    search,
    search_options,
)
from guardian.cli.showing import json_line
from guardian.model import NamedSearch, Severity
from guardian.views.timestamps import json_timestamp

if TYPE_CHECKING:
    from guardian.app import SearchServices
    from guardian.evidence import Vault
    from guardian.search.request import Request


@click.command("save")
@click.argument("name")
@search_options
@pass_session
def save(session: Session, name: str, asked: SearchOptions) -> None:
    """Save a search under NAME, with its picture, in place of one before. Otherwise as `guardian search`."""
    from guardian.search.named import check_name

    check_name(name)
    asyncio.run(_save(session, name, asked))
    typed = shlex.quote(name)
    again, watching = f"`guardian search run {typed}` asks it again", f"`guardian search watch {typed}` has it watch"
    echo(Screen.of_output().wrapped(f"saved as {name}: {again}, {watching}"))


@click.command("run")
@click.argument("name")
@click.option("--top", type=click.IntRange(1, 1000), help="How many results, instead of as many as were saved.")
@result_options
@pass_session
def run(session: Session, name: str, top: int | None, shown: ResultOptions) -> None:
    """Run the search that was saved under NAME. Exit codes as of `guardian search`."""
    say_if_kernels_are_compiled()
    asyncio.run(search(session, lambda opened: _named_request(opened, name, top, shown), shown, named="search"))


@click.command("list")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@pass_session
def list_(session: Session, as_lines: bool) -> None:
    """List the searches that were saved, and what each watches for."""
    from guardian.search.asking import SearchSpec
    from guardian.search.named import why_not_asked

    pictures = _pictures(session)
    with opened_store(session) as store, store.read() as tx:
        asked = [(named, SearchSpec.from_json(named.asked)) for named in tx.named_searches.list()]
        found = [(named, its, why_not_asked(tx, pictures, its)) for named, its in asked]
    screen = Screen.of_output()
    if not found and not as_lines:
        echo(screen.wrapped("no search is saved; `guardian search save NAME` with what you search for saves one"))
    for named, its, why_not in found:
        if as_lines:
            echo([json_line(_json(named) | {"cannot_be_asked": why_not})])
            continue
        watch = named.watch
        watching = f"; watches above {watch.above:g}, {watch.severity.value}" if watch else ""
        no_more = f"; cannot be asked: {why_not}" if why_not else ""
        echo(screen.wrapped(f"{named.name}: {its.as_options()}{watching}{no_more}", 2, first=""))


@click.command("remove")
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Remove the search that was saved under NAME; its watch ends."""
    from guardian.search.named import remove_search

    with opened_store(session) as store:
        gone = remove_search(store, _pictures(session), name, this_user(), datetime.now(UTC))
    echo([f"removed {name}; it watches no more" if gone.watch else f"removed {name}"])


@click.command("watch")
@click.argument("name")
@click.option(
    "--above", type=click.FloatRange(0, 1), required=True,
    help="The least score that is told: of --by look the cosine, as `guardian search run` shows it.",
)  # fmt: skip
@click.option(
    "--severity", type=click.Choice([one.value for one in Severity]), default=Severity.LOW.value, show_default=True,
    help="What the message says of its urgency.",
)  # fmt: skip
@pass_session
def watch(session: Session, name: str, above: float, severity: str) -> None:
    """Have the search NAME watch what scans meet from now on.

    Destinations that want `watch.found` are told of pictures that look like it, each once; nobody is accused. `guardian
    run` looks every few minutes. By `auto` a watch compares looks: fused ranks say nothing of a picture by itself.
    """
    from guardian.search.named import begin_watch
    from guardian.search.watching import EVENT

    with opened_store(session) as store, store.begin() as tx:
        begin_watch(tx, name, above, Severity(severity), this_user(), datetime.now(UTC))
    told = [one.name for one in session.config.destinations if one.subscription.wants(EVENT)]
    whom = f"; {', '.join(told)} will be told" if told else f", but nobody is told: no destination wants {EVENT}"
    echo(Screen.of_output().wrapped(f"{name} watches what is met from now on{whom}"))


@click.command("unwatch")
@click.argument("name")
@pass_session
def unwatch(session: Session, name: str) -> None:
    """End the watch of the search NAME. The search stays, and `watch` has it watch again from then on."""
    from guardian.search.named import end_watch

    with opened_store(session) as store, store.begin() as tx:
        has_watched = end_watch(tx, name, this_user(), datetime.now(UTC))
    echo([f"{name} watches no more; the search stays" if has_watched else f"{name} did not watch"])


async def _save(session: Session, name: str, options: SearchOptions) -> None:
    from guardian.app import opened_search
    from guardian.search.asking import request_of
    from guardian.search.named import NamedSearches

    async with opened_search(session.config) as opened:
        asked = asked_by(opened, options, facets=False)
        with opened.store.read() as tx:
            request = request_of(tx, asked, None)
        content = await content_of(opened, options.picture, request.own) if request.own is None else None
        searches = NamedSearches(opened.store, opened.search, _pictures(session))
        searches.save(name, asked, content, this_user(), datetime.now(UTC), replaces=True)


async def _named_request(opened: "SearchServices", name: str, top: int | None, shown: ResultOptions) -> "Request":
    from guardian.evidence.vaults import search_pictures_in
    from guardian.search.asking import SearchSpec
    from guardian.search.named import NamedSearches, named_search

    with opened.store.read() as tx:
        asked = SearchSpec.from_json(named_search(tx, name).asked)
    wanted = replace(asked, top=top or asked.top, facets=shown.facets)
    return NamedSearches(opened.store, opened.search, search_pictures_in(opened.config.data_dir)).request(wanted)


def _pictures(session: Session) -> "Vault":
    from guardian.evidence.vaults import search_pictures_in

    return search_pictures_in(session.config.data_dir)


def _json(named: NamedSearch) -> dict[str, Any]:
    watch = named.watch
    return {
        "name": named.name,
        "asked": json.loads(named.asked),
        "saved_at": json_timestamp(named.saved_at),
        "watch": {"above": watch.above, "severity": watch.severity.value} if watch else None,
    }
