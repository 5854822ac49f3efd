"""Runs the demo: protect, publish, scan, alert, report. Everything it makes stays in demo-data/ to look at.

`python -m demo --picture FILE.svg` also draws its report, as the README shows it.
"""

import argparse
import asyncio
import base64
import io
import json
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo import desk, report
from demo.desk import HOME
from demo.photographs import PROTECTED, copy_protected
from demo.receiver import Receiver
from demo.site import PAGES, Exhibit, Site, build, planned
from guardian.cli.context import log_to_stderr
from guardian.daemon import run_once
from guardian.model import Answer, Skipped

PRESS = "rocket"  # the site has a licence for this one

CONFIG = """\
# Made by `make demo`. Every other setting keeps its default: see config.example.yaml.
data_dir: data
rules_dir: rules
fetch:
  contact: demo@example.com
  # The demo's site is on this machine; without this line guardian refuses to fetch from it.
  allow_networks: [127.0.0.0/8]
  delay_per_host: 0s
# Each case would be captured as it opens. For the demo's time one is captured by hand, and without a browser.
evidence:
  capture: {{when: []}}
  browser: {{enabled: false}}
sources:
{sources}
destinations:
  - name: ticket-system
    kind: webhook
    url: {receiver}
    secret_file: secret
"""
SOURCE = "  - {{name: {name}, kind: page, url: '{site}/{name}.html', every: 15m}}"


def main() -> int:
    """Run the demo; return 0 when copies were found, nobody was accused wrongly and every alert was verified."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="The main job on real photographs.")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="also draw the report into this file")
    picture = parser.parse_args().picture
    console = Console(width=None if sys.stdout.isatty() else 110)
    started = time.monotonic()
    # A daemon's log is not for the reader of the demo.
    log_to_stderr("warning", "text")
    shutil.rmtree(HOME, ignore_errors=True)
    watch = HOME / "watch"

    console.print(
        "[bold]guardian demo[/]: protects photographs, shows edited copies on a web site, finds and reports them\n"
    )

    command(console, "init", watch, lines=slice(1))
    exhibits = make_site(console, HOME / "site")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    site, receiver = Site(HOME / "site"), Receiver(secret)
    try:
        configure(watch, site.url, receiver.url, secret)
        config = watch / "config.yaml"
        protect(console, config)
        pairs = asyncio.run(scan_all(console, config, exhibits))
        prove(console, config)
    finally:
        site.close()
        receiver.close()

    exit_code = print_report(console, pairs, receiver, time.monotonic() - started)
    if picture is not None and receiver.received:
        draw(picture, pairs, receiver)
    if sys.stdin.isatty() and sys.stdout.isatty():
        desk.serve(watch)
    return exit_code


def protect(console: Console, config: Path) -> None:
    """Protect the photographs in two collections, one of which the site may use."""
    for collection in ("portfolio", "press"):
        folder = HOME / "photographs" / collection
        chosen = [photograph for photograph in PROTECTED if (photograph.name == PRESS) == (collection == "press")]
        copy_protected(chosen, folder)
        add = ("asset", "add", folder, "--collection", collection, "--config", config)
        command(console, *add, lines=slice(-1, None))

    command(console, "licence", "add", "--host", "127.0.0.1", "--collection", "press", "--config", config)


def command(console: Console, *arguments: object, lines: slice = slice(None)) -> None:
    """Print a guardian command, run it as a user would, and print these lines of its output. Exit when it fails."""
    words = [str(argument) for argument in arguments]
    console.print(f"[bold cyan]$ guardian {' '.join(words)}[/]", highlight=False, soft_wrap=True)
    # Standard error is not captured, so that the command's progress bar is seen.
    done = subprocess.run([sys.executable, "-m", "guardian", *words], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}the command ended with {done.returncode}")
    for line in done.stdout.splitlines()[lines]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print()


def bar(console: Console) -> Progress:
    """Return a progress bar; all longer steps of the demo use the same kind."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def make_site(console: Console, folder: Path) -> dict[str, Exhibit]:
    """Make the pictures and pages of the site; return the exhibits by file name."""
    with bar(console) as progress:
        exhibits = {
            exhibit.file: exhibit
            for exhibit in progress.track(build(folder), len(planned()), description="making the site")
        }
    copies = sum(exhibit.shows is not None for exhibit in exhibits.values())
    console.print(
        f"a web site of {len(PAGES)} pages: {copies} edited copies, {len(exhibits) - copies} unrelated pictures\n"
    )
    return exhibits


