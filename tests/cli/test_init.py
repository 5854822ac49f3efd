"""`guardian init` as a person runs it."""

import shlex
import stat
import subprocess
from pathlib import Path

from guardian.config import load_config
from guardian.rules import load
from tests import forked
from tests.disks import fill, small_disk

ROOT = Path(__file__).resolve().parent.parent.parent


def init(*folders: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return forked.guardian("init", *folders, cwd=cwd)


def test_what_is_written_works_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "my watch" / "deep"
    made = init(home)
    assert (made.returncode, made.stderr) == (0, "")
    assert f"cd {shlex.quote(str(home))}" in made.stdout
    config = load_config(home / "config.yaml")
    assert (config.data_dir, config.rules_dir) == (home / "data", home / "rules")
    assert len(load(config.rules_dir, []).rules) >= 3
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700, "what was found is nobody else's business"
    assert forked.guardian("rules", "check", cwd=home).returncode == 0


def test_files_equal_the_shipped_ones(tmp_path: Path) -> None:
    init(tmp_path)
    assert (tmp_path / "config.yaml").read_bytes() == (ROOT / "config.example.yaml").read_bytes()
    shipped = {file.name: file.read_bytes() for file in (ROOT / "rules").glob("*.yaml")}
    assert {file.name: file.read_bytes() for file in (tmp_path / "rules").iterdir()} == shipped


def test_a_second_time_refuses_and_touches_nothing(tmp_path: Path) -> None:
    assert init(tmp_path).returncode == 0
    (tmp_path / "config.yaml").write_text("own_hosts: [mine.example]\n")
    (tmp_path / "rules" / "20-copies.yaml").unlink()
    again = init(tmp_path)
    assert again.returncode == 2
    assert "config.yaml and " in again.stderr
    assert "exist already" in again.stderr
    assert (tmp_path / "config.yaml").read_text() == "own_hosts: [mine.example]\n"
    assert not (tmp_path / "rules" / "20-copies.yaml").exists()


def test_files_of_ones_own_stay(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine")
    assert init(".", cwd=tmp_path).returncode == 0
    assert (tmp_path / "data" / "kept").read_text() == (tmp_path / "notes.txt").read_text() == "mine"


def test_a_full_disk_is_left_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path, 64):
        (tmp_path / "mine").mkdir()
        fill(tmp_path)
        full = init(tmp_path / "mine")
        assert full.returncode == 2
        assert f"cannot write {tmp_path / 'mine'}" in full.stderr
        assert list((tmp_path / "mine").iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    below = init(tmp_path / "file" / "deep")
    assert below.returncode == 2
    assert "cannot write" in below.stderr
    assert "Traceback" not in below.stderr
    assert init(tmp_path / "file").returncode == 2
    assert init().returncode == 2
