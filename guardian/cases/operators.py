"""Tells the operator of an address, by which findings are grouped: one case for each work and operator."""

from guardian.urls.addresses import canonical_url, host_of, registrable_domain


def operator(page_url: str | None, image_url: str | None, source: str) -> str:
    """Return the registrable domain (or IP address, without port) that shows the image.

    The host of the page decides, since whoever shows a file is its user, also when the file lies on another host;
    without a page the host of the image decides. What has no host (local files) belongs to "folder:<source>".
    """
    for url in (page_url, image_url):
        if url is not None:
            host = host_of(canonical_url(url))
            return registrable_domain(host) if host else f"folder:{source}"

    return f"folder:{source}"
