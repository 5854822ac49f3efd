"""Serves the desk over what `make demo` left in demo-data/, for one made-up reviewer; `make desk` runs it.

The demo's web site is served again where it was, so that its pages can be scanned, tried, captured and looked at.
"""

import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from demo.site import Site

HOME = Path("demo-data")

HEADING = """\
# Made by `make desk`: the configuration of the demo with the desk, and without its receiver of messages, which is gone.
"""
PORT, NAME = 8765, "demo"


def main() -> int:
    """Serve until Ctrl-C; return the exit code of `guardian run`, or 2 when there is nothing to show."""
    watch = HOME / "watch"
    if not (watch / "data" / "guardian.db").exists():
        print("run `make demo` first: the desk shows what it found", file=sys.stderr)
        return 2
    return serve(watch)


def serve(watch: Path) -> int:
    """Serve the desk over the demo's folder until Ctrl-C, and print one address that signs in; return the exit code."""
    listen = free_address()
    config = watch / "desk.yaml"
    settings = yaml.safe_load((watch / "config.yaml").read_text(encoding="utf-8"))
    site = site_of(settings)
    if site is None:
        # What is at those addresses now is not the demo's.
        settings["sources"] = []
    settings["destinations"] = []
    settings |= {"web": {"listen": listen}, "logging": {"level": "error", "format": "text"}}
    config.write_text(HEADING + yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # A terminal that is closed ends the daemon too.
        signal.signal(ending, lambda *_: sys.exit(1))
    # In a session of its own: Ctrl-C reaches this process alone, which then tells the daemon once.
    daemon = subprocess.Popen(command(config, "run"), start_new_session=True)
    try:
        if answers(listen, daemon):
            print(
                f"\nThe desk, signed in, for this machine and once: {sign_in_link(config)}\nCtrl-C ends it.", flush=True
            )
        return daemon.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        daemon.terminate()
        daemon.wait()
        if site is not None:
            site.close()


def site_of(settings: Mapping[str, Any]) -> Site | None:
    """Serve the demo's web site where its configuration looks for it; None when something else has that port."""
    port = urlsplit(settings["sources"][0]["url"]).port
    try:
        return Site(HOME / "site", port or 0)
    except OSError:
        print("the port of the demo's site is taken by now: the desk shows no sources", file=sys.stderr)
        return None


def free_address() -> str:
    """Return the usual address of the desk, or one with a free port where something else has that."""
    for port in (PORT, 0):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{tried.getsockname()[1]}"
    raise SystemExit("no port is free at 127.0.0.1")


def answers(listen: str, daemon: subprocess.Popen[bytes]) -> bool:
    """Wait until the daemon answers; return False when it ended before it did."""
    # The address is of this machine, whatever proxy the environment names.
    with httpx.Client(trust_env=False, timeout=5) as asking:
        while daemon.poll() is None:
            try:
                asking.get(f"http://{listen}/health")
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return True
    return False


def sign_in_link(config: Path) -> str:
    """Return an address that signs the reviewer in once, who is made first where there is none."""
    words = command(config, "user", "sign-in-link", NAME, "--minutes", "60")
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        # A password that nobody knows: the reviewer comes by such addresses alone.
        adding = command(config, "user", "add", NAME, "--role", "admin", "--password-file", "-")
        subprocess.run(adding, check=True, input=secrets.token_urlsafe(32), capture_output=True, text=True)
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def command(config: Path, *words: str) -> list[str]:
    """Return the command line of a guardian command."""
    return [sys.executable, "-m", "guardian", "--config", str(config), *words]


if __name__ == "__main__":
    sys.exit(main())
