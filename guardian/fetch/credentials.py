"""Credentials for a source's own site: a header, a password or cookies, sent to that origin alone.

Secrets stand in the environment or in files, never in the configuration. Imports nothing heavy.
"""

import base64
import re
from collections.abc import Callable, Mapping
from http.cookiejar import LoadError, MozillaCookieJar
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from guardian.errors import UsageError
from guardian.urls.addresses import host_of

_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
# Set by the HTTP client; another value would break the request.
_RESERVED_HEADERS = frozenset(
    ["host", "connection", "content-length", "transfer-encoding", "accept", "accept-encoding", "user-agent"]
)


class CredentialSettings(BaseModel):
    """How guardian shows itself to one site: exactly one of `header`, `user` and `cookie_file`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: str = Field(description="the only site they are sent to, such as https://shop.example")
    header: str | None = Field(None, description="name of a header whose whole value is the secret")
    user: str | None = Field(None, description="user name of a Basic login whose password is the secret")
    cookie_file: Path | None = Field(None, description="cookies.txt as browsers export it (Netscape format)")
    secret_env: str | None = Field(None, description="environment variable that holds the secret")
    secret_file: Path | None = Field(None, description="file that holds the secret on one line")

    @field_validator("origin")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if _origin(value) is None or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in value:
            raise ValueError(f"{value!r} is not a site; write scheme and host: https://shop.example")
        return value

    @field_validator("header")
    @classmethod
    def _is_header_name(cls, value: str | None) -> str | None:
        if value is not None and (not _TOKEN.fullmatch(value) or value.lower() in _RESERVED_HEADERS):
            raise ValueError(f"{value!r} cannot be set as a header")
        return value

    @field_validator("user")
    @classmethod
    def _is_user(cls, value: str | None) -> str | None:
        if value is not None and (":" in value or not value.isprintable() or not value):
            raise ValueError("a user name of a Basic login has no colon and is printable")
        return value

    @model_validator(mode="after")
    def _is_one_way(self) -> "CredentialSettings":
        if sum(way is not None for way in (self.header, self.user, self.cookie_file)) != 1:
            raise ValueError("write exactly one of header, user and cookie_file")
        secrets = sum(place is not None for place in (self.secret_env, self.secret_file))
        if secrets != (0 if self.cookie_file else 1):
            raise ValueError(
                "cookie_file needs no secret" if self.cookie_file else "write one of secret_env and secret_file"
            )
        return self


class Credentials:
    """The headers that one origin gets. Its repr shows none of them, so that no log does."""

    def __init__(self, origin: str, headers_for: Callable[[str], dict[str, str]]) -> None:
        self._origin, self._headers_for = _origin(origin), headers_for

    def __repr__(self) -> str:
        return "Credentials(...)"

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers to send with a request; none to any other scheme, host or port.

        To be asked again at each redirect, which may lead to another origin.
        """
        return self._headers_for(url) if _origin(url) == self._origin else {}


def read_credentials(settings: CredentialSettings, environment: Mapping[str, str]) -> Credentials:
    """Read the secret from its file or variable. Raises UsageError, whose text never shows it.

    Called for each scan, so that a changed secret needs no restart.
    """
    if settings.cookie_file is not None:
        jar = _read_cookies(settings.cookie_file)

        def cookies_for(url: str) -> dict[str, str]:
            # Domain, path, `secure` and expiry are the jar's business.
            request = Request(url)  # noqa: S310 - never opened
            jar.add_cookie_header(request)
            cookie = request.get_header("Cookie")
            return {"cookie": cookie} if cookie else {}

        return Credentials(settings.origin, cookies_for)

    secret = _read_secret(settings, environment)
    if settings.user is not None:
        login = base64.b64encode(f"{settings.user}:{secret}".encode()).decode()
        headers = {"authorization": f"Basic {login}"}
    else:
        headers = {str(settings.header).lower(): secret}
    return Credentials(settings.origin, lambda _: headers)


def _read_secret(settings: CredentialSettings, environment: Mapping[str, str]) -> str:
    """Return the secret without blanks around it. Raises UsageError when it is missing or cannot be sent."""
    if settings.secret_env is not None:
        where, text = f"environment variable {settings.secret_env}", environment.get(settings.secret_env, "")
    else:
        where = f"secret_file {settings.secret_file}"
        text = _read_text(Path(str(settings.secret_file)), where)

    secret = text.strip()
    if not secret:
        raise UsageError(f"credentials for {settings.origin}: {where} is not set or empty")
    if not secret.isprintable() or (settings.header is not None and not secret.isascii()):
        raise UsageError(f"credentials for {settings.origin}: {where} holds more than one line of printable text")
    return secret


def _read_text(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {where}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {where}: it is not text") from None


def _read_cookies(path: Path) -> MozillaCookieJar:
    """Return the cookies of a cookies.txt, session cookies included. Raises UsageError."""
    jar = MozillaCookieJar()
    try:
        jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except (LoadError, UnicodeDecodeError, ValueError):
        # The cause carries the line, and the line the secret.
        raise UsageError(f"cookie_file {path} is not in the Netscape format of cookies.txt") from None
    except OSError as error:
        raise UsageError(f"cannot read cookie_file {path}: {error.strerror}") from error

    for cookie in jar:
        if not cookie.expires:
            # Browsers' exporters write 0 for cookies that end with the session.
            cookie.expires = None
    return jar


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return the scheme, the canonical host and the port of a URL (RFC 6454); None for what is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    host = host_of(url)
    return (parts.scheme, host, port) if host else None
