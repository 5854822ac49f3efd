"""A real Chromium for tests, and scripts from npm to run in it. Tests skip, saying why, where these are missing."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guardian.errors import BrowserFailed
from guardian.fetch.browser import find_browser
from guardian.fetch.settings import BrowserSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAM: Path | None = None
MISSING = ""
try:
    PROGRAM = find_browser(BrowserSettings())
except BrowserFailed as error:
    MISSING = str(error)

needs_browser = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser that no guard stands before: for guardian's own pages, and what a test serves itself."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=PROGRAM, chromium_sandbox=os.geteuid() != 0, args=["--disable-gpu", "--no-first-run"]
        )
        try:
            yield browser
        finally:
            browser.close()


def from_npm(package: str, sha256: str, member: str, folder: Path) -> bytes:
    """A file of a package ("axe-core@4.14.1"), which npm fetches once for all runs and keeps in this folder.

    Skips the test where npm is missing or cannot fetch it; another package under the same name is an error.
    """
    kept = folder / f"{package.replace('@', '-')}.tgz"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"npm, which would fetch {package}, is not installed")
        with tempfile.TemporaryDirectory(dir=folder) as fetched:
            command = [npm, "pack", "--silent", package]
            try:
                done = subprocess.run(command, cwd=fetched, capture_output=True, text=True, timeout=60, check=False)
            except subprocess.TimeoutExpired:
                pytest.skip(f"npm did not fetch {package} within a minute")
            if done.returncode:
                pytest.skip(f"npm could not fetch {package}: {done.stderr.strip()[-200:]}")
            next(Path(fetched).glob("*.tgz")).rename(kept)

    content = kept.read_bytes()
    assert hashlib.sha256(content).hexdigest() == sha256, f"{kept} is not the package that was tried"
    with tarfile.open(kept) as archive:
        file = archive.extractfile(f"package/{member}")
        assert file is not None
        return file.read()
