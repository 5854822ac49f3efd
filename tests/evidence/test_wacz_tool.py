"""The WACZ of a capture, checked by the tool of those who wrote the format."""

import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.evidence.wacz import WARC_NAME, ReplayedPage, WaczFacts, write_wacz
from guardian.evidence.warc import write_warc
from guardian.fetch.recording import Exchange

TOOL = Path(__file__).parent / "wacz-tool.txt"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def exchange(url: str, answer: bytes) -> Exchange:
    request = b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
    return Exchange(url, AT, AT, request, answer, ("192.0.2.7",), "192.0.2.7", 80, None, None)


@pytest.fixture
def wacz(tmp_path: Path) -> Path:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
    exchanges = [exchange("http://shop.example/", page), exchange("http://shop.example/gone.jpg", b"")]
    entries = write_warc(tmp_path / WARC_NAME, exchanges, {"software": "guardian"}, AT)
    title = "L\u00e1mparas \u706f <b>"
    pages = [ReplayedPage(entries[0].url, entries[0].at, title)]
    write_wacz(tmp_path / "page.wacz", tmp_path / WARC_NAME, entries, pages, WaczFacts(title, "guardian", AT))
    return tmp_path / "page.wacz"


def validated(wacz: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `wacz validate` says of a file; the tool is installed into a folder once for all runs.

    Skips the test where pip is missing or cannot install it.
    """
    tool = folder / TOOL.stem
    if not tool.exists():
        part = folder / f"{TOOL.stem}.{os.getpid()}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-compile",
            "--no-deps",
            "--target",
            part,
            "-r",
            TOOL,
        ]
        try:
            done = subprocess.run(
                [*command, "--target", part, "-r", TOOL], capture_output=True, text=True, timeout=120, check=False
            )
        except subprocess.TimeoutExpired:
            shutil.rmtree(part, ignore_errors=True)
            pytest.skip("pip did not install the tool wacz within two minutes")
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            pytest.skip(f"pip could not install the tool wacz: {done.stderr.strip()[-200:]}")
        try:
            part.rename(tool)
        except OSError:
            # Another run was faster.
            shutil.rmtree(part, ignore_errors=True)
    run = [sys.executable, "-c", "from wacz.main import main; main()", "validate", "-f", wacz]
    paths = {**os.environ, "PYTHONPATH": str(tool)}
    return subprocess.run(run, capture_output=True, text=True, timeout=120, check=False, env=paths)


def test_the_tool_of_the_format_finds_nothing_wrong_and_notices_a_change(
    wacz: Path, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    folder = pytestconfig.cache.mkdir("wacz")
    said = validated(wacz, folder)
    assert (said.returncode, "the passed WACZ is valid" in said.stdout) == (0, True), said.stdout + said.stderr

    changed = tmp_path / "changed.wacz"
    with zipfile.ZipFile(wacz) as archive, zipfile.ZipFile(changed, "w") as written:
        for name in archive.namelist():
            content = archive.read(name)
            written.writestr(name, content.replace(b"shop.example", b"shop.examples") if "pages" in name else content)
    said = validated(changed, folder)
    assert "the passed WACZ is valid" not in said.stdout
