"""`guardian config`: check everything that guardian is told before it is started."""

import os

import click

from guardian.cli.context import Session, pass_session
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.views.counting import counted


@click.group
def command() -> None:
    """The configuration: check it, with the rules, secrets and paths that it names."""


@command.command("check")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each problem and warning.")
@pass_session
def check(session: Session, as_lines: bool) -> None:
    """Read configuration, rules, secrets and paths, and say what `guardian run` would do.

    Every problem is named with file and line. Nothing is changed, fetched or sent. Secrets in environment variables
    are looked for in the environment of this command. The exit code is 2 when there is a problem; warnings alone
    leave it 0.
    """
    from guardian import preflight

    found = preflight.check(session.config_path, os.environ)
    problems = sum(remark.weight is preflight.RemarkKind.PROBLEM for remark in found.remarks)
    warnings = len(found.remarks) - problems

    if as_lines:
        echo(json_line({"weight": remark.weight.value, "text": remark.text}) for remark in found.remarks)
        raise SystemExit(2 if found.has_problems else 0)

    screen = Screen.of_output()
    echo(screen.facts(found.plan, indent=0, cut=Cut.MIDDLE))
    if found.plan and found.remarks:
        click.echo()
    for remark in found.remarks:
        colour = "red" if remark.weight is preflight.RemarkKind.PROBLEM else "yellow"
        lines = screen.wrapped(remark.text, 2, first=f"{remark.weight.value}: ", cut=Cut.NEVER)
        echo(click.style(line, fg=colour) for line in lines)

    click.echo()
    click.echo(f"{counted(problems, 'problem')}, {counted(warnings, 'warning')} in {session.config_path}")
    raise SystemExit(2 if found.has_problems else 0)
