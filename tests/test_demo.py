"""`make demo` is the first thing a newcomer runs: it is run here as it is, and what it prints is read."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_demo_finds_copies_accuses_nobody_and_verifies_every_webhook(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "demo"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout
    assert done.returncode == 0, said + done.stderr
    sums = re.search(
        r"(\d+) of (\d+) copies traced to their photograph, (\d+) false alarms among (\d+) unrelated pictures", said
    )
    assert sums, said
    right, copies, alarms, unrelated = map(int, sums.groups())
    assert copies >= 30
    assert right >= 0.9 * copies, said
    assert alarms == 0
    assert unrelated >= 15
    verified = re.search(r"✓ (\d+) of (\d+) messages verified by their receiver", said)
    assert verified, said
    assert verified[1] == verified[2]
    # One alert for each case: photographs, not pictures, are what the receiver is told about.
    assert 12 <= int(verified[2]) < right
    assert "No matching signature found" in said
    assert "licensed uses recognised" in " ".join(said.split()), "the terminal may break the line"
    assert f"{verified[2]} signed messages" in said
    assert done.stderr == "", "nothing but the story, and bars where there is a terminal"

    with subprocess.Popen(
        [sys.executable, "-m", "demo.desk"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as desk:
        assert desk.stdout is not None
        offered = next(line for line in desk.stdout if "http://" in line)
        link = re.search(r"http://\S+", offered)
        assert link is not None
        with httpx.Client(trust_env=False, timeout=60) as browser:
            form = re.search(r'name="form" value="([^"]+)"', browser.get(link[0]).text)
            assert form is not None
            queue = browser.post(link[0], data={"form": form[1]}, follow_redirects=True)
        assert queue.url.path == "/cases"
        assert queue.text.count("/cases/case_") >= 12, "what the demo found"
        desk.send_signal(signal.SIGTERM)
        assert desk.wait() == 1
        with pytest.raises(httpx.ConnectError):
            httpx.get(link[0], trust_env=False)
