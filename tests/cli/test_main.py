"""The `guardian` command itself: exit codes, --config anywhere, quick help, clear errors."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from guardian.cli import COMMANDS, guardian
from tests import forked

HEAVY = {"numpy", "torch", "cv2", "sqlalchemy", "guardian.config", "guardian.scan.pipeline", "pydantic", "yaml"}


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return forked.guardian(*arguments, cwd=cwd)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder as `guardian init` leaves it."""
    assert run("init", tmp_path / "watch").returncode == 0
    return tmp_path / "watch"


def photograph(path: Path) -> Image.Image:
    """Discs in seeded colours: enough structure to protect."""
    rng = np.random.default_rng(11)
    pixels = np.full((480, 640, 3), 90, np.uint8)
    rows, columns = np.mgrid[:480, :640]
    for _ in range(150):
        x, y, size = rng.integers(0, 640), rng.integers(0, 480), rng.integers(8, 60)
        pixels[(rows - y) ** 2 + (columns - x) ** 2 < size**2] = rng.integers(0, 255, 3)
    picture = Image.fromarray(pixels)
    picture.save(path)
    return picture


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom guardian.cli import main\nsys.argv = ['guardian', '--help']\n"
        f"try: main()\nfinally: print('loaded:', sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "loaded: []" in shown.stdout
    for name in COMMANDS:
        assert f"\n  {name} " in shown.stdout


def test_every_command_starts_by_itself_and_its_help_loads_nothing_heavy() -> None:
    """Forked from a process that has imported no command; elsewhere from one that has imported all of them."""
    program = (
        "import os, sys\nfrom guardian.cli import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    if not os.fork():\n"
        "        sys.argv = ['guardian', name, '--help']\n"
        "        try: main()\n"
        f"        finally: print('loaded:', name, sorted({HEAVY!r} & set(sys.modules)), flush=True)\n"
        "    _, status = os.wait()\n"
        "    assert status == 0, name\n"
    )
    helped = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (helped.returncode, helped.stderr) == (0, "")
    told = [line for line in helped.stdout.splitlines() if line.startswith(("Usage: ", "loaded: "))]
    expected = ((f"Usage: guardian {name} ", f"loaded: {name} []") for name in COMMANDS)
    for line, beginning in zip(told, chain.from_iterable(expected), strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    context = click.Context(guardian)
    command = guardian.get_command(context, name)
    assert command is not None
    assert command.get_short_help_str(200)
    for below in command.commands.values() if isinstance(command, click.Group) else []:
        assert below.get_short_help_str(200), below.name
        unexplained = [one.name for one in below.params if isinstance(one, click.Option) and not one.help]
        assert not unexplained


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_names_what_is_below_it(name: str) -> None:
    """All of it, or some of it before three dots."""
    command = guardian.get_command(click.Context(guardian), name)
    if isinstance(command, click.Group):
        listed = COMMANDS[name].rpartition(": ")[2]
        named = set(listed.rstrip(".").split(", "))
        assert named <= set(command.commands)
        assert listed.endswith("...") or named == set(command.commands)


def test_version_and_help_end_well(tmp_path: Path) -> None:
    version = run("--version", cwd=tmp_path)
    assert (version.returncode, version.stdout[:18]) == (0, "guardian, version ")
    assert run("rules", "explain", "-h", cwd=tmp_path).returncode == 0, "help needs no configuration"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Usage: guardian"),
        (("chek",), "No such command 'chek'"),
        (("case", "shwo"), "No such command 'shwo'"),
        (("rules", "explain"), "Missing argument 'FINDING'"),
        (("rules", "check", "--loud"), "No such option"),
        (("rules", "check", "--config"), "requires an argument"),
    ],
)
def test_usage_errors_exit_2(home: Path, arguments: tuple[str, ...], words: str) -> None:
    wrong = run(*arguments, cwd=home)
    assert wrong.returncode == 2
    assert words.lower() in wrong.stderr.lower()
    assert wrong.stdout == ""


def test_config_before_and_after_the_command(home: Path, tmp_path: Path) -> None:
    file = home / "config.yaml"
    for arguments in (
        ("--config", file, "rules", "check"),
        (f"--config={file}", "rules", "check"),
        ("rules", "--config", file, "check"),
        ("rules", "check", "--config", file),
        ("rules", "check", f"--config={file}"),
        ("--config", tmp_path / "none.yaml", "rules", "check", "--config", file),
    ):
        shown = run(*arguments, cwd=tmp_path)
        assert (shown.returncode, shown.stderr) == (0, ""), arguments
        assert str(home / "rules") in shown.stdout
    assert run("rules", "check", cwd=home).returncode == 0, "config.yaml of the working folder"


