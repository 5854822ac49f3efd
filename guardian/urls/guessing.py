"""Guesses which web address a person meant who wrote it without its scheme."""

import mimetypes
import re
from urllib.parse import unquote, urlsplit

from guardian.urls.addresses import host_in, is_ip_address, is_public_suffix, registrable_domain

# Pictures that Python's own table of file types does not know in every version.
_PICTURES = frozenset(["avif", "heic", "heif", "jfif", "jxl", "psd", "raw", "webp"])


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://|(data|mailto|blob|about|javascript):", re.IGNORECASE)


def other_scheme(text: str) -> str | None:
    """Return the scheme of an address such as ftp://shop.example or data:..., in lower case; None without one."""
    found = _SCHEME.match(text)
    return (found[1] or found[2]).lower() if found else None


def path_of_file_url(text: str) -> str | None:
    """Return the path that an address such as file:///srv/a%20b.png names; None for other texts, and other machines."""
    if other_scheme(text) != "file":
        return None
    parts = urlsplit(text)
    is_here = parts.hostname in (None, "localhost")
    return unquote(parts.path, errors="surrogateescape") or None if is_here else None


def likely_web_address(text: str) -> str | None:
    """Return the web address that a text such as shop.example/gallery may mean; None for what looks like a file.

    Whether there is a file of that name is for the caller to find out first.
    """
    first, slash, rest = text.partition("/")
    host = host_in(first)
    name, dot, ending = host.rpartition(".")
    if "://" in text or not first or first.startswith((".", "~")) or not dot or not name or " " in first:
        return None
    if is_ip_address(host):
        return f"http://{text}"
    if not ending.isalpha():
        return None

    # photo.jpg is a file, and so is notes.txt; shop.com is no program, since .com is a domain that is registered in.
    is_registered = is_public_suffix(host.removeprefix(registrable_domain(host).partition(".")[0] + "."))
    looks_like_file = mimetypes.guess_type(f"a.{ending}")[0] is not None or ending in _PICTURES
    if looks_like_file and not is_registered and not slash:
        return None
    return f"https://{first}{slash}{rest}"
