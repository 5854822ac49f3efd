"""People and tokens, for admins."""

from datetime import datetime

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.errors import UsageError
from guardian.model import ApiToken, BrowserSession, Permission, Person, Role
from guardian.people.people import add_person, change_password, change_role, remove_person
from guardian.people.tokens import add_token, end_after, revoke_token
from guardian.views.people import token_state
from guardian.web.auth.requests import person_acting
from guardian.web.desk import desk_of
from guardian.web.pages.access import LONGEST_FIELD, person_may
from guardian.web.pages.forms import day_in
from guardian.web.rendering import page

router = APIRouter(prefix="/people", include_in_schema=False)

ADMIN = Depends(person_may(Permission.PEOPLE))


@router.get("")
async def show_people(request: Request, session: BrowserSession = ADMIN) -> Response:
    """List people and tokens, with the forms to change them."""
    return await _people(request)


@router.post("")
async def change_people(
    request: Request,
    session: BrowserSession = ADMIN,
    change: str = Form("", max_length=20),
    name: str = Form("", max_length=500),
    role: str = Form("", max_length=20),
    password: str = Form("", max_length=2_000),
) -> Response:
    """Add or remove somebody, or give them another role or password."""
    desk = desk_of(request)
    actor = person_acting(request, session)

    def write() -> None:
        with desk.store.begin() as tx:
            if change == "add":
                add_person(tx, actor, name, _role(role), password, desk.clock())
            elif change == "role":
                change_role(tx, actor, name, _role(role), desk.clock())
            elif change == "password":
                change_password(tx, actor, name, password, desk.clock())
            elif change == "remove":
                remove_person(tx, actor, name, desk.clock())
            else:
                raise UsageError("choose what is changed")

    await run_in_threadpool(write)
    return RedirectResponse("/people", status_code=303)


@router.post("/tokens")
async def change_tokens(
    request: Request,
    session: BrowserSession = ADMIN,
    name: str = Form("", max_length=LONGEST_FIELD),
    until: str = Form("", max_length=20),
    revoke: str = Form("", max_length=100),
) -> Response:
    """Make a token, whose secret is shown this once, or revoke one."""
    desk = desk_of(request)
    actor = person_acting(request, session)
    scopes = [str(one) for one in (await request.form()).getlist("scope")]
    end = _end_of(until)

    def write() -> str:
        with desk.store.begin() as tx:
            if revoke:
                token = next((one for one in tx.api_tokens.all() if one.id == revoke), None)
                if token is None:
                    raise UsageError("there is no such token")
                revoke_token(tx, actor, token, desk.clock())
                return ""
            wanted = [scope for scope in Permission if scope.value in scopes]
            return add_token(tx, actor, name, wanted, end, desk.clock())[0]

    secret = await run_in_threadpool(write)
    return await _people(request, secret) if secret else RedirectResponse("/people", status_code=303)


async def _people(request: Request, secret: str = "") -> Response:
    desk = desk_of(request)
    now = desk.clock()

    def read() -> tuple[list[Person], list[ApiToken]]:
        with desk.store.read() as tx:
            return [one for one in tx.people.all() if one.removed_at is None], tx.api_tokens.all()

    people, tokens = await run_in_threadpool(read)
    return page(
        request,
        "people.html",
        people=people,
        tokens=[(token, token_state(token, now)) for token in tokens],
        roles=list(Role),
        scopes=[scope for scope in Permission if scope is not Permission.PEOPLE],
        secret=secret,
    )


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise UsageError("choose a role") from error


def _end_of(text: str) -> datetime | None:
    """Return the moment after the last day of a token; None for no end."""
    last = day_in(text)
    return end_after(last) if last is not None else None
