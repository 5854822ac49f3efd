"""Installs guardian into .venv with one moving line instead of pip's hundreds. Standard library only.

Called by the Makefile: `.venv/bin/python tools/install.py demo,dev`. What pip said is shown if it fails.
"""

import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

WIDTH = 28


def expected(extras: str) -> int:
    """About how many packages will come: enough for the bar to be honest, pip alone knows the number."""
    pins = len(re.findall(r"^[\w.-]+==", Path("constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    return pins if "dev" in extras else pins // 2


def show(done: int, total: int, word: str, started: float) -> None:
    """Draw the bar over the line before; silent when nobody watches."""
    if not sys.stdout.isatty():
        return
    full = round(WIDTH * min(done / total, 1))
    seconds = round(time.monotonic() - started)
    line = f"  [{'=' * full}{' ' * (WIDTH - full)}] {seconds // 60}:{seconds % 60:02}  {word}"
    print(f"\r{line[:78]:<78}", end="", flush=True)


def main() -> int:
    extras = sys.argv[1]
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    command += ["-c", "constraints.txt", "-e", f".[{extras}]"]
    if "dev" in extras:
        # pip would compile all of torch and its like, one file after the other, for a minute. Python compiles the few
        # that tests import when it first meets them.
        command.append("--no-compile")
    started, total, done, last = time.monotonic(), expected(extras), 0, deque[str](maxlen=40)
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert pip.stdout is not None
    for line in pip.stdout:
        last.append(line.rstrip())
        if line.startswith("Collecting "):
            done += 1
            show(done, total, line.split()[1], started)
        elif line.startswith("Installing collected"):
            show(total, total, "unpacking", started)
    if pip.wait():
        print("\n" + "\n".join(last))
        print(f"pip could not install guardian[{extras}]; what it said last is above.")
        return 1
    show(total, total, "compiling", started)
    # Kept beside the code, so that the first picture does not wait for it.
    if subprocess.run(
        [sys.executable, "-c", "from guardian.matching import kernels; kernels.load()"], check=False
    ).returncode:
        print("\nguardian was installed, but its kernels could not be compiled; what Python said is above.")
        return 1
    show(total, total, "done", started)
    print("" if sys.stdout.isatty() else f"  installed in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
