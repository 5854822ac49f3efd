"""Brings URLs into canonical form, resolves references, and tells the host and the registered domain of a URL.

Pure text work: nothing is looked up or fetched, and whether a URL is safe to fetch is decided in `fetch`.
"""

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

import idna
from publicsuffixlist import PublicSuffixList

TRACKING = frozenset(
    {"gclid", "gclsrc", "dclid", "wbraid", "gbraid", "fbclid", "msclkid", "yclid", "twclid", "ttclid", "igshid", "igsh"}
    | {"mc_cid", "mc_eid", "_ga", "_gl", "_hsenc", "_hsmi", "mkt_tok", "oly_anon_id", "oly_enc_id", "vero_id"}
)
"""Query parameters of advertising and newsletters. They tell where a visitor came from, never what is shown."""

_SESSION = re.compile(r"(?:phpsessid|jsessionid|aspsessionid\w*|sessid|cfid|cftoken|zenid|oscsid)=.*", re.IGNORECASE)
# These names may also stand for a story or a shop, so only a value that looks like a session id makes them one.
_PERHAPS_SESSION = re.compile(r"(?:sid|s_id|session|session_?id)=(?=[^&]*\d)[a-z0-9,_-]{16,}", re.IGNORECASE)
_SESSION_IN_PATH = re.compile(r";jsessionid=[^/?]*|/\(S\([a-z0-9]{24}\)\)(?=/)", re.IGNORECASE)

_PORTS = {"http": 80, "https": 443}
# Character classes of RFC 3986 (2.2, 2.3, 3.3, 3.4).
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT_IN_PATH = _UNRESERVED | frozenset(b"!$&'()*+,;=:@/")
_KEPT_IN_QUERY = _KEPT_IN_PATH | frozenset(b"?")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]*")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_PLAIN_HTTP = re.compile(r"^http://(?=(?:[^/:\[]+|\[[^]]*\])/)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEFORE_QUERY = re.compile(r"[^?#]*")
# The WHATWG URL Standard strips these around a URL, and removes tabs and line breaks within it.
_BLANKS = "".join(chr(code) for code in range(0x21))
_WITHOUT_LINE_BREAKS = str.maketrans("", "", "\t\n\r")
# A last label of this form makes browsers read the whole host as an IPv4 address: 0x7f.1, 2130706433.
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")
_LONGEST_LABEL = 63


def canonical_url(url: str) -> str:
    """Return the canonical form of a URL, which can still be fetched. Applying it twice changes nothing more.

    Lower-case scheme and host, IDNA host, numeric hosts as plain IP addresses, no default port, no user name
    or password, dot segments resolved, percent escapes in upper case and only where needed, no fragment, no
    tracking parameters; the other parameters keep their order, since servers may care. A URL that cannot be
    parsed is returned percent-escaped but otherwise unchanged; nothing is raised.
    """
    text = _as_browsers_read(url)
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _canonical_host(parts.hostname or "")
    except ValueError:
        return _escaped(text, _KEPT_IN_QUERY | frozenset(b"[]"))

    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        return _escaped(text.split("#")[0], _KEPT_IN_QUERY | frozenset(b"[]"))
    if not host:
        return _escaped(text, _KEPT_IN_QUERY | frozenset(b"[]"))

    origin = host if port is None or port == _PORTS[scheme] else f"{host}:{port}"
    # Browsers take a backslash in a path for a slash. Escapes come first: %2E%2E is a dot segment too.
    path = remove_dot_segments(_escaped(parts.path.replace("\\", "/"), _KEPT_IN_PATH))
    query = "&".join(part for part in parts.query.split("&") if part and not _is_tracking(part))
    return f"{scheme}://{origin}{path}" + (f"?{_escaped(query, _KEPT_IN_QUERY)}" if query else "")


def resolve_url(base: str, reference: str) -> str | None:
    """Return the absolute URL of a reference on a page, as browsers resolve it; None when it cannot be parsed.

    Blanks around the reference and line breaks within it are removed. Backslashes before the query become
    slashes: pages made on Windows write them.
    """
    text = reference.strip(_BLANKS).translate(_WITHOUT_LINE_BREAKS)
    before_query = _BEFORE_QUERY.match(text)
    end = before_query.end() if before_query else 0
    try:
        return urljoin(base, text[:end].replace("\\", "/") + text[end:])
    except ValueError:
        return None


