"""What commands share: the configuration, read on first use, the database, and the set-up of logs."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.errors import StoreUnusable

if TYPE_CHECKING:
    from guardian.config import Config
    from guardian.store import Store

DEFAULT_CONFIG = Path("config.yaml")


class Session:
    """One invocation of the command line. `config_path` is the value of --config."""

    def __init__(self, config_path: Path = DEFAULT_CONFIG) -> None:
        self.config_path = config_path

    @cached_property
    def config(self) -> "Config":
        """The configuration. Raises ConfigError."""
        # Here and not above: `guardian --help` should not wait for the settings of all packages to load.
        from guardian.child_process import choose_one_thread_for_algebra
        from guardian.config import load_config
        from guardian.matching.kernel_folder import choose_kernel_folder

        config = load_config(self.config_path)
        # In this process and its children, whichever looks at pictures first.
        choose_kernel_folder(config.data_dir, os.environ)
        choose_one_thread_for_algebra(os.environ)
        return config


pass_session = click.make_pass_decorator(Session, ensure=True)


@contextmanager
def opened_store(session: Session) -> Iterator["Store"]:
    """Open the database alone, for commands that need nothing else: the other packages take long to load."""
    from guardian.store import open_store

    store = open_store(session.config.store, session.config.data_dir)
    try:
        yield store
    finally:
        store.close()


def require_sound(store: "Store") -> None:
    """Read the whole database. Raises StoreUnusable when it is damaged."""
    problems = store.problems()
    if problems:
        raise StoreUnusable("the database is damaged; restore a backup (docs/store.md):\n" + "\n".join(problems))


def log_to_stderr(level: str, style: str) -> None:
    """Send logs to standard error, so that standard output carries answers only.

    `level` is the least severe one to write, `style` json or text. Warnings of libraries are written in the same form.
    """
    import structlog

    # asyncio warns of worker processes that end together with the event loop, as they should.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    # guardian/schedule.py logs the same events itself, with the names of sources.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)

    renderer: structlog.typing.Processor
    if style == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

    dated: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *dated,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    foreign = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*dated, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(foreign)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
