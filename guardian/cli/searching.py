"""`guardian search [PICTURE]`: shows what is like a picture, best first, and why."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.filters import asset_starting_with
from guardian.cli.options import option_group
from guardian.cli.progress import progress_bar, say_if_kernels_are_compiled
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import NOT_ALL_SEEN, json_line
from guardian.durable import write_whole
from guardian.errors import FetchFailed, FetchRefused, GuardianError, Unmatchable, UsageError
from guardian.views.counting import counted

if TYPE_CHECKING:
    from guardian.app import SearchServices
    from guardian.model import Asset, SeenAddress
    from guardian.search.asking import SearchSpec
    from guardian.search.request import Request, Result, SearchAnswer
    from guardian.store import Transaction

_PLACES_SHOWN = 3
_VALUES_SHOWN = 10

_FILTERS = "collection, tag, label, licence, host, since"


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What is searched for, as the command line has it."""

    picture: str | None
    where: str
    by: str
    text: str | None
    colours: tuple[str, ...]
    region: str | None
    like: tuple[str, ...]
    unlike: tuple[str, ...]
    filters: tuple[str, ...]
    top: int


@dataclass(frozen=True, slots=True)
class ResultOptions:
    """How results are shown."""

    facets: bool
    as_lines: bool
    page: Path | None


search_options = option_group(
    SearchOptions,
    "asked",
    click.argument("picture", metavar="[PICTURE]", required=False),
    click.option(
        "--in", "where", type=click.Choice(["assets", "seen", "all"]), default="all", show_default=True,
        help="Where to look: what you own, what scans have met, or both.",
    ),
    click.option(
        "--by", type=click.Choice(["auto", "copy", "look", "colour", "shape", "texture", "words"]), default="auto",
        show_default=True, help="What counts as alike.",
    ),
    click.option("--text", metavar="WORDS", help='Words in titles, tags, captions or around; "a phrase" in quotes.'),
    click.option(
        "--colour", "colours", metavar="COLOUR[:N%]", multiple=True, help="'#c03', navy or navy:40%; repeatable."
    ),
    click.option("--region", metavar="X,Y,W,H", help="Search with this part of the picture, in its pixels."),
    click.option("--like", "like", metavar="ID", multiple=True, help="An example, asset or seen picture; repeatable."),
    click.option("--unlike", "unlike", metavar="ID", multiple=True, help="An example of what is not; repeatable."),
    click.option("--filter", "filters", metavar="NAME=VALUE", multiple=True, help=f"Only with {_FILTERS}."),
    click.option("--top", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many results."),
)  # fmt: skip
"""Adds the options of SearchOptions to a command."""

result_options = option_group(
    ResultOptions,
    "shown",
    click.option("--facets", is_flag=True, help="Also count labels, collections, tags, hosts and colours of results."),
    click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each result."),
    click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path), help="Write a page with pictures."),
)
"""Adds the options of ResultOptions to a command."""


@click.command("find")
@search_options
@result_options
@pass_session
def find(session: Session, asked: SearchOptions, shown: ResultOptions) -> None:
    """Search; this word may be left out.

    PICTURE is a file, the address of a picture, or the id of an asset. It may be left out with --text, --colour or
    --like. Nothing is recorded and nobody is told.

    The exit code is 0 when everything was searched, whatever was found, and 3 when something could not be: the
    picture could not be read, or a part of the index is missing.
    """
    # A search by words alone runs none, and would say so each time.
    if asked.picture is not None or asked.text is None:
        say_if_kernels_are_compiled()
    asyncio.run(search(session, lambda opened: _request(opened, asked, shown), shown, named=asked.picture or "search"))


