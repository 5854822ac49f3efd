"""Who a request comes from: a signed-in browser or a program with a token, and what they may do."""

import secrets
from collections.abc import Callable

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from guardian.errors import GuardianError
from guardian.model import Actor, BrowserSession, Permission
from guardian.people.signing_in import actor_of, session_of
from guardian.people.tokens import holder_of
from guardian.web.client import client_address, is_secure
from guardian.web.desk import desk_of

CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
"""Where a form and a script say the session's secret that no page of another site can know."""

_SAFE = ("GET", "HEAD", "OPTIONS")


class NotSignedIn(GuardianError):
    """The request names nobody who is signed in: pages lead to the form, the API answers 401."""


class NotPermitted(GuardianError):
    """Whoever asks may not do this: 403."""


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie.

    Browsers take a name with __Host- only over TLS, without a Domain: no neighbour under the same domain can set it.
    """
    return "__Host-guardian" if is_encrypted(request) else "guardian"


def is_encrypted(request: Request) -> bool:
    """Return whether people reach the desk over TLS."""
    settings = desk_of(request).settings
    return (settings.public_url or "").startswith("https:") or is_secure(request, settings.trusted_proxies)


def address_of(request: Request) -> str:
    """Return the network address that a request comes from."""
    return client_address(request, desk_of(request).settings.trusted_proxies)


async def session_of_request(request: Request) -> BrowserSession | None:
    """Return the session of a request's cookie; None when nobody is signed in."""
    secret = request.cookies.get(cookie_name(request))
    if not secret:
        return None
    desk = desk_of(request)
    return await run_in_threadpool(session_of, desk.store, secret, desk.lifetime, desk.clock())


async def signed_in(request: Request) -> BrowserSession:
    """Return the session of a page's request, and check the secret of forms. Raises NotSignedIn, NotPermitted."""
    session = await session_of_request(request)
    if session is None:
        raise NotSignedIn("sign in first")
    if request.method not in _SAFE:
        await _check_csrf(request, session)
    # Templates show who is signed in, and put the secret into forms.
    request.state.session = session
    return session


def person_acting(request: Request, session: BrowserSession) -> Actor:
    """Return the signed-in person of a session as the one who acts, from the address of a request."""
    return actor_of(session.person, address_of(request))


async def acting(request: Request) -> Actor:
    """Return who makes a request of the API: the holder of a bearer token, or somebody signed in.

    Raises NotSignedIn and NotPermitted.
    """
    known: Actor | None = getattr(request.state, "actor", None)
    if known is None:
        known = request.state.actor = await _actor_of(request)
    return known


async def _actor_of(request: Request) -> Actor:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind:
        desk = desk_of(request)
        if kind.lower() != "bearer":
            raise NotSignedIn("write Authorization: Bearer and the token")
        address = address_of(request)
        holder = await run_in_threadpool(holder_of, desk.store, secret.strip(), address, desk.clock())
        if holder is None:
            raise NotSignedIn("this token is not known, was revoked or has ended")
        return holder

    return person_acting(request, await signed_in(request))


def permitted(permission: Permission) -> Callable[[Actor], Actor]:
    """Return a dependency that lets those through who may do this, and returns who it is. It raises NotPermitted."""

    def check(actor: Actor = Depends(acting)) -> Actor:  # noqa: B008 - FastAPI's way
        if not actor.may(permission):
            raise NotPermitted(f"{actor.name} may not do this; it needs {permission.value}")
        return actor

    return check


async def _check_csrf(request: Request, session: BrowserSession) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None:
        content = request.headers.get("content-type", "")
        is_form = content.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
        sent = str((await request.form()).get(CSRF_FIELD, "")) if is_form else ""
    if not secrets.compare_digest(sent.encode(), session.csrf.encode()):
        raise NotPermitted("the form is of another session; load the page again")
