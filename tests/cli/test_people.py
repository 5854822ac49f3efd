"""`guardian user`, `token` and `audit` as one administrator would use them."""

from pathlib import Path

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

    scopes = "cases:read,cases:write,check,assets:write"
    made = home.guardian("token", "add", "importer", "--scope", scopes, "--until", "2099-01-31")
    assert made.stdout.startswith("guardian_")
    assert "there is no scope 'cases:rad'" in home.guardian("token", "add", "x", "--scope", "cases:rad", code=2).stderr
    (token,) = home.lines("token", "list", "--json")
    assert token["until"] == "2099-02-01T00:00:00+00:00"
    assert made.stdout.strip() not in str(token)
    home.guardian("token", "remove", token["id"])

    actions = [line["action"] for line in home.lines("audit", "list", "--json")]
    assert actions == ["audit.begun", "user.added", "token.added", "token.revoked"]
    verified = home.guardian("audit", "verify").stdout
    assert "whole: 4 lines of the audit log" in verified
    head = verified.split("head ")[1].strip()
    home.guardian("audit", "verify", "--head", head)
    other = "9" + head[head.index(":") :]
    assert "is gone" in home.guardian("audit", "verify", "--head", other, code=1).stdout
