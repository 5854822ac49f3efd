"""Serves the desk over what `make demo` left in demo-data/, for one made-up reviewer; `make desk` runs it."""

import secrets
import subprocess
import sys
from pathlib import Path

from demo.__main__ import HOME

CONFIG = """\
# Made by `make desk`: what the demo found, and nothing more to scan, since the demo's site is closed.
data_dir: data
rules_dir: rules
fetch:
  contact: demo@example.com
web:
  listen: {listen}
logging:
  level: warning
  format: text
"""
LISTEN, NAME = "127.0.0.1:8765", "demo"


def main() -> int:
    """Serve until Ctrl-C; return the exit code of `guardian run`, or 2 when there is nothing to show."""
    watch = HOME / "watch"
    if not (watch / "data" / "guardian.db").exists():
        print("run `make demo` first: the desk shows what it found", file=sys.stderr)
        return 2

    config = watch / "desk.yaml"
    config.write_text(CONFIG.format(listen=LISTEN), encoding="utf-8")
    password = give_password(config)
    print(f"The desk is at http://{LISTEN}/cases - sign in as {NAME} with {password}\nCtrl-C ends it.", flush=True)
    return guardian(config, "run").returncode


def give_password(config: Path) -> str:
    """Give the reviewer a new password, who is made first where there is none; return the password."""
    password = secrets.token_urlsafe(12)
    is_there = NAME in guardian(config, "user", "list", shown=False).stdout.split()
    words = ("user", "password", NAME) if is_there else ("user", "add", NAME, "--role", "admin")
    guardian(config, *words, "--password-file", "-", given=password, shown=False).check_returncode()
    return password


def guardian(config: Path, *words: str, given: str = "", shown: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a guardian command as a user would; its output is captured unless it is `shown`."""
    command = [sys.executable, "-m", "guardian", "--config", str(config), *words]
    try:
        return subprocess.run(command, check=False, input=given, stdout=None if shown else subprocess.PIPE, text=True)
    except KeyboardInterrupt:
        # The daemon gets Ctrl-C too, and has said goodbye by itself.
        return subprocess.CompletedProcess(command, 0, "")


if __name__ == "__main__":
    sys.exit(main())
