"""Installs guardian into .venv with one moving line instead of pip's hundreds. Standard library only.

Called by the Makefile: `.venv/bin/python tools/install.py demo,dev`. What pip said is shown if it fails.
"""

import re
import subprocess
import sys
import time
import tomllib
from collections import deque
from pathlib import Path

WIDTH = 28
LARGE = "clip"
"""The extra that takes as long as all others together: it comes last, while the kernels are compiled."""

COMPILE = [sys.executable, "-c", "from guardian.matching import kernels; kernels.load()"]


def expected(extras: str) -> int:
    """About how many packages will come: enough for the bar to be honest, pip alone knows the number."""
    pins = len(re.findall(r"^[\w.-]+==", Path("constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    return pins if "dev" in extras else pins // 2


def packages_of(extra: str) -> list[str]:
    """Return the packages that pyproject.toml names for one extra."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages: list[str] = project["optional-dependencies"][extra]
    return packages


class Bar:
    """One line that grows with the packages that pip has collected."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._started = time.monotonic()

    def collected(self, package: str) -> None:
        """Count one more package."""
        self._done += 1
        self.show(package)

    def show(self, word: str, *, full: bool = False) -> None:
        """Draw the bar over the line before; silent when nobody watches."""
        if not sys.stdout.isatty():
            return
        filled = WIDTH if full else round(WIDTH * min(self._done / self._total, 1))
        seconds = round(self.seconds)
        line = f"  [{'=' * filled}{' ' * (WIDTH - filled)}] {seconds // 60}:{seconds % 60:02}  {word}"
        print(f"\r{line[:78]:<78}", end="", flush=True)

    @property
    def seconds(self) -> float:
        """Seconds since the bar was made."""
        return time.monotonic() - self._started


def install(what: list[str], bar: Bar, *, compiled: bool) -> bool:
    """Run `pip install` and return whether it succeeded; show what pip said last if it did not."""
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    command += [] if compiled else ["--no-compile"]
    pip = subprocess.Popen(
        [*command, "-c", "constraints.txt", *what], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert pip.stdout is not None

    last = deque[str](maxlen=40)
    for line in pip.stdout:
        last.append(line.rstrip())
        if line.startswith("Collecting "):
            bar.collected(line.split()[1])
        elif line.startswith("Installing collected"):
            bar.show("unpacking")

    if pip.wait() == 0:
        return True
    print("\n" + "\n".join(last))
    print(f"pip could not install {' '.join(what)}; what it said last is above.")
    return False


def main() -> int:
    extras = sys.argv[1].split(",")
    bar = Bar(expected(sys.argv[1]))
    # pip would compile all of torch and its like, one file after the other, for a minute. Python compiles the few
    # that tests import when it first meets them.
    compiled = "dev" not in extras

    if not install(["-e", f".[{','.join(extra for extra in extras if extra != LARGE)}]"], bar, compiled=compiled):
        return 1

    # Kept beside the code, so that the first picture does not wait for it.
    kernels = subprocess.Popen(COMPILE)
    large_installed = LARGE not in extras or install(packages_of(LARGE), bar, compiled=compiled)
    bar.show("compiling", full=True)
    if kernels.wait():
        print("\nguardian was installed, but its kernels could not be compiled; what Python said is above.")
        return 1
    if not large_installed:
        return 1

    bar.show("done", full=True)
    print("" if sys.stdout.isatty() else f"  installed in {bar.seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
