"""The progress bar of commands that take a while; silent where nobody looks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """A bar on standard error, gone when it is done; nothing at all when standard error is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


def say(progress: "Progress", line: str) -> None:
    """One line of the command's answer, on standard output; above the bar where both are the same terminal."""
    if progress.disable or not sys.stdout.isatty():
        click.echo(line)
    else:
        progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
