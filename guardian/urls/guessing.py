"""Guesses which web address a person meant who wrote it without its scheme."""

import mimetypes

from guardian.urls.addresses import host_in, is_ip_address, is_public_suffix, registrable_domain

# Pictures that Python's own table of file types does not know in every version.
_PICTURES = frozenset(["avif", "heic", "heif", "jfif", "jxl", "psd", "raw", "webp"])


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
