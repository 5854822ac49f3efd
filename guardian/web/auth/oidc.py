"""Signing in at an OpenID Connect provider: authorization code with PKCE and nonce, in the browser that began it.

Authlib writes the requests and checks the claims; joserfc checks signatures. Requests go through `fetch/trusted.py`.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from fastapi import APIRouter, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from guardian.errors import FetchFailed, UsageError
from guardian.fetch.trusted import TrustedClient
from guardian.people.providers import Account, sign_in_account
from guardian.people.signing_in import SignInRefused
from guardian.web.auth.pages import HOME, local_path, set_session_cookie, show_fault
from guardian.web.auth.requests import address_of, is_encrypted
from guardian.web.desk import Desk, desk_of
from guardian.web.settings import OidcSettings

router = APIRouter(include_in_schema=False)

CALLBACK = "/login/oidc/callback"
_COOKIE = "guardian_oidc"
_MINUTES = 10
_TIMEOUT = timedelta(seconds=10)
_MOST_BYTES = 1_000_000
_LEEWAY_SECONDS = 60

# Signatures by keys that only the provider has; never "none", never a secret that both sides know.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a browser keeps until it comes back from the provider."""

    state: str
    nonce: str
    verifier: str
    then: str


class _Untrusted(Exception):
    """What the provider or the browser sent does not prove who it is."""


@router.get("/login/oidc")
async def begin(request: Request, then: str = HOME) -> Response:
    """Send the browser to the provider."""
    desk, settings = _settings(request)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    begun = _Begun(state, nonce, verifier, local_path(then))
    try:
        async with TrustedClient(settings.ca_file) as client:
            metadata = await _metadata(client, settings)
        target = prepare_grant_uri(
            metadata["authorization_endpoint"],
            client_id=settings.client_id,
            response_type="code",
            redirect_uri=_callback(request, desk),
            scope=settings.scope,
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
        )
    except (FetchFailed, _Untrusted, KeyError) as error:
        log.warning("provider_not_asked", issuer=settings.issuer, reason=str(error))
        return show_fault(request, then, f"{settings.label} cannot be reached; try again later", 503)

    response = RedirectResponse(target, status_code=303)
    response.set_cookie(
        _COOKIE,
        base64.urlsafe_b64encode(json.dumps(asdict(begun)).encode()).decode(),
        max_age=_MINUTES * 60,
        path="/login/oidc",
        secure=is_encrypted(request),
        httponly=True,
        # Not strict: the provider's page leads here.
        samesite="lax",
    )
    return response


