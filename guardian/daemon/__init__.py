"""`guardian run`: schedule, scans, deliveries and the web server, started and stopped together."""

from guardian.daemon.running import run, run_once

__all__ = ["run", "run_once"]
