"""The real command over a folder of its own, for the tests of commands."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import tempfile
import termios
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests import forked
from tests.databases import place_database

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Home:
    """A folder with config.yaml; `guardian` runs the command in a process of its own, see tests/forked.py."""

    folder: Path

    def guardian(
        self, *words: str | Path, code: int | None = 0, given: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that must end with this exit code (None: any), and without a traceback."""
        done = forked.guardian(
            "--config", self.folder / "config.yaml", *words, given=given, environment=os.environ | environment
        )
        assert code is None or done.returncode == code, (
            f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return done

    def on_terminal(self, *words: str | Path, columns: int = 80, code: int | None = None) -> list[str]:
        """The lines that a command writes to a terminal of so many columns, without colours."""
        command = [*forked.GUARDIAN, "--config", str(self.folder / "config.yaml"), *map(str, words)]
        return shown_on_terminal(command, columns, code)

    def lines(self, *words: str | Path, code: int = 0) -> list[dict[str, Any]]:
        """What a command with --json says."""
        return [json.loads(line) for line in self.guardian(*words, code=code).stdout.splitlines()]


def shown_on_terminal(command: list[str], columns: int, code: int | None = None) -> list[str]:
    """The lines that a command writes to a terminal on its standard output, without colours. `code`: None is any."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with (
        Path(os.devnull).open() as nothing,
        os.fdopen(theirs, "w") as terminal,
        tempfile.TemporaryFile("w+") as errors,
    ):
        with forked.running(command, (nothing, terminal, errors), environment=environment) as codes:
            terminal.close()
            written = bytearray()
            # Linux ends reading with an error once the command has closed its side.
            with contextlib.suppress(OSError):
                while part := os.read(ours, 65_536):
                    written += part
            os.close(ours)
        errors.seek(0)
        said = errors.read()

    assert code is None or codes == [code], f"{command} ended with {codes}\n{said}"
    assert "Traceback" not in said
    return _COLOUR.sub("", written.decode()).replace("\r\n", "\n").splitlines()


@lru_cache(maxsize=1)
def _initialised() -> tempfile.TemporaryDirectory[str]:
    """A folder that holds `home`, made by the command once in this process, and deleted at its end.

    Its database is made already, or the first command of each test would run all migrations.
    """
    holder = tempfile.TemporaryDirectory(prefix="guardian-tests-")
    assert forked.guardian("init", f"{holder.name}/home").returncode == 0
    place_database(Path(holder.name) / "home" / "data")
    return holder


NO_CAPTURES = "evidence: {capture: {when: []}, browser: {enabled: false}}"


def made_home(folder: Path, more: str = "") -> Home:
    """As `guardian init` leaves it, with loopback allowed and one worker; nothing is captured unless it is asked for.

    A capture visits the site and compares once more, which tests of other things need not pay for.
    """
    shutil.copytree(Path(_initialised().name) / "home", folder)
    (folder / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "matching: {workers: 1}\n"
        f"{NO_CAPTURES}\n{more}"
    )
    return Home(folder)
