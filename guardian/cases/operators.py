"""Who is behind an address: one case gathers all that one operator shows of one asset."""

from guardian.urls.addresses import canonical_url, host_of, registrable_domain


def operator(page_url: str | None, image_url: str | None, source: str) -> str:
    """The registrable domain (or IP address, without port) that shows the image.

    The page decides, since whoever shows another's file is the one who uses it; without a page the image's
    own host does. What has no host (local files, inline images in them) belongs to "folder:<source>".
    """
    for url in (page_url, image_url):
        if url is not None:
            host = host_of(canonical_url(url))
            return registrable_domain(host) if host else f"folder:{source}"
    return f"folder:{source}"
