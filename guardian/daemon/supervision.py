"""Keeps an error of one part of the daemon from ending the others: it is logged and counted."""

import contextlib
from collections.abc import Iterator

import structlog

from guardian.errors import GuardianError
from guardian.web.metrics import Metrics

log = structlog.get_logger(__name__)


@contextlib.contextmanager
def supervised(metrics: Metrics, event: str, counter: str, **facts: str) -> Iterator[None]:
    """Log an error of the body as `event` and count it, instead of raising it: whatever fails, the rest goes on.

    A GuardianError is the world's fault and said plainly; any other is logged with its traceback.
    """
    try:
        yield
    except GuardianError as error:
        log.warning(event, reason=str(error), **facts)
        metrics.count_failure(counter)
    except Exception:
        log.exception(event, **facts)
        metrics.count_failure(counter)
