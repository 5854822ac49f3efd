"""The built wheel works on its own: installed in an empty environment, outside of the checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
# What a build needs; copying it leaves the checkout clean of build folders.
BUILT_FROM = ("guardian", "rules", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.exists():
            shutil.copy2(path, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(source),
    ]
    subprocess.run(command, check=True)
    (built,) = out.glob("guardian-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `guardian` command of an environment that has the wheel; the dependencies are lent from this one.

    The loan is a .pth file of folder paths: the editable install of the checkout is not followed from there. What
    was compiled of the same code is lent too: that kernels are compiled where they never were is for the tests of them.
    """
    home = tmp_path_factory.mktemp("empty")
    venv.create(home, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "lent.pth").write_text("\n".join(sorted(lent)) + "\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(home / "bin" / "python"),
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
    ]
    subprocess.run([*command, "--ignore-installed", "--no-index", str(wheel)], check=True)
    lend_compiled(site)
    return home / "bin" / "guardian"


def lend_compiled(site: Path) -> None:
    """Copy what Python and numba have compiled of the checkout beside the same code; both compare the code's time."""
    for file in site.glob("guardian/**/*.py"):
        original = ROOT / file.relative_to(site)
        assert file.read_bytes() == original.read_bytes()
        at = original.stat()
        os.utime(file, ns=(at.st_atime_ns, at.st_mtime_ns))
    # File by file: other processes of these tests compile meanwhile, and what they write has another name at first.
    for kind in ("pyc", "nbi", "nbc"):
        for file in ROOT.glob(f"guardian/**/__pycache__/*.{kind}"):
            there = site / file.relative_to(ROOT)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, there)


def guardian(command: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(command), *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def photograph(path: Path) -> None:
    """Something with enough structure to protect: overlapping discs and bars in seeded colours."""
    rng = np.random.default_rng(7)
    pixels = np.full((480, 640, 3), 90, np.uint8)
    rows, columns = np.mgrid[:480, :640]
    for _ in range(160):
        x, y, size = rng.integers(0, 640), rng.integers(0, 480), rng.integers(8, 60)
        shape = (
            (rows - y) ** 2 + (columns - x) ** 2 < size**2
            if rng.random() < 0.5
            else abs(rows - y) + abs(columns - x) < size
        )
        pixels[shape] = rng.integers(0, 255, 3)
    Image.fromarray(pixels).save(path)


def test_wheel_carries_all_that_is_not_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    shipped = {f"guardian/shipped_rules/{file.name}" for file in (ROOT / "rules").glob("*.yaml")}
    data = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "guardian").rglob("*")
        if file.is_file() and file.suffix not in {".pyc", ".so"} and "__pycache__" not in file.parts
    }
    assert shipped, "there are no rule files to ship"
    assert inside >= shipped | data, sorted((shipped | data) - inside)
    assert "guardian/store/migrations/env.py" in inside
    assert not [name for name in inside if name.startswith(("tests/", "demo/", "rules/", "bench/"))]


def test_installed_wheel_does_the_main_job_outside_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(installed.with_name("python")), "-c", "import guardian; print(guardian.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(installed.parent.parent) in where.stdout, "this runs the checkout, not the wheel"

    made = guardian(installed, "init", "watch", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    home = tmp_path / "watch"
    assert {file.name for file in (home / "rules").glob("*.yaml")} == {
        file.name for file in (ROOT / "rules").glob("*.yaml")
    }

    ruled = guardian(installed, "rules", "check", cwd=home)
    assert ruled.returncode == 0, ruled.stdout + ruled.stderr

    photograph(tmp_path / "mine.png")
    added = guardian(installed, "asset", "add", tmp_path / "mine.png", "--collection", "test", cwd=home)
    assert added.returncode == 0, added.stdout + added.stderr

    with Image.open(tmp_path / "mine.png") as mine:
        mine.crop((60, 40, 600, 460)).save(tmp_path / "copy.jpg", quality=70)
    checked = guardian(installed, "check", "--json", tmp_path / "copy.jpg", cwd=home)
    assert checked.returncode == 1, checked.stdout + checked.stderr
    (answer,) = [json.loads(line) for line in checked.stdout.splitlines()]
    assert answer["outcome"] == "copy"
    assert answer["matches"][0]["asset"]["path"] == str(tmp_path / "mine.png")
    assert answer["matches"][0]["comparison"]["embedding_similarity"] is None