async def search(
    session: Session, make: "Callable[[SearchServices], Awaitable[Request]]", shown: ResultOptions, *, named: str
) -> None:
    """Answer the request that `make` makes, and show the answer; ends the process.

    `named` begins the line that says why the picture could not be read.
    """
    from guardian.app import opened_search

    async with opened_search(session.config, only_asking=True) as opened:
        try:
            request = await make(opened)
            await _write_waiting(opened)
            lacking = await _complete(opened)
            answer = await opened.search.answer(request)
        except (FetchFailed, FetchRefused, Unmatchable) as error:
            click.echo(f"guardian: {named}: {error}", err=True)
            raise SystemExit(NOT_ALL_SEEN) from error

        await _show(opened, answer, as_lines=shown.as_lines)
        if shown.facets:
            _show_facets(answer, as_lines=shown.as_lines)
        if shown.page is not None:
            await _write_page(opened, shown.page, request, answer)
            if not shown.as_lines:
                echo(Screen.of_output().wrapped(f"With pictures: {shown.page}"))
    raise SystemExit(NOT_ALL_SEEN if answer.not_searched or lacking else 0)


async def _write_waiting(opened: "SearchServices") -> None:
    """Have the memory write what scans have just met to where the search looks."""
    if opened.memory is None:
        return
    try:
        await asyncio.to_thread(opened.memory.write_waiting)
    except (GuardianError, OSError) as error:
        click.echo(f"guardian: what was seen last is not searched: {error}", err=True)


async def _complete(opened: "SearchServices") -> int:
    """Make the appearances that assets of earlier versions lack; return how many still have none."""
    with progress_bar() as progress:
        step = progress.add_task("looking at assets for the first time", total=None, visible=False)
        return await opened.catalog.complete_appearances(
            lambda done, total: progress.update(step, completed=done, total=total, visible=total > 0)
        )


def asked_by(opened: "SearchServices", options: SearchOptions, *, facets: bool) -> "SearchSpec":
    """Return what the options ask for; an asset that is asked with is found by its id or how that begins.

    Raises UsageError for options that name nothing to search with.
    """
    from guardian.search.asking import SearchSpec

    if options.picture is None and options.text is None and not options.colours and not options.like:
        raise UsageError("nothing to search with: name a picture, an address, an asset, --text, --colour or --like")
    with opened.store.read() as tx:
        own = _asset_of(tx, options.picture)
    return SearchSpec(
        where=options.where,
        by=options.by,
        text=options.text,
        region=options.region,
        colours=options.colours,
        like=options.like,
        unlike=options.unlike,
        filters=options.filters,
        top=options.top,
        facets=facets,
        own=own.id if own is not None else None,
    )


async def _request(opened: "SearchServices", options: SearchOptions, shown: ResultOptions) -> "Request":
    from guardian.search.asking import request_of

    asked = asked_by(opened, options, facets=shown.facets)
    with opened.store.read() as tx:
        request = request_of(tx, asked, None)
    return replace(request, picture=await content_of(opened, options.picture, request.own))


def _asset_of(tx: "Transaction", picture: str | None) -> "Asset | None":
    """Return the asset whose id this is, or how it begins; None for a file or an address."""
    from guardian.urls.addresses import is_web_address

    if not picture or is_web_address(picture) or os.path.lexists(picture) or not _may_be_id(picture):
        return None
    return asset_starting_with(tx, picture)


def _may_be_id(text: str) -> bool:
    digits = text.removeprefix("asset_")
    return (
        len(digits) >= 4 and digits.isalnum() and (digits != text or all(one in "0123456789abcdef" for one in digits))
    )


async def content_of(opened: "SearchServices", picture: str | None, own: "Asset | None") -> bytes | None:
    """Return the bytes of the picture asked with. Raises FetchFailed, FetchRefused, UsageError."""
    from guardian.fetch import local
    from guardian.fetch.fetcher import Fetcher
    from guardian.media.sniff import is_page
    from guardian.sources.files import absolute_path
    from guardian.urls.addresses import is_web_address

    if picture is None:
        return None
    if own is not None:
        return await asyncio.to_thread(opened.search.original, own)
    if not picture:
        raise UsageError("PICTURE is empty: is there a variable without a value?")
    if not is_web_address(picture):
        if Path(picture).is_dir():
            raise UsageError(f"{picture} is a folder; name one picture, or use `guardian check` for all of a folder")
        url = absolute_path(Path(picture)).as_uri()
        return (await asyncio.to_thread(local.read, url, opened.config.matching.max_bytes)).content

    response = await Fetcher.for_person(opened.web).get(picture, kind="image")
    if is_page(response):
        raise UsageError(f"{picture} is a page; name one picture, or use `guardian check` for all of a page")
    return response.content


