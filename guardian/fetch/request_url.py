"""Says which URL is requested: for the address that a page or a person wrote, and for the target of a redirect."""

import re
from contextlib import suppress
from urllib.parse import urljoin, urlsplit, urlunsplit

from guardian.errors import FetchRefused
from guardian.model import Response, SkipReason
from guardian.urls.addresses import escape_unprintable, host_and_port, host_of, remove_dot_segments

REDIRECTS = frozenset([301, 302, 303, 307, 308])

_USUAL_PORTS = {"http": 80, "https": 443}
_LONGEST_ADDRESS = 8000
_ESCAPED_DOT = re.compile("%2e", re.IGNORECASE)


def requested_url(url: str) -> str:
    """Return a URL as it is requested: http or https, without fragment, user name and password.

    Raises FetchRefused (scheme, bad_address).
    """
    address = url.strip()
    try:
        parts = urlsplit(address)
        # The throttle and robots.txt need the canonical host. Reading the port raises if it is not a number.
        host, port = host_of(address), parts.port
    except ValueError as error:
        raise FetchRefused(SkipReason.BAD_ADDRESS, url, bad_address_text(error)) from error

    if parts.scheme.lower() not in ("http", "https"):
        raise FetchRefused(
            SkipReason.SCHEME, url, f"{parts.scheme or 'an address without scheme'} is not http or https"
        )
    # Parsers disagree about a backslash: which part is the host must not depend on who reads it.
    if not host or port == 0 or "\\" in parts.netloc or not parts.netloc.isprintable():
        raise FetchRefused(SkipReason.BAD_ADDRESS, url, "no host in it")
    if len(address) > _LONGEST_ADDRESS:
        raise FetchRefused(SkipReason.BAD_ADDRESS, url, f"longer than {_LONGEST_ADDRESS} characters")

    scheme = parts.scheme.lower()
    # With and without its default port a host is one host to the throttle.
    origin = host_and_port(host, None if port == _USUAL_PORTS[scheme] else port)
    # robots.txt is read for the path that is asked for: the transport would resolve what leads upwards only later.
    path = remove_dot_segments(_ESCAPED_DOT.sub(".", escape_unprintable(parts.path)))
    return urlunsplit((scheme, origin, path, escape_unprintable(parts.query), ""))


def redirect_target(response: Response, current: str) -> str | None:
    """Return the URL to which a redirect leads; None when the answer is no redirect or names no target."""
    location = response.header("location") if response.status in REDIRECTS else None
    if location is None:
        return None
    # Headers are read as Latin-1, but what servers write beyond ASCII is UTF-8.
    with suppress(UnicodeDecodeError):
        location = location.encode("latin-1").decode("utf-8")
    try:
        return requested_url(urljoin(current, location))
    except ValueError as error:
        raise FetchRefused(SkipReason.BAD_ADDRESS, location, bad_address_text(error)) from error


def bad_address_text(error: Exception) -> str:
    """Return what is wrong with an address that Python or a library refuses to read."""
    said = str(error).lower()
    if "port" in said:
        return "its port is not a number from 0 to 65535"
    if "ipv6" in said or "bracket" in said or "ipv4" in said:
        return "it names no IP address where one should be"
    if isinstance(error, UnicodeError) or "label" in said or "codec" in said or "idna" in said:
        return "its host is not a name that there can be"
    return "it cannot be read as a web address"
