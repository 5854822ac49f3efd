"""Signing in over HTTP: cookies, forms, other sites, and what is closed without it."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from guardian.cli.acting import this_user
from guardian.model import Permission
from guardian.people.sign_in_links import make_link
from guardian.people.tokens import add_token
from tests.web.conftest import PASSWORD, Served

FORWARDED = {"x-forwarded-for": "203.0.113.9"}


def form_of(client: httpx.Client) -> str:
    found = re.search(r'name="form" value="([^"]+)"', client.get("/login").text)
    assert found is not None
    return found[1]


def test_form_signs_in_and_leads_on(served: Served) -> None:
    client = served.client()
    data = {"username": "Rita", "password": PASSWORD, "form": form_of(client), "then": "/cases?state=open"}
    answer = client.post("/login", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?state=open")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax"} <= {part.strip() for part in cookie.replace(",", ";").split(";")}
    assert client.get("/login").status_code == 303, "signed in already"


def test_wrong_password_is_said_and_the_name_kept(served: Served) -> None:
    client = served.client()
    data = {"username": '"><script>', "password": "wrong", "form": form_of(client)}
    answer = client.post("/login", data=data)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert re.search(r'id="password"[^>]*aria-describedby="fault"[^>]*autofocus', answer.text), (
        "the name is there already"
    )
    assert "<script>" not in answer.text.replace("<script src", "")
    assert "guardian" not in client.cookies


def test_form_without_its_cookie_is_refused(served: Served) -> None:
    data = {"username": "Rita", "password": PASSWORD, "form": form_of(served.client())}
    answer = served.client().post("/login", data=data)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "then",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "//[", "javascript:alert(1)"],
)
def test_signing_in_never_leads_to_another_site(served: Served, then: str) -> None:
    client = served.client()
    assert client.get("/login", params={"then": then}).status_code == 200
    data = {"username": "Vera", "password": PASSWORD, "form": form_of(client), "then": then}
    assert client.post("/login", data=data).headers["location"] == "/cases"


def test_who_sent_a_form_too_late_comes_back_to_its_page(served: Served) -> None:
    client = served.client()
    for referer, then in (
        (f"{served.url}/search?text=cup", "/search%3Ftext%3Dcup"),
        (f"{served.url}/search/keep", "/cases"),
        ("https://evil.example/search", "/cases"),
        ("http://[", "/cases"),
        ("", "/cases"),
    ):
        answer = client.post("/search/keep", data={"name": "style"}, headers={"referer": referer})
        assert answer.headers["location"] == f"/login?then={then}", referer
    long = "/search?text=" + "%E6%B2%99" * 2_000
    data = {"username": "Rita", "password": PASSWORD, "form": form_of(client), "then": long}
    assert client.post("/login", data=data).headers["location"] == long


def sign_in_link(served: Served) -> str:
    with served.store.begin() as tx:
        return "/login/link/" + make_link(tx, this_user(), "Rita", timedelta(minutes=5), datetime.now(UTC))


def test_link_signs_in_once_by_its_button_and_is_told_to_nobody(served: Served) -> None:
    path = sign_in_link(served)
    for _ in range(2):
        client = served.client()
        shown = client.get(path)
        assert (shown.status_code, shown.headers["referrer-policy"]) == (200, "no-referrer")
        assert path.rpartition("/")[2] not in shown.text
    form = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert form is not None
    assert client.post(path, data={"form": "of another browser"}).status_code == 400

    answer = client.post(path, data={"form": form[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    assert client.get("/cases").status_code == 200
    assert client.get(path).headers["location"] == "/cases", "signed in already"

    again = served.client()
    data = {"form": re.search(r'name="form" value="([^"]+)"', again.get(path).text)[1]}  # type: ignore[index]
    refused = again.post(path, data=data)
    assert (refused.status_code, "used already" in refused.text) == (401, True)
    assert "guardian" not in again.cookies


def test_link_opens_nothing_through_a_proxy(served: Served) -> None:
    path, client = sign_in_link(served), served.client()
    assert client.get(path, headers=FORWARDED).status_code == 403
    form = re.search(r'name="form" value="([^"]+)"', client.get(path).text)
    assert form is not None
    assert client.post(path, data={"form": form[1]}, headers=FORWARDED).status_code == 403
    assert client.post(path, data={"form": form[1]}).status_code == 303, "and is not used up by that"


def test_what_another_site_sends_is_refused(served: Served) -> None:
    client = served.signed_in("Rita")
    assert client.post("/logout", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    del client.headers["x-csrf-token"]
    assert client.post("/logout", data={"csrf": "wrong"}).status_code == 403
    assert client.post("/logout").status_code == 403


def test_signing_out_ends_the_session(served: Served) -> None:
    client = served.signed_in("Rita")
    cookie = client.cookies["guardian"]
    assert client.post("/logout").status_code == 303
    again = served.client()
    again.cookies.set("guardian", cookie)
    assert again.get("/login").status_code == 200, "the form, since nobody is signed in"


def test_every_response_carries_the_protecting_headers(served: Served) -> None:
    for path in ("/login", "/health", "/static/desk.css", "/nothing"):
        headers = served.client().get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert "script-src 'self';" in served.client().get("/login").headers["content-security-policy"]


def test_health_answers_everybody_and_the_rest_this_machine_or_a_token(served: Served) -> None:
    client = served.client()
    assert client.get("/health", headers=FORWARDED).status_code == 200
    for path in ("/ready", "/metrics", "/coverage"):
        assert client.get(path).status_code == 200
        assert client.get(path, headers=FORWARDED).status_code == 401
    with served.store.begin() as tx:
        at = datetime.now(UTC)
        reads, _ = add_token(tx, this_user(), "monitor", [Permission.OPERATIONS_READ], None, at)
        other, _ = add_token(tx, this_user(), "other", [Permission.CASES_READ], None, at)
    of_monitor = FORWARDED | {"authorization": f"Bearer {reads}"}
    of_other = FORWARDED | {"authorization": f"Bearer {other}"}
    assert client.get("/metrics", headers=of_monitor).status_code == 200
    answer = client.get("/metrics", headers=of_other)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
