"""`make demo` is the first thing a newcomer runs: it is run here as it is, and what it prints is read."""

import os
import re
import subprocess
import sys
from pathlib import Path

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
