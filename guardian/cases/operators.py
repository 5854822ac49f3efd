"""Tells the operator of an address, by which findings are grouped: one case for each work and operator."""

from collections.abc import Sequence

from guardian.urls.accounts import Platform, account_of
from guardian.urls.addresses import canonical_url, host_of, registrable_domain


def operator(page_url: str | None, image_url: str | None, source: str, platforms: Sequence[Platform] = ()) -> str:
    """Return the account, registrable domain or IP address (without port) that shows the image.

    The page decides, since whoever shows a file is its user, also when the file lies on another host: the account of a
    platform that it belongs to (`platforms` are known beside the usual ones), else its host. Without a page the host of
    the image decides. What has no host (local files) belongs to "folder:<source>".
    """
    account = account_of(page_url, platforms) if page_url is not None else None
    return account or domain_operator(page_url, image_url, source)


def domain_operator(page_url: str | None, image_url: str | None, source: str) -> str:
    """Return the operator of an address as it is where accounts are not told apart."""
    for url in (page_url, image_url):
        if url is not None:
            host = host_of(canonical_url(url))
            return registrable_domain(host) if host else f"folder:{source}"

    return f"folder:{source}"
