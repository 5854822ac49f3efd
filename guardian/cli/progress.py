"""The progress bar of commands that take long, shown only on a terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """Show a progress bar on standard error while the block runs; nothing when standard error is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


@contextmanager
def working(doing: str) -> Iterator["Progress"]:
    """Show on a terminal that a command works, and since when, while the block runs; otherwise nothing."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(doing, total=None)
        yield progress


def say_if_kernels_are_compiled() -> None:
    """Print on standard error that kernels are compiled now, where this machine never has: it takes a while."""
    from guardian.matching.kernel_folder import are_kernels_kept

    if not are_kernels_kept(os.environ):
        click.echo("guardian: compiling for this machine, once; this takes up to a minute", err=True)


def say(progress: "Progress", line: str) -> None:
    """Print one line of the command's answer on standard output, above the bar when both are on one terminal."""
    # A line that is printed past the bar would end up inside it.
    if progress.disable or not sys.stdout.isatty():
        click.echo(line)
    else:
        progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
