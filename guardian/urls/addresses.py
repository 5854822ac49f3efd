"""Web addresses as names: canonical forms, hosts, and who operates a host. No I/O and no opinion on safety.

What may be fetched is decided in `fetch`; here addresses are only brought into one spelling each.
"""

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

import idna
from publicsuffixlist import PublicSuffixList

TRACKING = frozenset(
    {"gclid", "gclsrc", "dclid", "wbraid", "gbraid", "fbclid", "msclkid", "yclid", "twclid", "ttclid", "igshid", "igsh"}
    | {"mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "mkt_tok", "oly_anon_id", "oly_enc_id", "vero_id"}
)
"""Query parameters that only say where a visitor came from."""

_SESSION = re.compile(r"(?:phpsessid|jsessionid|aspsessionid\w*|sessid|cfid|cftoken|zenid|oscsid)=.*", re.IGNORECASE)
# These may also name a story or a shop: there only what looks like a session id is one.
_PERHAPS_SESSION = re.compile(r"(?:sid|s_id|session|session_?id)=(?=[^&]*\d)[a-z0-9,_-]{16,}", re.IGNORECASE)
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/?]*|/\(S\([a-z0-9]{24}\)\)(?=/)", re.IGNORECASE)

_PORTS = {"http": 80, "https": 443}
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT_IN_PATH = _UNRESERVED | frozenset(b"!$&'()*+,;=:@/")
_KEPT_IN_QUERY = _KEPT_IN_PATH | frozenset(b"?")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_PLAIN_HTTP = re.compile(r"^http://(?=(?:[^/:\[]+|\[[^]]*\])/)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEFORE_QUERY = re.compile(r"[^?#]*")
_BLANKS = "".join(chr(code) for code in range(0x21))
_INSIDE_BLANKS = str.maketrans("", "", "\t\n\r")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")


def canonical_url(url: str) -> str:
    """One spelling for one address, still fit to be fetched: canonical_url(canonical_url(u)) == canonical_url(u).

    Lower-case scheme and host, IDNA host, numeric hosts as plain IP addresses, no default port, no user name
    or password, dot segments resolved, percent escapes in upper case and only where needed, no fragment, no
    tracking parameters; the other parameters keep their order, since servers may care. An address that
    cannot be parsed comes back percent-escaped but otherwise as it is; nothing is raised.
    """
    text = _plain(url)
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError:
        return _escaped(text, _KEPT_IN_QUERY | frozenset(b"[]"))
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        return _escaped(text.split("#")[0], _KEPT_IN_QUERY | frozenset(b"[]"))
    if not host:
        return _escaped(text, _KEPT_IN_QUERY | frozenset(b"[]"))
    place = host if port is None or port == _PORTS[scheme] else f"{host}:{port}"
    path = without_dots(_escaped(parts.path.replace("\\", "/"), _KEPT_IN_PATH))
    query = "&".join(part for part in parts.query.split("&") if part and not _is_tracking(part))
    return f"{scheme}://{place}{path}" + (f"?{_escaped(query, _KEPT_IN_QUERY)}" if query else "")


def joined(base: str, reference: str) -> str | None:
    """The whole address of what a page names, as browsers read it; None when it is none.

    Blanks around it and line breaks in it are dropped, and backslashes before the query are slashes, as pages
    made on Windows write them.
    """
    text = reference.strip(_BLANKS).translate(_INSIDE_BLANKS)
    place = _BEFORE_QUERY.match(text)
    end = place.end() if place else 0
    try:
        return urljoin(base, text[:end].replace("\\", "/") + text[end:])
    except ValueError:
        return None


def is_web_address(text: str) -> bool:
    """Whether a text is an http(s) address rather than a path."""
    return text[:8].lower().startswith(("http://", "https://"))


def web_address(base: str, reference: str) -> str | None:
    """The whole address of what is named, relative to `base`; None for what is no web address."""
    whole = joined(base, reference)
    return whole if whole and is_web_address(whole) else None


def printed(text: str) -> str:
    """A part of an address with everything that cannot be printed percent-escaped, as browsers ask for it."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else quote(sign) for sign in _whole(text))


def without_dots(path: str) -> str:
    """Dot segments resolved (RFC 3986, 5.2.4); an empty path is "/"."""
    kept: list[str] = []
    segments = path.split("/")[1:] if path.startswith("/") else path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1:] in (["."], [".."]):
        kept.append("")
    return "/" + "/".join(kept)


def address_key(url: str) -> str:
    """The canonical address as a name for "the same page" or "the same picture".

    http and https are one, and so are addresses that differ only in a session id. For comparing and for natural
    keys only; never fetched and never shown.
    """
    # An explicit port belongs to one of the two schemes only, so such addresses stay apart.
    place, _, query = _PLAIN_HTTP.sub("https://", canonical_url(url)).partition("?")
    kept = "&".join(part for part in query.split("&") if not _is_session(part))
    return _SESSION_IN_PATH.sub("", place) + (f"?{kept}" if kept else "")


def host_of(url: str) -> str:
    """The host of an address: lower case, IDNA, without port and brackets; "" when there is none."""
    try:
        host = _host(urlsplit(_plain(url)).hostname or "")
    except ValueError:
        return ""
    return host.strip("[]")


def host_without_www(url: str) -> str:
    """The host of an address, www. left out: most sites answer under both names."""
    return host_of(url).removeprefix("www.")


def host_in(text: str) -> str:
    """The host that a person means by a host, *.host, host:port or a whole address; "" when there is none."""
    plain = text.strip(_BLANKS).removeprefix("*").removeprefix(".")
    if is_ip_address(plain):
        return host_of(f"//[{plain}]" if ":" in plain else f"//{plain}")
    return host_of(plain if "://" in plain else f"//{plain}")


def host_name(text: str) -> str:
    """A host that was written alone, in its one spelling. Raises ValueError that says what to write instead."""
    host = host_in(text)
    if not host:
        raise ValueError(f"{text!r} is not a host name")
    if not is_ip_address(host) and any(sign in text for sign in "/:@*"):
        raise ValueError(f"{text!r} is not a host alone (its subdomains are meant anyway); write {host}")
    return host


def host_is_under(host: str, domain: str) -> bool:
    """Whether a host is the domain or lies below it. Case, a trailing dot and the spelling of IDNs do not matter."""
    inner, outer = host_in(host), host_in(domain)
    return bool(inner and outer) and (inner == outer or inner.endswith(f".{outer}"))


def is_public_suffix(host: str) -> bool:
    """Whether everybody may have a name below this host (com, co.uk, github.io), so that it names nobody."""
    return bool(_suffixes().publicsuffix(host, accept_unknown=False) == host)


def registrable_domain(host: str) -> str:
    """The part of a host that somebody registered: a.b.example.co.uk -> example.co.uk.

    Private suffixes count, so alice.github.io is an operator of its own. IP addresses, single labels and
    public suffixes themselves come back as they are.
    """
    try:
        name = _host(host.strip("[]") if not host.count(":") else f"[{host.strip('[]')}]").strip("[]")
    except ValueError:
        return host.lower()
    if is_ip_address(name):
        return name
    return _suffixes().privatesuffix(name) or name


def is_ip_address(host: str) -> bool:
    """Whether a host (without brackets) is an IPv4 or IPv6 address in its plain spelling."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def _host(host: str) -> str:
    """The host as the canonical URL spells it. Raises ValueError when it cannot be a host."""
    name = unquote_to_bytes(host).decode("utf-8", errors="replace").lower().rstrip(".")
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name.strip('[]')).compressed}]"
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        try:
            return socket.inet_ntoa(socket.inet_aton(name))
        except OSError as error:
            raise ValueError(f"not an IPv4 address: {name}") from error
    if name.isascii():
        if not re.fullmatch(r"[a-z0-9._-]*", name):
            raise ValueError(f"not a host name: {name}")
        return name
    try:
        # NFKC may turn full-width digits into an address in numbers, so the result is looked at again.
        encoded = idna.encode(name, uts46=True, transitional=False).decode("ascii").lower()
    except idna.IDNAError as error:
        raise ValueError(f"not a host name: {name}") from error
    return _host(encoded)


def _plain(url: str) -> str:
    """What browsers drop from an address before reading it is dropped here too."""
    return _whole(url.strip(_BLANKS).translate(_INSIDE_BLANKS))


def _whole(text: str) -> str:
    """Without halves of characters, which cannot be written."""
    return _SURROGATE.sub("\ufffd", text)


def _escaped(text: str, kept: frozenset[int]) -> str:
    """Percent escapes in upper case, unreserved characters plain, everything unsafe escaped."""
    if kept is _KEPT_IN_PATH and _PLAIN_PATH.fullmatch(text):
        return text
    raw = text.encode()
    out: list[str] = []
    position = 0
    while position < len(raw):
        escape = _ESCAPE.match(raw, position)
        if escape:
            value = int(escape[1], 16)
            out.append(chr(value) if value in _UNRESERVED else f"%{value:02X}")
            position += 3
        else:
            value = raw[position]
            out.append(chr(value) if value in kept else f"%{value:02X}")
            position += 1
    return "".join(out)


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in TRACKING or name.startswith("utm_")


def _is_session(parameter: str) -> bool:
    return bool(_SESSION.fullmatch(parameter) or _PERHAPS_SESSION.fullmatch(parameter))
