"""The real command over a folder of its own, for the tests of commands."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Home:
    """A folder with config.yaml; `guardian` runs the command in a process of its own."""

    folder: Path

    def guardian(
        self, *words: str | Path, code: int | None = 0, given: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command that must end with this exit code (None: any), and without a traceback."""
        command = [sys.executable, "-m", "guardian", "--config", str(self.folder / "config.yaml"), *map(str, words)]
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            env=os.environ | environment,
        )
        assert code is None or done.returncode == code, (
            f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return done

    def lines(self, *words: str | Path, code: int = 0) -> list[dict[str, Any]]:
        """What a command with --json says."""
        return [json.loads(line) for line in self.guardian(*words, code=code).stdout.splitlines()]


@lru_cache(maxsize=1)
def _initialised() -> tempfile.TemporaryDirectory[str]:
    """A folder that holds `home`, made by the command once in this process, and deleted at its end."""
    holder = tempfile.TemporaryDirectory(prefix="guardian-tests-")
    command = [sys.executable, "-m", "guardian", "init", f"{holder.name}/home"]
    subprocess.run(command, check=True, capture_output=True)
    return holder


def made_home(folder: Path, more: str = "") -> Home:
    """As `guardian init` leaves it, with loopback allowed and one worker."""
    shutil.copytree(Path(_initialised().name) / "home", folder)
    (folder / "config.yaml").write_text(
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        f"matching: {{workers: 1}}\n{more}"
    )
    return Home(folder)