def test_a_missing_configuration_says_how_to_get_one(tmp_path: Path) -> None:
    missing = run("rules", "check", cwd=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr == "guardian: config.yaml: there is no such file; `guardian init DIR` writes one\n"


def test_a_wrong_configuration_is_named_with_file_line_and_column(home: Path) -> None:
    file = home / "config.yaml"
    file.write_text(file.read_text().replace("  delay_per_host: 1s", "  delay_per_hots: 1s"))
    line = file.read_text().splitlines().index("  delay_per_hots: 1s") + 1
    wrong = run("rules", "check", cwd=home)
    assert wrong.returncode == 2
    assert wrong.stderr == (
        f"guardian: config.yaml:{line}:3: there is no key 'fetch.delay_per_hots'; did you mean 'delay_per_host'?\n"
    )


def test_an_unusable_store_is_4_with_one_clear_line(home: Path) -> None:
    (home / "data" / "guardian.db").write_bytes(b"this was a database once" * 500)
    broken = run("case", "list", cwd=home)
    assert broken.returncode == 4
    assert "is damaged" in broken.stderr
    assert "copy your latest backup to" in broken.stderr
    assert "Traceback" not in broken.stderr
    assert broken.stdout == ""


def test_an_error_of_our_own_is_4_with_its_traceback() -> None:
    program = (
        "import sys, click\nfrom guardian import cli\n"
        "@cli.guardian.command('stumble')\ndef stumble() -> None: raise ZeroDivisionError('on purpose')\n"
        "cli.guardian.get_command = lambda context, name: stumble\n"
        "sys.argv = ['guardian', 'stumble']\ncli.main()\n"
    )
    stumbled = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert stumbled.returncode == 4
    assert "Traceback" in stumbled.stderr
    assert "ZeroDivisionError: on purpose" in stumbled.stderr
    assert stumbled.stderr.endswith("guardian: internal error; please report the lines above\n")


def test_a_compiled_module_that_was_cut_off_is_named(tmp_path: Path) -> None:
    """By a full disk, or a power cut. Python raises what click takes for Control-C, or a ValueError."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-m", "guardian", "destination", "--help"]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    (compiled,) = tmp_path.rglob("cli/destination.*.pyc")

    for size in (1000, 40):
        compiled.write_bytes(compiled.read_bytes()[:size])
        damaged = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert damaged.returncode == 4
        assert f"guardian: the compiled module {compiled} is damaged: delete it, and try again\n" in damaged.stderr
        assert "Traceback" not in damaged.stderr
        assert "interrupted" not in damaged.stderr


def test_a_reader_that_goes_away_is_no_internal_error(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        command = [sys.executable, "-m", "guardian", "rules", "check"]
        left = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False, cwd=home)
    assert left.returncode == 130, "1 would say that a copy was found"
    assert "Traceback" not in left.stderr


def test_exit_codes_of_check(home: Path, tmp_path: Path) -> None:
    mine = photograph(tmp_path / "mine.png")
    mine.crop((60, 40, 600, 460)).save(tmp_path / "copy.jpg", quality=70)
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 400, 3), np.uint8)).save(tmp_path / "other.png")
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    assert run("asset", "add", tmp_path / "mine.png", "--collection", "test", cwd=home).returncode == 0
    expected = [
        (["other.png"], 0, ["clear"]),
        (["copy.jpg"], 1, ["copy"]),
        (["torn.jpg"], 3, ["unmatchable"]),
        (["none.jpg"], 3, ["error"]),
        (["torn.jpg", "copy.jpg", "other.png"], 1, ["unmatchable", "copy", "clear"]),
    ]
    for names, code, outcomes in expected:
        checked = run("check", "--json", *(tmp_path / name for name in names), cwd=home)
        lines = [json.loads(line) for line in checked.stdout.splitlines()]
        assert [line["outcome"] for line in lines] == outcomes, checked.stderr
        assert checked.returncode == code, names
        assert [line["target"] for line in lines] == [str(tmp_path / name) for name in names]
