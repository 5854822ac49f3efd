"""Gives memory that was freed back to the system: glibc keeps it, for each thread that ever needed some."""

import ctypes
from functools import lru_cache
from typing import Any


def give_back() -> None:
    """Return freed memory to the system; does nothing where the C library has no malloc_trim. Takes milliseconds.

    For after work that needs many megabytes once in a while: done in another thread each time, every one keeps them.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _malloc_trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