async def _show(opened: "SearchServices", answer: "SearchAnswer", *, as_lines: bool) -> None:
    from guardian.cli.thumbnails import Terminal

    if as_lines:
        from guardian.search.result_json import result_json

        echo(json_line(result_json(result)) for result in answer.results)
        if not any(answer.searched.values()) or answer.has_words is False:
            click.echo(f"guardian: {answer.in_words}", err=True)
        for words in answer.not_searched:
            click.echo(f"guardian: not searched: {words}", err=True)
        return

    screen = Screen.of_output()
    terminal = Terminal.of(os.environ, is_terminal=screen.columns is not None)
    for result in answer.results:
        thumbnail = await _thumbnail(opened, result) if terminal is not None else None
        if terminal is not None and thumbnail is not None:
            click.echo(terminal.shown(thumbnail))
        echo(_lines(result, screen))
    echo(screen.wrapped(answer.in_words + "".join(f"; not searched: {words}" for words in answer.not_searched)))


def _show_facets(answer: "SearchAnswer", *, as_lines: bool) -> None:
    from guardian.search.facets import facets_of

    found = facets_of(answer.results)
    if as_lines:
        echo([json_line({"facets": found})])
        return
    screen = Screen.of_output()
    for name, values in found.items():
        if values:
            counts = ", ".join(f"{value} {count}" for value, count in list(values.items())[:_VALUES_SHOWN])
            echo(screen.wrapped(counts, 12, first=f"{name:<12}"))


def _lines(result: "Result", screen: Screen) -> list[str]:
    """Return the lines of one result: what it is, why it stands there, and where it was seen."""
    lead = f"{result.rank:>3}  "
    if result.asset is not None:
        place = f"{result.asset.collection}/{screen.short_id(result.asset.id)}"
        return screen.wrapped(f"“{result.asset.title}”  {place}  {result.reason}", len(lead), first=lead)
    if result.seen is None:
        return []

    since, last = screen.moment(result.seen.first_seen_at), screen.moment(result.seen.last_seen_at)
    times = f"seen {since}" if since == last else f"seen since {since}, last {last}"
    first = f"{screen.short_id(result.seen.id)}  {times}  {result.reason}"
    below = [
        line
        for one in result.places[:_PLACES_SHOWN]
        for address in _addresses(one)
        for line in screen.pair(address, "", lead=" " * len(lead))
    ]
    if (more := len(result.places) - _PLACES_SHOWN) > 0:
        below.append(f"{' ' * len(lead)}and {counted(more, 'more place')}")
    return [*screen.wrapped(first, len(lead), first=lead), *below]


def _addresses(place: "SeenAddress") -> list[str]:
    """Return where a picture was seen: the page, and its own address, by which those of one page are told apart."""
    if place.page_url is None:
        return [place.image_url or "inside a page"]
    return [place.page_url, *([f"image {place.image_url}"] if place.image_url is not None else [])]


async def _thumbnail(opened: "SearchServices", result: "Result") -> bytes | None:
    """Return a small JPEG of a result; None when there is none."""
    return await opened.search.thumbnail(result.asset) if result.asset is not None else result.preview


async def _write_page(opened: "SearchServices", file: Path, request: "Request", answer: "SearchAnswer") -> None:
    from guardian.search.page import Shown, page_of

    shown = [Shown(one, await _thumbnail(opened, one)) for one in answer.results]
    asked = await opened.search.thumbnail_of(request.picture) if request.picture is not None else None
    await asyncio.to_thread(write_whole, file, page_of(request, asked, shown, answer).encode())
