"""`guardian init DIR`: writes a configuration, rules and a data folder that work as they are."""

import shlex
import shutil
from pathlib import Path

import click

from guardian.errors import UsageError


@click.command
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> None:
    """Write config.yaml, rules/ and a data folder into DIR. Nothing that is there already is touched."""
    from guardian.config import example_text
    from guardian.shipped import rules_folder

    # The shipped rules are looked for before anything is written: a broken installation leaves no half folder.
    config, rules = folder / "config.yaml", folder / "rules"
    shipped = sorted(rules_folder().glob("*.yaml"))
    made = False
    try:
        present = [str(path) for path in (config, rules) if path.exists()]
        if present:
            raise UsageError(f"{' and '.join(present)} exist already; choose another folder, or remove them first")

        folder.mkdir(parents=True, exist_ok=True)
        rules.mkdir()
        made = True
        for file in shipped:
            shutil.copyfile(file, rules / file.name)

        # Other users of the machine have no business with evidence.
        (folder / "data").mkdir(mode=0o700, exist_ok=True)
        config.write_text(example_text(), encoding="utf-8")
    except OSError as error:
        # Half a folder would be in the way of a second try.
        if made:
            shutil.rmtree(rules, ignore_errors=True)
            config.unlink(missing_ok=True)
        # Of two files the second is the one that was written.
        where = error.filename2 or error.filename or folder
        raise UsageError(f"cannot write {where}: {error.strerror}") from error

    click.echo(f"Wrote {config}, {rules} and {folder / 'data'}.")
    click.echo("Next:")
    click.echo(f"  cd {shlex.quote(str(folder))}")
    click.echo("  guardian asset add ~/Pictures --collection mine     protect your images")
    click.echo("  guardian check https://example.com/page             look for copies on one page")
    click.echo("  edit config.yaml: fetch.contact, sources, destinations; then: guardian run")