def is_web_address(text: str) -> bool:
    """Return whether a text is an http or https URL rather than the path of a file."""
    return text[:8].lower().startswith(("http://", "https://"))


def resolve_web_url(base: str, reference: str) -> str | None:
    """Return the absolute http(s) URL of a reference relative to `base`; None when it has another scheme or none."""
    absolute = resolve_url(base, reference)
    return absolute if absolute and is_web_address(absolute) else None


def escape_unprintable(text: str) -> str:
    """Return a part of a URL with each unprintable character percent-escaped, as browsers send it."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else quote(sign) for sign in _without_surrogates(text))


def remove_dot_segments(path: str) -> str:
    """Return a path with "." and ".." resolved (RFC 3986, 5.2.4). An empty path becomes "/"."""
    kept: list[str] = []
    segments = path.split("/")[1:] if path.startswith("/") else path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)

    # /a/. and /a/b/.. name a folder, so the slash at the end stays.
    if segments[-1:] in (["."], [".."]):
        kept.append("")
    return "/" + "/".join(kept)


def address_key(url: str) -> str:
    """Return a key that is equal for all URLs of one page or picture.

    http and https count as one, and session ids are left out. The key is for comparing and for natural keys only:
    it is never fetched and never shown.
    """
    # An explicit port belongs to one of the two schemes only, so such URLs stay apart.
    before_query, _, query = _PLAIN_HTTP.sub("https://", canonical_url(url)).partition("?")
    kept = "&".join(part for part in query.split("&") if not _is_session(part))
    return _SESSION_IN_PATH.sub("", before_query) + (f"?{kept}" if kept else "")


def host_of(url: str) -> str:
    """Return the host of a URL in lower case and IDNA, without port and brackets; "" when it has none."""
    try:
        host = _canonical_host(urlsplit(_as_browsers_read(url)).hostname or "")
    except ValueError:
        return ""
    return host.strip("[]")


def host_and_port(host: str, port: int | None) -> str:
    """Return a host and its port (None: that of the scheme) as a URL holds them: an IPv6 address in brackets."""
    in_url = f"[{host}]" if ":" in host else host
    return in_url if port is None else f"{in_url}:{port}"


def with_ascii_host(url: str) -> str:
    """Return a URL with its host as the DNS holds it (xn--...), else unchanged; one that cannot be read as it is.

    Raises ValueError for a port that is no number.
    """
    host = host_of(url)
    if url.isascii() or not host:
        return url

    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{host_and_port(host, parts.port)}").geturl()


def host_without_www(url: str) -> str:
    """Return the host of a URL without a leading "www.", since most sites answer under both names."""
    return host_of(url).removeprefix("www.")


def host_in(text: str) -> str:
    """Return the host in what a person wrote: host, *.host, host:port or a whole URL; "" when there is none."""
    plain = text.strip(_BLANKS).removeprefix("*").removeprefix(".")
    # A bare IPv6 address needs brackets before it can stand in a URL.
    if is_ip_address(plain):
        return host_of(f"//{host_and_port(plain, None)}")
    return host_of(plain if "://" in plain else f"//{plain}")


def host_name(text: str) -> str:
    """Return the canonical form of a host that a person wrote without scheme, port and path.

    Raises ValueError whose text says what to write instead.
    """
    if _is_range(text):
        raise ValueError(f"{text!r} is a range of IP addresses, which is not understood here; write each address")
    host = host_in(text)
    if not host:
        raise ValueError(f"{text!r} is not a host name")
    if is_ip_address(host):
        # Browsers read 10.0 as 10.0.0.0; whoever writes it here may mean all addresses that begin so.
        if not is_ip_address(text.strip(_BLANKS).strip("[]")):
            raise ValueError(f"{text!r} is not an IP address alone; write {host} if that one is meant")
        return host
    if any(sign in text for sign in "/:@*"):
        raise ValueError(f"{text!r} is not a host alone (its subdomains are meant anyway); write {host}")
    return host


def host_is_under(host: str, domain: str) -> bool:
    """Return whether a host equals a domain or lies below it, compared in canonical form.

    A site answers under its bare name and under www alike, so www.shop.example is the same as shop.example: each is
    under the other. Other names below the bare one are under www.shop.example only if they end with it.
    """
    bare = host_in(host)
    return domain_is_under(host, domain) or (bool(bare) and f"www.{bare}" == host_in(domain))


def domain_is_under(domain: str, outer: str) -> bool:
    """Return whether a domain and every name below it are part of another domain, compared in canonical form."""
    inner, whole = host_in(domain), host_in(outer)
    return bool(inner and whole) and (inner == whole or inner.endswith(f".{whole}"))


def is_public_suffix(host: str) -> bool:
    """Return whether anybody may register a name below this host (com, co.uk, github.io), so that it names nobody."""
    return bool(_suffixes().publicsuffix(host, accept_unknown=False) == host)


def registrable_domain(host: str) -> str:
    """Return the domain that somebody registered: a.b.example.co.uk -> example.co.uk.

    Private suffixes of the Public Suffix List count, so alice.github.io is a domain of its own. IP addresses, single
    labels and public suffixes themselves are returned as they are.
    """
    bare = host.strip("[]")
    try:
        name = _canonical_host(f"[{bare}]" if ":" in host else bare).strip("[]")
    except ValueError:
        return host.lower()
    if is_ip_address(name):
        return name
    return _suffixes().privatesuffix(name) or name


def is_ip_address(host: str) -> bool:
    """Return whether a host (without brackets) is an IPv4 or IPv6 address in its usual notation."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_range(text: str) -> bool:
    """Return whether a text is a range of IP addresses, as 10.0.0.0/8 is."""
    try:
        ipaddress.ip_network(text.strip(_BLANKS), strict=False)
    except ValueError:
        return False
    return "/" in text


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def _canonical_host(host: str) -> str:
    """Return the host as it stands in a canonical URL, IPv6 in brackets. Raises ValueError when it is not a host."""
    name = unquote_to_bytes(host).decode("utf-8", errors="replace").lower().rstrip(".")
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name.strip('[]')).compressed}]"

    if not name.isascii():
        # Mapping turns full-width digits into a numeric address, which has a canonical form of its own.
        return _canonical_host(_ascii_name(name))

    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        try:
            # inet_aton reads the notations that browsers read too: octal, hexadecimal, fewer than four parts.
            return socket.inet_ntoa(socket.inet_aton(name))
        except OSError as error:
            raise ValueError(f"not an IPv4 address: {name}") from error

    if not re.fullmatch(r"[a-z0-9._-]*", name):
        raise ValueError(f"not a host name: {name}")
    return name


