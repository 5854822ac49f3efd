"""Licences: who may use what; granted and ended here, with what that does to recorded uses."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.cases import licensing
from guardian.cases.standing import Judging
from guardian.errors import UsageError
from guardian.licences import days_left, status_of
from guardian.model import BrowserSession, Licence, LicenceStatus, Permission
from guardian.people.signing_in import actor_of
from guardian.views.licences import TODAY_TEXTS, grant_text, scope_text
from guardian.web.auth.requests import address_of
from guardian.web.desk import Desk, desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.rendering import page

router = APIRouter(prefix="/licences", include_in_schema=False)

WRITER = Depends(person_may(Permission.LICENCES_WRITE))


@dataclass(frozen=True, slots=True)
class _Row:
    """A licence as the page shows it. `left`: days until it ends; None where it has no end or holds no more."""

    licence: Licence
    text: str
    status: LicenceStatus
    left: int | None


@router.get("", dependencies=[Depends(person_may(Permission.LICENCES_READ))])
async def show_licences(request: Request, host: str = Query("", max_length=500)) -> Response:
    """List all licences, those that end soon first, and the form for another one."""
    desk = desk_of(request)
    today = desk.clock().date()

    def read() -> tuple[list[_Row], list[str]]:
        with desk.store.read() as tx:
            rows = []
            for licence in tx.licences.list():
                asset = tx.assets.get(licence.asset_id) if licence.asset_id else None
                text = grant_text(licence, scope_text(licence, asset))
                rows.append(_Row(licence, text, status_of(licence, today), days_left(licence, today)))
            collections = tx.assets.collections()
        return sorted(rows, key=lambda row: (row.left is None, row.left or 0, row.licence.host)), collections

    rows, collections = await run_in_threadpool(read)
    soon = licensing.LAPSES_SOON.days
    return page(request, "licences.html", rows=rows, today=TODAY_TEXTS, soon=soon, collections=collections, host=host)


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
    first, last = _day(said("begins")), _day(said("until"))
    judging = _needed(desk)
    actor = actor_of(session.person, address_of(request))

    def write() -> None:
        with desk.store.begin() as tx:
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

    await run_in_threadpool(write)
    return RedirectResponse("/licences", status_code=303)


@router.post("/{licence_id}/end")
async def end(request: Request, licence_id: str, session: BrowserSession = WRITER) -> Response:
    """End a licence yesterday, so that what is still shown counts as unlicensed from today on."""
    desk = desk_of(request)
    judging = _needed(desk)
    actor = actor_of(session.person, address_of(request))
    now = desk.clock()

    def write() -> None:
        with desk.store.begin() as tx:
            licence = tx.licences.get(licence_id)
            if licence is None:
                raise UsageError("there is no such licence any more")
            ended = replace(licence, valid_until=now.date() - timedelta(days=1))
            licensing.edit(tx, ended, lambda: judging, now)
            tx.audit.add(actor, "licence.ended", licence.id, now, {"host": licence.place})

    await run_in_threadpool(write)
    return RedirectResponse("/licences", status_code=303)


def _needed(desk: Desk) -> Judging:
    if desk.judging is None:
        raise UsageError("the rules are not opened here, so no licence can be judged; ask the daemon")
    return desk.judging


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"{text!r} is no day; write one such as 2026-11-24") from error
