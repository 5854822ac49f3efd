"""Signing in at a small OpenID Connect provider on loopback, honest and not."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from guardian.model import Role
from guardian.web.settings import OidcSettings, WebSettings
from tests.web.conftest import Served, opened_desk, served_desk

SECRET = "client secret of the test"


@lru_cache(maxsize=1)
def own_key() -> RSAKey:
    """The key of all providers here: to make one takes a tenth of a second and more."""
    return RSAKey.generate_key(2048, {"kid": "one"})


class Provider:
    """Answers discovery, keys and tokens; `changes` of the next token's claims make it a dishonest one."""

    def __init__(self) -> None:
        self.key = own_key()
        self.signing = self.key
        self.claims: dict[str, Any] = {"sub": "4711", "preferred_username": "mara", "groups": ["legal"]}
        self.changes: dict[str, Any] = {}
        self.asked: dict[str, str] = {}
        self.tokens_given = 0
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer = provider.issuer
                bodies = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer,
                        "authorization_endpoint": f"{issuer}/authorize",
                        "token_endpoint": f"{issuer}/token",
                        "jwks_uri": f"{issuer}/keys",
                    },
                    "/keys": {"keys": [provider.key.as_dict(private=False)]},
                }
                self._answer(bodies[self.path])

            def do_POST(self) -> None:
                sent = {
                    name: values[0]
                    for name, values in parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()).items()
                }
                scheme, _, pair = self.headers["authorization"].partition(" ")
                assert (scheme, base64.b64decode(pair).decode()) == ("Basic", f"guardian:{SECRET.replace(' ', '%20')}")
                challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest())
                assert challenge.decode().rstrip("=") == provider.asked["code_challenge"]
                assert sent["redirect_uri"] == provider.asked["redirect_uri"]
                provider.tokens_given += 1
                self._answer({"access_token": "a", "token_type": "Bearer", "id_token": provider.id_token()})

            def _answer(self, body: object) -> None:
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "guardian",
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
            **self.claims,
            **self.changes,
        }
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signing)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def desk(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("desk")
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    oidc = OidcSettings(
        issuer=provider.issuer,
        client_id="guardian",
        client_secret_file=secret,
        label="Example SSO",
        role_claim="groups",
        roles={"legal": Role.REVIEWER, "bosses": Role.ADMIN},
    )
    yield from served_desk(opened_desk(folder, WebSettings(oidc=oidc)))


@pytest.fixture(autouse=True)
def honest(provider: Provider) -> None:
    provider.changes, provider.signing = {}, provider.key


def go(desk: Served, provider: Provider, *, state: str | None = None) -> tuple[httpx.Client, httpx.Response]:
    """Begin to sign in, say yes at the provider, and come back."""
    client = desk.client()
    begun = client.get("/login/oidc", params={"then": "/cases?state=open"})
    assert begun.status_code == 303
    target = urlsplit(begun.headers["location"])
    provider.asked = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert begun.headers["location"].startswith(f"{provider.issuer}/authorize?")
    assert provider.asked["code_challenge_method"] == "S256"
    query = {"code": "c0de", "state": state or provider.asked["state"]}
    return client, client.get("/login/oidc/callback", params=query)


def test_account_signs_in_and_is_known_again(desk: Served, provider: Provider) -> None:
    assert "Example SSO" in desk.client().get("/login").text
    client, back = go(desk, provider)
    assert (back.status_code, back.headers["location"]) == (303, "/cases?state=open")
    assert client.get("/api/v1/cases").status_code == 200

    # Another name and role, but the same account: the same person.
    provider.changes = {"preferred_username": "mara.new", "groups": ["bosses", "legal"]}
    admin, _ = go(desk, provider)
    people = admin.get("/api/v1/people").json()["items"]
    found = [(one["name"], one["role"]) for one in people if one["signs_in_at"] == provider.issuer]
    assert found == [("mara", "admin")]

    # Another account with a name that is taken is somebody else.
    provider.changes = {"sub": "0815", "preferred_username": "Rita"}
    go(desk, provider)
    with desk.store.read() as tx:
        other = tx.people.of_provider(provider.issuer, "0815")
    assert other is not None
    assert (other.name, other.role) == ("Rita (2)", Role.REVIEWER)

    # Whoever was removed here does not come back by the provider.
    client, _ = go(desk, provider)
    me = next(one for one in admin.get("/api/v1/people").json()["items"] if one["name"] == "Rita (2)")
    assert desk.signed_in("Anna").delete(f"/api/v1/people/{me['id']}").status_code == 200
    client, back = go(desk, provider)
    assert (back.status_code, "was removed" in back.text) == (403, True)
    assert client.get("/api/v1/cases").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"nonce": "replayed"},
        {"nonce": None},
        {"exp": 1},
        {"sub": None},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_token_that_proves_nothing_is_refused(desk: Served, provider: Provider, changes: dict[str, Any]) -> None:
    provider.changes = changes
    client, back = go(desk, provider)
    assert (back.status_code, "did not work" in back.text) == (400, True)
    assert client.get("/api/v1/cases").status_code == 401


def test_strange_key_and_strange_browser_are_refused(desk: Served, provider: Provider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    assert go(desk, provider)[1].status_code == 400
    provider.signing = provider.key

    given = provider.tokens_given
    assert go(desk, provider, state="another")[1].status_code == 400
    query = {"code": "c0de", "state": provider.asked["state"]}
    assert desk.client().get("/login/oidc/callback", params=query).status_code == 400
    assert provider.tokens_given == given, "no code is spent for somebody who did not begin"


def test_without_role_nobody_is_let_in(desk: Served, provider: Provider) -> None:
    provider.changes = {"sub": "99", "groups": ["guests"]}
    _, back = go(desk, provider)
    assert (back.status_code, "has no role" in back.text) == (403, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.example"},
        {"client_secret_file": Path("x")},
        {"client_secret_env": None},
        {"scope": "email"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"issuer|client_secret|openid"):
        OidcSettings(**{"issuer": "https://login.example", "client_id": "g", "client_secret_env": "S", **wrong})
