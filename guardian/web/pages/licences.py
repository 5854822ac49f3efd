"""Licences: who may use what; granted, changed and ended here, one by one or by a file, and judged by at once."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Depends, File, HTTPException, Query, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.cases import licensing
from guardian.errors import UsageError
from guardian.licences import days_left, status_of
from guardian.model import BrowserSession, Licence, LicenceStatus, Permission
from guardian.store import Transaction
from guardian.views.counting import counted
from guardian.views.licences import TODAY_TEXTS, for_others, grant_text, scope_text
from guardian.web.auth.requests import person_acting
from guardian.web.desk import desk_of
from guardian.web.licence_files import import_licences, keep_proof, licences_csv, proof_of
from guardian.web.pages.access import LONGEST_FIELD, needed_judging, person_may
from guardian.web.pages.forms import day_in
from guardian.web.rendering import csv_file, page

router = APIRouter(prefix="/licences", include_in_schema=False)

READER = Depends(person_may(Permission.LICENCES_READ))
WRITER = Depends(person_may(Permission.LICENCES_WRITE))


@dataclass(frozen=True, slots=True)
class _Row:
    """A licence as the page shows it. `left`: days until it ends; None where it has no end or holds no more."""

    licence: Licence
    text: str
    status: LicenceStatus
    left: int | None


@router.get("", dependencies=[READER])
async def show_licences(
    request: Request,
    host: str = Query("", max_length=500),
    image: str = Query("", max_length=200),
    words: str = Query("", max_length=200),
    added: int | None = Query(None, ge=0),
    known: int = Query(0, ge=0),
) -> Response:
    """List the licences that have these words, those that end soon first, and the form for another one.

    `host` and `image`, an id, are what that form begins with.
    """
    desk = desk_of(request)
    today = desk.clock().date()

    def read() -> tuple[list[_Row], list[str]]:
        with desk.store.read() as tx:
            rows = [_row(tx, licence, today) for licence in tx.licences.list()]
            collections = tx.assets.collections()
        return sorted(rows, key=lambda row: (row.left is None, row.left or 0, row.licence.host)), collections

    rows, collections = await run_in_threadpool(read)
    return page(
        request,
        "licences.html",
        rows=[row for row in rows if words.strip().casefold() in row.text.casefold()],
        count=len(rows),
        words=words,
        today=TODAY_TEXTS,
        soon=licensing.LAPSES_SOON.days,
        collections=collections,
        host=host,
        image=image,
        imported=f"{counted(added, 'licence')} added, {known} known already" if added is not None else "",
    )


@router.get("/licences.csv", dependencies=[READER])
async def download(request: Request, host: str = Query("", max_length=500)) -> Response:
    """Send all licences as CSV; with the name of an operator, drafts of licences for all that it uses now."""
    desk = desk_of(request)

    def read() -> list[Licence]:
        with desk.store.read() as tx:
            if not host:
                return tx.licences.list()
            today = desk.clock().date()
            return [replace(draft, valid_from=today) for draft in licensing.suggested(tx, host)]

    return csv_file("licences-draft" if host else "licences", licences_csv(await run_in_threadpool(read)))


@router.post("/import")
async def import_file(
    request: Request,
    session: BrowserSession = WRITER,
    file: UploadFile = File(),  # noqa: B008 - FastAPI's way
) -> Response:
    """Add the licences of a CSV file, all of them or none."""
    desk = desk_of(request)
    needed_judging(desk.judging)
    done = await import_licences(desk, person_acting(request, session), file)
    return RedirectResponse(f"/licences?added={done.added}&known={done.known}", status_code=303)


@router.get("/{licence_id}", dependencies=[READER])
async def show_licence(request: Request, licence_id: str, saved: str = "") -> Response:
    """Show one licence, with the form that changes it, and its proof."""
    desk = desk_of(request)
    today = desk.clock().date()

    def read() -> _Row:
        with desk.store.read() as tx:
            return _row(tx, _licence(tx, licence_id), today)

    row = await run_in_threadpool(read)
    return page(request, "licence.html", row=row, today=TODAY_TEXTS, saved=bool(saved))


@router.post("/{licence_id}")
async def change(request: Request, licence_id: str, session: BrowserSession = WRITER) -> Response:
    """State anew how long, where and for what a licence holds; whom and what it is for stays."""
    form = await request.form(max_fields=20)
    desk = desk_of(request)
    judging = needed_judging(desk.judging)
    actor = person_acting(request, session)
    first, last = (day_in(str(form.get(name, "")).strip()) for name in ("valid_from", "valid_until"))
    said: dict[str, Any] = {
        name: str(form.get(name, ""))[:LONGEST_FIELD].strip() or None for name in ("territory", "medium", "note")
    }

    def write(tx: Transaction) -> None:
        before = _licence(tx, licence_id)
        after = replace(before, valid_from=first, valid_until=last, **said)
        changed = {
            name: str(getattr(after, name))
            for name in ("valid_from", "valid_until", *said)
            if getattr(after, name) != getattr(before, name)
        }
        if changed:
            licensing.edit(tx, after, lambda: judging, desk.clock())
            tx.audit.add(actor, "licence.edited", before.id, desk.clock(), changed)

    await run_in_threadpool(desk.store.run, write)
    return RedirectResponse(f"/licences/{licence_id}?saved=1", status_code=303)


@router.post("/{licence_id}/proof")
async def send_proof(
    request: Request,
    licence_id: str,
    session: BrowserSession = WRITER,
    file: UploadFile = File(),  # noqa: B008 - FastAPI's way
) -> Response:
    """Keep the file that proves a licence."""
    if await keep_proof(desk_of(request), person_acting(request, session), licence_id, file) is None:
        raise _none(licence_id)
    return RedirectResponse(f"/licences/{licence_id}?saved=1", status_code=303)


@router.get("/{licence_id}/proof", dependencies=[READER])
async def fetch_proof(request: Request, licence_id: str) -> Response:
    """Send the file that proves a licence."""
    desk = desk_of(request)

    def read() -> Response:
        with desk.store.read() as tx:
            licence = _licence(tx, licence_id)
        return proof_of(desk, licence)

    return await run_in_threadpool(read)


@router.post("")
async def grant(request: Request, session: BrowserSession = WRITER) -> Response:
    """Grant a licence; recorded uses are judged again at once."""
    form = await request.form(max_fields=20)
    desk = desk_of(request)

    def said(field: str) -> str:
        return str(form.get(field, ""))[:LONGEST_FIELD].strip()

    place, path = licensing.place_named(said("host"))
    scope, named = said("scope"), said("name")
    if scope not in ("collection", "asset", "tag") or not named:
        raise UsageError("say what the licence covers: a collection, a tag or an image")
    first, last = day_in(said("begins")), day_in(said("until"))
    judging = needed_judging(desk.judging)
    actor = person_acting(request, session)

    def write(tx: Transaction) -> None:
        terms = Licence(
            id="",
            host=place,
            path=path,
            asset_id=licensing.asset_named(tx, named).id if scope == "asset" else None,
            collection=named if scope == "collection" else None,
            tag=named if scope == "tag" else None,
            valid_from=first,
            valid_until=last,
            territory=said("territory") or None,
            medium=said("medium") or None,
            note=said("note") or None,
        )
        licence, _ = licensing.add(tx, terms, lambda: judging, desk.clock())
        tx.audit.add(actor, "licence.added", licence.id, desk.clock(), {"host": licence.place})

    await run_in_threadpool(desk.store.run, write)
    return RedirectResponse("/licences", status_code=303)


@router.post("/{licence_id}/end")
async def end(request: Request, licence_id: str, session: BrowserSession = WRITER) -> Response:
    """End a licence yesterday, so that what is still shown counts as unlicensed from today on."""
    desk = desk_of(request)
    judging = needed_judging(desk.judging)
    actor = person_acting(request, session)
    now = desk.clock()

    def write(tx: Transaction) -> None:
        licence = _licence(tx, licence_id)
        ended = replace(licence, valid_until=now.date() - timedelta(days=1))
        licensing.edit(tx, ended, lambda: judging, now)
        tx.audit.add(actor, "licence.ended", licence.id, now, {"host": licence.place})

    await run_in_threadpool(desk.store.run, write)
    return RedirectResponse("/licences", status_code=303)


def _row(tx: Transaction, licence: Licence, today: date) -> _Row:
    asset = tx.assets.get(licence.asset_id) if licence.asset_id else None
    text = grant_text(for_others(licence), scope_text(licence, asset))
    return _Row(licence, text, status_of(licence, today), days_left(licence, today))


def _licence(tx: Transaction, licence_id: str) -> Licence:
    licence = tx.licences.get(licence_id)
    if licence is None:
        raise _none(licence_id)
    return licence


def _none(licence_id: str) -> HTTPException:
    return HTTPException(404, f"there is no licence {licence_id[:80]} any more")
