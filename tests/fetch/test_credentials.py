"""A source's credentials reach its own site, nothing else, and no text that anybody reads."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from guardian.errors import UsageError
from guardian.fetch.credentials import Credentials, CredentialSettings, read_credentials
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from tests.websites import Redirect, Site, running

SECRET = "open-sesame"


def by_header(origin: str, **more: Any) -> Credentials:
    return read_credentials(
        CredentialSettings(origin=origin, header="X-Key", secret_env="KEY", **more),
        {"KEY": SECRET},
    )


def asked(site: Site, settings: Callable[..., Any], credentials: Credentials, *urls: str) -> None:
    async def go() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            fetcher = Fetcher.for_scan(web, credentials)
            for url in urls:
                await fetcher.get(url, kind="page")

    asyncio.run(go())


def test_they_go_to_their_own_site_and_are_dropped_elsewhere(site: Site, settings: Callable[..., Any]) -> None:
    for other in running("127.0.0.2"):
        other.put("/", "elsewhere")
        urls = [site.put("/", "home"), site.put("/away", Redirect(f"{other.url}/")), f"{other.url}/"]
        asked(site, settings, by_header(site.url), *urls)
        shown = {one.path: one.headers.get("x-key") for one in site.asked}
        assert shown == {"/": SECRET, "/away": SECRET, "/robots.txt": None}
        assert other.paths() == ["/", "/"]
        assert all(SECRET not in value for one in other.asked for value in one.headers.values())


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "https://shop.example:8443/",
        "https://www.shop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://evil.example/?https://shop.example/",
    ],
)
def test_another_scheme_port_or_host_is_another_site(url: str) -> None:
    credentials = by_header("https://shop.example")
    assert credentials.headers_for("https://SHOP.example:443/page") == {"x-key": SECRET}
    assert credentials.headers_for(url) == {}


@pytest.mark.parametrize(
    "origin", ["https://münchen.example", "https://xn--mnchen-3ya.example", "https://MÜNCHEN.example:443"]
)
def test_a_site_may_be_named_in_its_own_script(origin: str) -> None:
    assert by_header(origin).headers_for("https://xn--mnchen-3ya.example/page") == {"x-key": SECRET}


def test_a_login_is_sent_as_basic_does(site: Site, settings: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "word").write_text(f"{SECRET}\n")
    chosen = CredentialSettings(origin=site.url, user="me", secret_file=tmp_path / "word")
    asked(site, settings, read_credentials(chosen, {}), site.put("/", "home"))
    expected = base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert site.asked[-1].headers["authorization"] == f"Basic {expected}"


def test_cookies_keep_their_own_bounds(site: Site, settings: Callable[..., Any], tmp_path: Path) -> None:
    lines = [
        "# Netscape HTTP Cookie File",
        f"127.0.0.1\tFALSE\t/members\tFALSE\t0\tsession\t{SECRET}",
        "127.0.0.1\tFALSE\t/\tTRUE\t0\tsecure\tonly-https",
        "127.0.0.1\tFALSE\t/\tFALSE\t1000000000\told\texpired",
        "other.example\tFALSE\t/\tFALSE\t0\tother\telsewhere",
    ]
    (tmp_path / "cookies.txt").write_text("\n".join(lines) + "\n")
    chosen = CredentialSettings(origin=site.url, cookie_file=tmp_path / "cookies.txt")
    urls = [site.put("/members/1", "inside"), site.put("/", "outside")]
    asked(site, settings, read_credentials(chosen, {}), *urls)
    assert [one.headers.get("cookie") for one in site.asked if one.path != "/robots.txt"] == [
        f"session={SECRET}",
        None,
    ]


@pytest.mark.parametrize("secret", ["", "  \n", f"{SECRET}\nx-smuggled: 1", f"{SECRET}\x00", "gr\u00fc\u00df"])
def test_a_secret_that_cannot_be_sent_is_refused_without_being_shown(secret: str) -> None:
    chosen = CredentialSettings(origin="https://shop.example", header="X-Key", secret_env="KEY")
    with pytest.raises(UsageError, match="environment variable KEY") as refused:
        read_credentials(chosen, {"KEY": secret})
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(by_header("https://shop.example"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "cookies.txt").write_text(f"session={SECRET}\n")
    for changed in ({"cookie_file": tmp_path / "cookies.txt"}, {"cookie_file": tmp_path / "none"}):
        with pytest.raises(UsageError, match="cookie_file") as refused:
            read_credentials(CredentialSettings(origin="https://shop.example", **changed), {})
        assert SECRET not in str(refused.value)
    missing = CredentialSettings(origin="https://shop.example", user="me", secret_file=tmp_path / "none")
    with pytest.raises(UsageError, match="secret_file"):
        read_credentials(missing, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"header": "X-Key"},
        {"header": "X-Key", "user": "me", "secret_env": "KEY"},
        {"header": "X-Key", "secret_env": "KEY", "secret_file": "word"},
        {"header": "Host", "secret_env": "KEY"},
        {"header": "X Key", "secret_env": "KEY"},
        {"user": "me:you", "secret_env": "KEY"},
        {"cookie_file": "cookies.txt", "secret_env": "KEY"},
        {"header": "X-Key", "secret_env": "KEY", "origin": "https://shop.example/members"},
        {"header": "X-Key", "secret_env": "KEY", "origin": "shop.example"},
        {"header": "X-Key", "secret_env": "KEY", "origin": "https://me:word@shop.example"},
    ],
)
def test_only_one_way_to_one_site_is_accepted(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CredentialSettings(**({"origin": "https://shop.example"} | wrong))
