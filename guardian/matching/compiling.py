"""Compiles kernels with numba, and keeps what was compiled between processes where there is a folder for it.

Without such a folder, or with a damaged one, they are compiled anew in each process: slower, with the same results.
"""

import pickle
from collections.abc import Callable
from typing import Any

import numba
import structlog
from numba.core.caching import FunctionCache

_DAMAGED = (
    *(OSError, EOFError, pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError),
    *(ImportError, RuntimeError, MemoryError, OverflowError),
)
"""What a folder that cannot be used raises, and bytes in it that are no pickle of numba's, or of another version."""

log = structlog.get_logger(__name__)


def kernel(function: Callable[..., Any]) -> Any:
    """Return a function that is compiled when it is first called, and then loaded by later processes.

    It is compiled anew when its own file changes. If only the file of another kernel changes that it calls, remove
    `__pycache__`.
    """
    return _kept(numba.njit(function))


def fused_kernel(function: Callable[..., Any]) -> Any:
    """Return a kernel in which a product is added to a sum in one step, rounded once, where the processor can."""
    return _kept(numba.njit(fastmath={"contract"})(function))


def _kept(compiled: Any) -> Any:
    try:
        # What `cache=True` does; that raises where no folder can be written, and for whatever is wrong in it later.
        compiled._cache = _ForgivingCache(compiled.py_func)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        log.debug("kernel_not_kept", reason=str(error))
    return compiled


class _ForgivingCache(FunctionCache):
    """A folder of compiled functions that may be full, damaged or gone."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return a compiled function, None when there is none that can be read."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except _DAMAGED as error:
            log.debug("kernel_not_loaded", reason=repr(error))
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function, if it can be written."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except _DAMAGED as error:
            # The index beside it is read first.
            log.debug("kernel_not_kept", reason=repr(error))