def _ascii_name(name: str) -> str:
    """Return a host name in the form that the DNS holds (xn--...). Raises ValueError when there is none.

    IDNA 2008 refuses names with emoji or underscores, which exist and which browsers visit: these are only mapped
    (UTS 46) and encoded.
    """
    try:
        return idna.encode(name, uts46=True, transitional=False).decode("ascii").lower()
    except idna.IDNAError:
        pass
    try:
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        labels = [
            label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in mapped.split(".")
        ]
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"not a host name: {name}") from error
    if max(len(label) for label in labels) > _LONGEST_LABEL:
        raise ValueError(f"not a host name: {name}")
    return ".".join(labels)


def _as_browsers_read(url: str) -> str:
    """Return a URL without the blanks and line breaks that browsers remove before they parse it."""
    return _without_surrogates(url.strip(_BLANKS).translate(_WITHOUT_LINE_BREAKS))


def _without_surrogates(text: str) -> str:
    """Return a text with lone surrogates replaced by U+FFFD, since they cannot be encoded as UTF-8."""
    return _SURROGATE.sub("\ufffd", text)


def _escaped(text: str, kept: frozenset[int]) -> str:
    """Return a text with every byte that is not in `kept` percent-escaped, except for escapes that it has already.

    Those are written in upper case, or undone where they stand for an unreserved character (RFC 3986, 2.3).
    """
    # Most paths need no work, and this function is called for every address of a crawl.
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


def shown_url(url: str, *, with_path: bool = True) -> str:
    """Return an address fit for logs: without user, password, query and fragment, which often hold secrets.

    `with_path`: False for addresses of services whose path may be a key, as those of many webhooks are.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an unreadable address"
    path = parts.path if with_path or parts.path in ("", "/") else "/…"
    return f"{parts.scheme}://{host}{path}" if host else path


def without_folders(url: str) -> str:
    """Return an address as people outside may see it: of a local file its name alone, any other as it is."""
    return f"file:{unquote(urlsplit(url).path).rpartition('/')[2]}" if url.startswith("file:") else url
