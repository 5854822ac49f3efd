"""The pages for signing in and out."""

import secrets

from fastapi import APIRouter, Depends, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from guardian.model import BrowserSession
from guardian.people.sign_in_links import sign_in_by_link
from guardian.people.signing_in import SignInRefused, sign_in, sign_out
from guardian.web.auth.requests import address_of, cookie_name, is_encrypted, session_of_request, signed_in
from guardian.web.client import is_this_machine
from guardian.web.desk import desk_of
from guardian.web.rendering import page

router = APIRouter(include_in_schema=False)

HOME = "/cases"

_FORM_COOKIE = "guardian_form"
"""Ties the form for signing in to the browser that asked for it, before there is a session."""

_LONGEST = 2_000
_LONGEST_PATH = 40_000
"""A search stands in its address."""


_ELSEWHERE = "this address signs in on the machine that guardian runs on, and nowhere else"


@router.get("/login")
async def show_form(request: Request, then: str = HOME) -> Response:
    """Show the form; whoever is signed in already goes on."""
    if await session_of_request(request) is not None:
        return RedirectResponse(local_path(then), status_code=303)
    return _form(request, then)


@router.post("/login")
async def take_form(
    request: Request,
    username: str = Form("", max_length=_LONGEST),
    password: str = Form("", max_length=_LONGEST),
    form: str = Form("", max_length=_LONGEST),
    then: str = Form(HOME, max_length=_LONGEST_PATH),
) -> Response:
    """Sign in and go where the person was going."""
    if not _is_of_this_browser(request, form):
        return _form(request, then, "the form had grown old; try again", status=400)

    desk = desk_of(request)
    try:
        secret, _ = await run_in_threadpool(sign_in, desk.store, username, password, address_of(request), desk.clock())
    except SignInRefused as refused:
        status = 401 if refused.wait is None else 429
        response = _form(request, then, str(refused), username=username, status=status)
        if refused.wait is not None:
            response.headers["retry-after"] = str(int(refused.wait.total_seconds()) + 1)
        return response

    return _led_on(request, local_path(then), secret)


@router.get("/login/link/{secret}")
async def show_link(request: Request) -> Response:
    """Show the button of a link that signs in once. Looking uses nothing up: programs fetch addresses ahead."""
    if await session_of_request(request) is not None:
        return RedirectResponse(HOME, status_code=303)
    if not is_this_machine(request):
        return _at_link(_form(request, HOME, _ELSEWHERE, status=403))
    secret = _form_secret(request)
    return _at_link(_with_form_cookie(request, page(request, "sign_in_link.html", form=secret), secret))


@router.post("/login/link/{secret}")
async def use_link(request: Request, secret: str, form: str = Form("", max_length=_LONGEST)) -> Response:
    """Sign in by a link, which opens nothing afterwards."""
    if not is_this_machine(request):
        return _at_link(_form(request, HOME, _ELSEWHERE, status=403))
    if not _is_of_this_browser(request, form):
        return _at_link(_form(request, HOME, "the page had grown old; open the address again", status=400))

    desk = desk_of(request)
    try:
        cookie, _ = await run_in_threadpool(sign_in_by_link, desk.store, secret, address_of(request), desk.clock())
    except SignInRefused as refused:
        return _at_link(_form(request, HOME, str(refused), status=401))
    return _led_on(request, HOME, cookie)


@router.post("/logout")
async def leave(request: Request, session: BrowserSession = Depends(signed_in)) -> Response:  # noqa: B008
    """End the session."""
    desk = desk_of(request)

    def end() -> None:
        with desk.store.begin() as tx:
            sign_out(tx, session, address_of(request), desk.clock())

    await run_in_threadpool(end)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(cookie_name(request), path="/")
    return response


def set_session_cookie(request: Request, response: Response, secret: str) -> None:
    """Give a browser its session. Scripts cannot read the cookie, and no other site's request carries it."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(desk_of(request).settings.session_total.total_seconds()),
        path="/",
        secure=is_encrypted(request),
        httponly=True,
        samesite="lax",
    )


def local_path(then: str) -> str:
    """Return where to go after signing in: a path of the desk, never another site's address."""
    # With one slash a path of ours begins; browsers take a second one, or a backslash, for the beginning of a host.
    is_ours = then.startswith("/") and not then.startswith(("//", "/\\")) and then.isprintable()
    return then if is_ours else HOME


def show_fault(request: Request, then: str, fault: str, status: int) -> Response:
    """Show the form with why somebody was not signed in elsewhere."""
    return _form(request, then, fault, status=status)


def _at_link(response: Response) -> Response:
    """Return a page whose address holds a secret: browsers tell nobody of that address, not even the desk."""
    response.headers["referrer-policy"] = "no-referrer"
    return response


def _led_on(request: Request, where: str, secret: str) -> Response:
    """Return the answer to somebody who has just signed in: the session's cookie, and where to go."""
    response = RedirectResponse(where, status_code=303)
    response.delete_cookie(_FORM_COOKIE, path="/login")
    set_session_cookie(request, response, secret)
    return response


def _is_of_this_browser(request: Request, form: str) -> bool:
    """Return whether a form was shown to the browser that sends it, and by no page of another site."""
    expected = request.cookies.get(_FORM_COOKIE, "")
    return bool(expected) and secrets.compare_digest(expected.encode(), form.encode())


def _form_secret(request: Request) -> str:
    return request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(32)


def _form(request: Request, then: str, fault: str = "", username: str = "", status: int = 200) -> Response:
    secret = _form_secret(request)
    oidc = desk_of(request).settings.oidc
    response = page(
        request,
        "login.html",
        status=status,
        form=secret,
        then=local_path(then),
        fault=fault,
        username=username,
        provider=oidc.label if oidc is not None else None,
    )
    return _with_form_cookie(request, response, secret)


def _with_form_cookie(request: Request, response: Response, secret: str) -> Response:
    response.set_cookie(
        _FORM_COOKIE,
        secret,
        max_age=3600,
        path="/login",
        secure=is_encrypted(request),
        httponly=True,
        samesite="strict",
    )
    return response