@router.get(CALLBACK)
async def come_back(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
    """Take what the provider says of the browser's person, and begin a session."""
    desk, settings = _settings(request)
    then = HOME
    try:
        begun = _begun(request, state)
        then = begun.then
        if error or not code:
            raise SignInRefused(f"{settings.label} did not sign you in")
        account = account_of(await _claims(request, desk, settings, begun, code), settings)

        def begin_session() -> str:
            with desk.store.begin() as tx:
                return sign_in_account(tx, account, address_of(request), desk.clock())[0]

        secret = await run_in_threadpool(begin_session)
    except SignInRefused as refused:
        response = show_fault(request, then, str(refused), 403)
    except (FetchFailed, JoseError, _Untrusted, UsageError, KeyError, ValueError, TypeError) as problem:
        # A wrong secret, an unknown key, a token that is not meant for us: the log says which.
        log.warning("provider_not_believed", issuer=settings.issuer, reason=f"{type(problem).__name__}: {problem}")
        response = show_fault(request, then, f"signing in at {settings.label} did not work; try again", 400)
    else:
        response = RedirectResponse(then, status_code=303)
        set_session_cookie(request, response, secret)
    response.delete_cookie(_COOKIE, path="/login/oidc")
    return response


def account_of(claims: Mapping[str, Any], settings: OidcSettings) -> Account:
    """Return the account that claims describe. The strongest of the roles that they name counts."""
    named = claims.get(settings.role_claim)
    values = named if isinstance(named, list) else [named]
    found = [settings.roles[value] for value in values if isinstance(value, str) and value in settings.roles]
    role = max(found, key=lambda one: len(one.scopes), default=settings.default_role)
    name = claims.get("preferred_username") or claims.get("name") or claims.get("email") or claims["sub"]
    return Account(settings.issuer, str(claims["sub"]), str(name), role)


async def _claims(request: Request, desk: Desk, settings: OidcSettings, begun: _Begun, code: str) -> Mapping[str, Any]:
    """Return the claims of the ID token that a code is worth. Raises FetchFailed, JoseError, _Untrusted."""
    secret = settings.client_secret(desk.services.environment if desk.services is not None else {})
    async with TrustedClient(settings.ca_file) as client:
        metadata = await _metadata(client, settings)
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        parts = {"client_id": settings.client_id, "code": code, "code_verifier": begun.verifier}
        if "client_secret_basic" in methods:
            pair = f"{quote(settings.client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            parts["client_secret"] = secret
        body = prepare_token_request("authorization_code", redirect_uri=_callback(request, desk), **parts)
        answer = await client.fetch(
            "POST", metadata["token_endpoint"], headers, body.encode(), timeout=_TIMEOUT, max_bytes=_MOST_BYTES
        )
        if answer.status != 200:
            raise _Untrusted(f"the token endpoint answered {answer.status}")
        tokens = json.loads(answer.body)
        found: Any = await _json(client, metadata["jwks_uri"])
        keys = KeySet.import_key_set(found)

    token = jwt.decode(tokens["id_token"], keys, algorithms=_ALGORITHMS)
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": settings.issuer},
            "aud": {"essential": True, "value": settings.client_id},
            "nonce": {"essential": True, "value": begun.nonce},
        },
        params={"nonce": begun.nonce, "client_id": settings.client_id, "access_token": tokens.get("access_token")},
    )
    claims.validate(now=int(desk.clock().timestamp()), leeway=_LEEWAY_SECONDS)
    return token.claims


async def _metadata(client: TrustedClient, settings: OidcSettings) -> dict[str, Any]:
    """Return what the provider says of itself. Raises FetchFailed; _Untrusted if it is another's."""
    found = await _json(client, f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != settings.issuer:
        raise _Untrusted(f"it calls itself {found.get('issuer')!r}: write that as web.oidc.issuer if it is right")
    return found


async def _json(client: TrustedClient, url: str) -> dict[str, Any]:
    headers = {"accept": "application/json"}
    answer = await client.fetch("GET", url, headers, b"", timeout=_TIMEOUT, max_bytes=_MOST_BYTES)
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if answer.status != 200 or not isinstance(found, dict):
        raise _Untrusted(f"{url} answered {answer.status} and no JSON object")
    return found


def _begun(request: Request, state: str) -> _Begun:
    """Return what this browser began. Raises _Untrusted when it began nothing, or something else."""
    try:
        begun = _Begun(**json.loads(base64.urlsafe_b64decode(request.cookies.get(_COOKIE, ""))))
    except (ValueError, TypeError) as error:
        raise _Untrusted("the browser has not begun to sign in, or too long ago") from error
    if not state or not secrets.compare_digest(begun.state.encode(), state.encode()):
        raise _Untrusted("the answer belongs to another browser")
    return _Begun(begun.state, begun.nonce, begun.verifier, local_path(begun.then))


def _callback(request: Request, desk: Desk) -> str:
    return (desk.settings.public_url or str(request.base_url).rstrip("/")) + CALLBACK


def _settings(request: Request) -> tuple[Desk, OidcSettings]:
    desk = desk_of(request)
    if desk.settings.oidc is None:
        raise HTTPException(404, "no provider is configured (web.oidc)")
    return desk, desk.settings.oidc
