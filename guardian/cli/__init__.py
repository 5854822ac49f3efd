"""The `guardian` command: finds the file of a subcommand, gives it the configuration, turns errors into exit codes.

One file for each noun; none is imported before it is used, so that `guardian --help` is quick.
"""

import atexit
import gc
import importlib
import io
import sys
import traceback
from pathlib import Path

import click

from guardian import __version__
from guardian.cli.context import DEFAULT_CONFIG, Session, log_to_stderr
from guardian.disk_errors import disk_error_text
from guardian.errors import GuardianError, UsageError

INTERNAL, USAGE, INTERRUPTED = 4, 2, 130
"""Exit codes: a fault of guardian or of the machine; a wrong request or configuration; broken off (128 + SIGINT)."""

_READING_MODULES = ("_compile_bytecode", "get_code")
"""Functions of importlib that read a compiled module."""

COMMANDS = {
    "init": "Write a configuration, rules and a data folder that work as they are.",
    "asset": "Your images: add, sync, list, show, edit, remove, duplicates, siblings, poor, spread.",
    "work": "Versions of one picture, which share cases and licences: list, show, join, split.",
    "check": "Is this a copy of something you own? Answers at once.",
    "search": "What is like a picture or has some words, best first: find, save, run, list, remove, watch, unwatch.",
    "evaluate": "Edit your own works as people do: which copies would be found?",
    "scan": "One pass over one source.",
    "run": "The daemon: scan on schedule, tell, serve health and metrics.",
    "coverage": "What the last scans saw, and what they did not.",
    "source": "The places that are watched: list, try.",
    "config": "Configuration, rules, secrets and paths, before a start: check.",
    "rules": "The rule files and what they said: check, explain, try.",
    "memory": "What scans have met on the web: status, forget, allow, off, on, verify, rebuild.",
    "licence": "Who may use what, where and when: add, import, list, edit, end, suggest...",
    "case": "Uses of your images: list, show, timeline, confirm, dismiss, assign, undo...",
    "evidence": "Proof of uses: capture, list, export, verify, recompute, hold, release, delete, du, check...",
    "notice": "Notices to operators and hosts: draft, check, consider, approve, sent, list...",
    "recheck": "Look again at all places of a case: still there, gone, moved or back?",
    "label": "Your own vocabulary on all that you own and that was seen: list, check, apply.",
    "operator": "Who uses your images, with all their cases and licences: list, show.",
    "user": "Who may sign in to the desk: add, list, role, password, sign-in-link, remove.",
    "token": "What programs show to use the API: add, list, remove.",
    "audit": "Who did what, in a log that shows changes: list, verify.",
    "delivery": "Messages that went out, wait, are held or were given up: list, show, retry, held...",
    "destination": "Who is told: list, test, enable.",
    "quarantine": "Images that end guardian's worker processes: list, free.",
    "model": "The optional neural descriptor: status, fetch.",
    "index": "The search index: status, verify, compare, rebuild.",
    "store": "The database: backup, check, prune.",
}


class _Commands(click.Group):
    """Subcommands by name, imported when used; takes `--config FILE` before and after the subcommand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer needs them, not by the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of a subcommand and return its `command`; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"guardian.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing them, which click would do to read their help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments as if `--config` stood in front, which is where click expects a group's option."""
        return super().parse_args(ctx, _config_first(args))


def _config_first(arguments: list[str]) -> list[str]:
    """Return the arguments with `--config FILE` moved to the front; what follows `--` is left as it is."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            return [*front, *rest, "--", *remaining]
        if argument == "--config":
            file = next(remaining, None)
            if file is None:
                raise click.UsageError("Option '--config' requires an argument.")
            front = ["--config", file]
        elif argument.startswith("--config="):
            front = [argument]
        else:
            rest.append(argument)

    return [*front, *rest]


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="guardian")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The configuration file, before or after the command.",
)
@click.pass_context
def guardian(ctx: click.Context, config: Path) -> None:
    """Finds copies of the images you own, keeps the evidence and tells your legal team."""
    ctx.obj = Session(config)
    # Logs must not stand among a command's answers on standard output. `run` later sets what the configuration says.
    # `check` sets logs up by itself while its worker starts, since its first answer waits for that worker.
    if ctx.invoked_subcommand != "check":
        log_to_stderr("warning", "text")


def main() -> None:
    """Run the command line and exit with its code: INTERNAL, USAGE or INTERRUPTED, else what the subcommand says."""
    # At its end Python looks for garbage among all that libraries made, a quarter of the time of a short command. The
    # memory goes back to the system anyway.
    atexit.register(gc.freeze)

    output = sys.stdout
    # A file name or title that the terminal's encoding cannot write must not end a command half-way.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    try:
        # Without standalone mode click hands back the code of `--help` and the like instead of exiting.
        code = guardian.main(prog_name="guardian", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except SystemExit:
        # When the reader (head, less) went away click ends with 1, which here means that a copy was found.
        if sys.stdout is not output:
            sys.exit(INTERRUPTED)
        raise
    except click.Abort as error:
        # click also takes for Control-C what Python raises when it reads a compiled module that was cut off.
        _exit_if_module_is_damaged(error)
        # Control-C, or a question to which nobody could answer.
        click.echo("guardian: interrupted; what was finished before is safe", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except UsageError as error:
        click.echo(f"guardian: {error}", err=True)
        sys.exit(USAGE)
    except GuardianError as error:
        click.echo(f"guardian: {error}", err=True)
        sys.exit(INTERNAL)
    except BrokenPipeError:
        # The reader (head, less) went away; there is nobody to tell.
        sys.stderr.close()
        sys.exit(INTERRUPTED)
    except OSError as error:
        # The machine's fault, not ours: a full disk, a folder that may not be entered.
        click.echo(f"guardian: {disk_error_text(error)}; what was finished before is safe", err=True)
        sys.exit(INTERNAL)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the outermost supervision point: say it, exit 4
        _exit_if_module_is_damaged(error)
        traceback.print_exc()
        click.echo("guardian: internal error; please report the lines above", err=True)
        sys.exit(INTERNAL)


def _exit_if_module_is_damaged(error: BaseException) -> None:
    """Name the compiled module whose reading raised an error, and exit with INTERNAL; return when there is none."""
    known: BaseException | None = error
    while known is not None:
        for frame, _ in traceback.walk_tb(known.__traceback__):
            # importlib's own function, which alone has this variable.
            file = frame.f_locals.get("bytecode_path") if frame.f_code.co_name in _READING_MODULES else None
            if file is not None:
                click.echo(f"guardian: the compiled module {file} is damaged: delete it, and try again", err=True)
                sys.exit(INTERNAL)
        known = known.__cause__ or known.__context__
