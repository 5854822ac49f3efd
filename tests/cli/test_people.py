"""`guardian user`, `token` and `audit` as one administrator would use them."""

import re
from pathlib import Path

import pytest

from guardian.cli.user import _loopback_address
from guardian.errors import UsageError
from tests.cli.home import Home, made_home


def test_people_tokens_and_the_log_of_them(tmp_path: Path) -> None:
    home: Home = made_home(tmp_path / "home")
    assert "makes the first admin" in home.guardian("user", "list").stdout

    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")
    home.guardian("user", "add", "anna", "--role", "admin", "--password-file", secret)
    refused = home.guardian("user", "remove", "anna", code=2)
    assert "last admin" in refused.stderr
    assert [person["role"] for person in home.lines("user", "list", "--json")] == ["admin"]

    scopes = ("--scope", "cases:read,cases:write", "--scope", "check,assets:write")
    made = home.guardian("token", "add", "importer", *scopes, "--until", "2099-01-31")
    assert made.stdout.startswith("guardian_")
    never = home.guardian("token", "add", "x", *scopes, "--until", "9999-12-31", code=2)
    assert "a token without a last day never ends" in never.stderr
    assert "there is no scope 'cases:rad'" in home.guardian("token", "add", "x", "--scope", "cases:rad", code=2).stderr
    (token,) = home.lines("token", "list", "--json")
    assert token["until"] == "2099-02-01T00:00:00+00:00"
    assert set(token["scopes"]) == {"cases:read", "cases:write", "check", "assets:write"}
    assert made.stdout.strip() not in str(token)
    home.guardian("token", "remove", token["id"])

    link = home.guardian("user", "sign-in-link", "anna").stdout.strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:8765/login/link/[\w-]{43}", link)

    actions = [line["action"] for line in home.lines("audit", "list", "--json")]
    assert actions == ["audit.begun", "user.added", "token.added", "token.revoked", "user.sign_in_link_made"]
    verified = home.guardian("audit", "verify").stdout
    assert "whole: 5 lines of the audit log" in verified
    head = verified.split("head ")[1].strip()
    home.guardian("audit", "verify", "--head", head)
    other = "9" + head[head.index(":") :]
    assert "is gone" in home.guardian("audit", "verify", "--head", other, code=1).stdout


def test_sign_in_link_is_of_loopback_alone() -> None:
    assert _loopback_address("0.0.0.0:80") == "127.0.0.1:80"
    assert _loopback_address("[::]:80") == "[::1]:80"
    assert _loopback_address("[::1]:80") == "[::1]:80"
    for listen in ("127.0.0.1:0", "10.0.0.5:8765"):
        with pytest.raises(UsageError):
            _loopback_address(listen)
