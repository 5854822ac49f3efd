"""Disks that are read-only or full, for tests: real ones where the tests may mount, else the nearest thing there is."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Have nothing in a folder be written while the body runs: by a read-only mount, or by its permissions."""
    if os.geteuid() == 0:
        _mount("--bind", str(folder), str(folder))
        try:
            _mount("-o", "remount,ro,bind", str(folder))
            yield
        finally:
            subprocess.run(["umount", str(folder)], check=True)
        return

    paths = [folder, *folder.rglob("*")]
    before = {path: path.stat().st_mode for path in paths}
    for path, mode in before.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in before.items():
            path.chmod(mode)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """Make an empty folder a disk of its own, of this size, while the body runs. Skips where one cannot be mounted."""
    _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "guardian-test", str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Write a file until nothing more fits."""
    with (disk / "filling").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def _mount(*arguments: str) -> None:
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, *arguments], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let tests mount a disk")
