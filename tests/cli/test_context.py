"""What every command is given: logs that a machine can read line by line, whoever writes them."""

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, structlog
from guardian.cli.context import log_to_stderr
log_to_stderr("info", {style!r})
structlog.get_logger("guardian").info("scanned", source="gallery")
structlog.get_logger("guardian").debug("too fine")
logging.getLogger("a.library").warning("it says %s", "so")
logging.getLogger("a.library").info("too fine")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("a.library").exception("it failed")
print("an answer")
"""


def run(style: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(style=style)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)


def test_every_line_is_json_also_what_libraries_say() -> None:
    done = run("json")
    assert done.stdout == "an answer\n", "logs never stand among answers"
    ours, theirs, failed = [json.loads(line) for line in done.stderr.splitlines()]
    assert (ours["event"], ours["level"], ours["source"]) == ("scanned", "info", "gallery")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("it says so", "warning", "a.library")
    assert "ZeroDivisionError" in failed["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (ours, theirs, failed))


@pytest.mark.parametrize("words", ["scanned", "it says so", "ZeroDivisionError"])
def test_people_read_lines_without_colours_where_there_is_no_terminal(words: str) -> None:
    said = run("text").stderr
    assert words in said
    assert "\x1b[" not in said
    assert "too fine" not in said
