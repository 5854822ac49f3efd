"""The places that are watched: what was seen of each and what not; scanned now, or tried."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.errors import UsageError
from guardian.model import BrowserSession, Permission, ScanRequest, Skipped, label_of
from guardian.sources.overview import listed_source
from guardian.sources.requests import ask_for_scan, source_named
from guardian.sources.trial import PAGES
from guardian.views.scans import outcome_text, result_text
from guardian.views.sources import ListedSource
from guardian.web.auth.requests import person_acting
from guardian.web.desk import desk_of
from guardian.web.pages.access import person_may
from guardian.web.rendering import page
from guardian.web.source_trial import try_source

router = APIRouter(prefix="/sources", include_in_schema=False)

READER = Depends(person_may(Permission.OPERATIONS_READ))
SCANNER = Depends(person_may(Permission.SOURCES_SCAN))


@dataclass(frozen=True, slots=True)
class _Row:
    """A source as the page shows it. `covered`: the object of /coverage; `request`: who has asked for a scan."""

    listed: ListedSource
    covered: dict[str, Any]
    request: ScanRequest | None


@router.get("", dependencies=[READER])
async def show_sources(request: Request, asked: str = "") -> Response:
    """Show each source: when it is scanned, what its last scan saw and what not. `asked`: is to be scanned now."""
    desk = desk_of(request)

    def read() -> list[_Row]:
        covered = {one["source"]: one for one in request.app.state.read_coverage()}
        with desk.store.read() as tx:
            requests = tx.scan_requests.open()
            return [
                _Row(
                    listed_source(tx, source, desk.clock(), is_watching=True),
                    covered.get(source.name, {}),
                    requests.get(source.name),
                )
                for source in desk.sources
            ]

    rows = await run_in_threadpool(read)
    texts = {"outcome": outcome_text, "result": result_text, "label": label_of}
    return page(request, "sources.html", rows=rows, asked=asked[:64], texts=texts)


@router.post("/scan")
async def scan_now(
    request: Request, session: BrowserSession = SCANNER, name: str = Form("", max_length=64)
) -> Response:
    """Have a source scanned as soon as can be, whatever its rhythm says; kept until a scan has begun."""
    desk = desk_of(request)
    source = source_named(desk.sources, name)
    actor = person_acting(request, session)

    def ask() -> None:
        with desk.store.begin() as tx:
            ask_for_scan(tx, actor, source, desk.clock())

    await run_in_threadpool(ask)
    return RedirectResponse(f"/sources?{urlencode({'asked': source.name})}", status_code=303)


@router.post("/try")
async def try_now(request: Request, session: BrowserSession = SCANNER, name: str = Form("", max_length=64)) -> Response:
    """Show what a source would yield, and why each thing is left out. Nothing is recorded but who has asked."""
    desk = desk_of(request)
    source = source_named(desk.sources, name)
    if desk.services is None:
        raise UsageError("nothing can be fetched here; ask the daemon (`guardian run`)")
    found = await try_source(desk, desk.services, person_acting(request, session), source)

    left_out = dict[str, list[Skipped]]()
    for item in found.left_out:
        left_out.setdefault(label_of(item.word), []).append(item)
    return page(request, "source_tried.html", found=found, left_out=left_out, pages=PAGES)