def configure(watch: Path, site: str, receiver: str, secret: str) -> None:
    """Write a config.yaml with the site's pages as sources and the receiver as destination."""
    sources = "\n".join(SOURCE.format(name=name, site=site) for name in PAGES)
    (watch / "config.yaml").write_text(CONFIG.format(sources=sources, receiver=receiver), encoding="utf-8")
    (watch / "secret").write_text(secret + "\n", encoding="utf-8")
    (watch / "secret").chmod(0o600)


async def scan_all(console: Console, config: Path, exhibits: dict[str, Exhibit]) -> list[tuple[Exhibit, Answer]]:
    """Scan every source once and deliver due messages, with the daemon's own code (`guardian run --once`).

    Returns each exhibit that was seen, with its answer.
    """
    pairs: list[tuple[Exhibit, Answer]] = []
    console.print(f"[bold cyan]$ guardian run --once --config {config}[/]", highlight=False, soft_wrap=True)
    with bar(console) as progress:
        step = progress.add_task("scanning", total=len(exhibits))

        def listen(result: Answer | Skipped) -> None:
            if isinstance(result, Skipped):
                return
            url = result.sighting.image_url or ""
            exhibit = exhibits.get(url.rpartition("/")[2])
            if exhibit is not None:
                pairs.append((exhibit, result))
                progress.advance(step)

        await run_once(config, listen)

    unseen = set(exhibits) - {exhibit.file for exhibit, _ in pairs}
    console.print(
        f"{len(pairs)} pictures seen on {len(PAGES)} pages"
        + (f", {len(unseen)} never seen: {sorted(unseen)}" if unseen else "")
        + "\n"
    )
    return pairs


def prove(console: Console, config: Path) -> None:
    """Capture the last case as proof, write it into a bundle, and verify that as somebody else would."""
    words = [sys.executable, "-m", "guardian", "case", "list", "--limit", "1", "--json", "--config", str(config)]
    case = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)["id"]
    bundle = HOME / "proof.zip"
    command(console, "evidence", "capture", case, "--config", config)
    command(console, "evidence", "export", case, "--out", bundle, "--config", config, lines=slice(1))
    command(console, "evidence", "verify", bundle, lines=slice(1))


def print_report(console: Console, pairs: Sequence[tuple[Exhibit, Answer]], receiver: Receiver, seconds: float) -> int:
    """Print the report; return the exit code, 0 when the main job worked."""
    console.print(report.found_table(pairs))
    console.print(report.verdict(pairs))
    console.print()
    if not receiver.received:
        console.print("[red]No webhook arrived.[/]")
        return 1

    one = receiver.received[0]
    console.print(report.cases(pairs, len(receiver.received)), highlight=False)
    console.print()
    # A receiver that accepts everything would prove nothing: one changed word must be refused.
    tampered = receiver.verify(one.headers, one.body.replace(b"case", b"cause", 1))
    console.print(report.webhook_panel(receiver.received, tampered))
    credits_line = "; ".join(f"{photograph.title}: {photograph.credit}" for photograph in PROTECTED)
    console.print(f"[dim]Photographs: {credits_line}.[/]\n", highlight=False)
    report.next_steps(console, str(HOME / "watch"))
    console.print(f"\n[dim]{seconds:.0f} s in all. What the demo made is in {HOME}/.[/]", highlight=False)

    genuine = all(each.refused is None for each in receiver.received) and tampered is not None
    return 0 if genuine and not report.false_alarms(pairs) and any(report.is_right(*pair) for pair in pairs) else 1


def draw(picture: Path, pairs: Sequence[tuple[Exhibit, Answer]], receiver: Receiver) -> None:
    """Draw the report as an SVG picture for documents: what a terminal shows, in the fonts of the reader's machine."""
    terminal = Console(width=110, record=True, file=io.StringIO())
    terminal.print("[bold cyan]$ make demo[/]\n", report.found_table(pairs), report.verdict(pairs), sep="")
    terminal.print(report.cases(pairs, len(receiver.received)), highlight=False)
    drawn = re.sub(r"@font-face \{.*?\}", "", terminal.export_svg(title="guardian"), flags=re.DOTALL)
    picture.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
