"""A bar on the terminal never swallows what a command answers."""

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

from tests.cli.home import Home


class Terminal:
    """A pseudo-terminal; `written` is all that was shown on it."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self._parts: list[bytes] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def written(self) -> str:
        os.close(self.theirs)
        self._reading.join()
        os.close(self._ours)
        return b"".join(self._parts).decode()

    def _read(self) -> None:
        try:
            while part := os.read(self._ours, 4096):
                self._parts.append(part)
        except OSError:
            # Linux says EIO when nobody has the other end open any more.
            return


def adding(home: Home, picture: Path, *words: str) -> list[str]:
    config = str(home.folder / "config.yaml")
    add = ["asset", "add", str(picture), "--collection", "press", *words]
    return [sys.executable, "-m", "guardian", "--config", config, *add]


def test_json_goes_to_standard_output_while_the_bar_is_on_the_terminal(own: Home) -> None:
    picture = own.folder.parent / "again.png"
    picture.write_bytes(next((own.folder / "data" / "originals").glob("*/*")).read_bytes())
    terminal = Terminal()
    done = subprocess.run(
        adding(own, picture, "--json"), stdout=subprocess.PIPE, stderr=terminal.theirs, check=True, timeout=120
    )
    shown = terminal.written()
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["outcome"] == "known_before"
    assert "protecting" in shown
    assert "known_before" not in shown


def test_lines_stand_above_the_bar_where_both_share_the_terminal(own: Home) -> None:
    picture = own.folder.parent / "[bold]again.png"
    picture.write_bytes(next((own.folder / "data" / "originals").glob("*/*")).read_bytes())
    terminal = Terminal()
    subprocess.run(adding(own, picture), stdout=terminal.theirs, stderr=terminal.theirs, check=True, timeout=120)
    shown = terminal.written()
    assert "protecting" in shown
    assert f"known before {picture}" in shown
    assert shown.rstrip().endswith("1 known before")
