"""Whose certificates are believed: contexts for TLS connections. Lists of authorities are read once in a process."""

import ssl
from functools import lru_cache
from pathlib import Path

import httpx


def verifying_context() -> ssl.SSLContext:
    """Return the context of connections whose other end must prove its name. It is shared: do not change it.

    Authorities are those that httpx brings, and the system's, where a company's own authority stands; they are read
    anew when the system's list has changed.
    """
    paths = ssl.get_default_verify_paths()
    return _shared_context(tuple((path, _version(path)) for path in (paths.cafile, paths.capath) if path))


def new_verifying_context() -> ssl.SSLContext:
    """Return a context of one's own, to which authorities may be added. To read the lists takes 20 milliseconds."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def trusting_context() -> ssl.SSLContext:
    """Return a context for connections whose other end may be anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1)
def _shared_context(_of_lists: tuple[tuple[str, tuple[int, int] | None], ...]) -> ssl.SSLContext:
    return new_verifying_context()


def _version(path: str) -> tuple[int, int] | None:
    """Return when a file or folder was last changed, in nanoseconds, and its size; None when it cannot be seen."""
    try:
        now = Path(path).stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size
