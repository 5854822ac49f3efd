"""What everybody may change of themselves: their password."""

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.errors import UsageError
from guardian.model import BrowserSession
from guardian.people.signing_in import SignInRefused, change_own_password
from guardian.web.auth.pages import set_session_cookie
from guardian.web.auth.requests import address_of, signed_in
from guardian.web.desk import desk_of
from guardian.web.rendering import page

router = APIRouter(prefix="/account", include_in_schema=False)

_LONGEST = 2_000


@router.get("", dependencies=[Depends(signed_in)])
async def show_account(request: Request, saved: str = "") -> Response:
    """Show who is signed in, with the form for another password."""
    return page(request, "account.html", saved=bool(saved))


@router.post("/password")
async def change(
    request: Request,
    session: BrowserSession = Depends(signed_in),  # noqa: B008 - FastAPI's way
    current: str = Form("", max_length=_LONGEST),
    password: str = Form("", max_length=_LONGEST),
    again: str = Form("", max_length=_LONGEST),
) -> Response:
    """Take another password for whoever knows the present one; all other sessions of theirs end."""
    desk = desk_of(request)
    if password != again:
        raise UsageError("the new password was not written the same twice")
    try:
        secret, _ = await run_in_threadpool(
            change_own_password, desk.store, session.person, current, password, address_of(request), desk.clock()
        )
    except SignInRefused as refused:
        raise UsageError(str(refused) if refused.wait is not None else "this is not the present password") from refused

    response = RedirectResponse("/account?saved=1", status_code=303)
    set_session_cookie(request, response, secret)
    return response
