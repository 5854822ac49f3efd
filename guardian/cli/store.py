"""`guardian store`: back up the database while guardian runs, check it, prune it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, opened_store, pass_session, require_sound
from guardian.cli.progress import progress_bar
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import json_line
from guardian.model import Asset, AssetState
from guardian.views.counting import counted, size_text
from guardian.views.plain_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from guardian.evidence.vault import KeptState

DAMAGED = 4
"""Exit code: something is not sound."""


@click.group
def command() -> None:
    """The database: back it up, check it, prune it."""


@command.command("backup")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def back_up(session: Session, path: Path) -> None:
    """Write a whole copy of the database to PATH, also while guardian runs.

    The copy appears under its name only when it is complete, sound and on disk; an older one is replaced.
    It holds everything guardian knows, but not the files beside it: copy evidence.key and the folders originals,
    proofs, notices, searches and evidence too.
    """
    with opened_store(session) as store:
        store.backup(path)
    echo(Screen.of_output().reflowed([f"backed up to {path} ({size_text(path.stat().st_size)})"]))


@command.command("check")
@click.option("--quick", is_flag=True, help="Only ask whether each file is there, and do not read it.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each file that is not whole.")
@pass_session
def check(session: Session, quick: bool, as_lines: bool) -> None:
    """Read the whole database, all originals and all evidence, and say what is missing or damaged.

    The files are compared with the digests that they are kept under. Exit code 4 if anything is not sound.
    """
    from guardian.evidence.vault import KeptState

    with opened_store(session) as store:
        require_sound(store)
        with store.read() as tx:
            needed = _Needed(
                tx.assets.list(state=AssetState.PROTECTED), tx.versions.kept_digests(), tx.evidence.kept_digests()
            )

    with progress_bar() as progress:
        step = progress.add_task("checking", total=needed.count)
        found = list(_checked(session, needed, lambda: progress.advance(step), quick=quick))
    damaged = [one for one in found if one.state is not KeptState.WHOLE]

    screen = Screen.of_output()
    for one in damaged:
        echo([json_line(one.as_json)] if as_lines else screen.reflowed(one.lines))
    if not as_lines:
        click.echo("the database is sound")
        evidence = counted(len(needed.evidence) + len(needed.captures), "file")
        files = f"{counted(len(needed.assets), 'original')} and {evidence} of evidence"
        if damaged:
            echo(screen.reflowed([f"of {files} {len(damaged)} {'is' if len(damaged) == 1 else 'are'} not whole"]))
        elif needed.count:
            click.echo(f"{files} are {'there' if quick else 'whole'}")
    raise SystemExit(DAMAGED if damaged else 0)


@dataclass(frozen=True, slots=True)
class _Needed:
    """The files that the database names: evidence with the finding, files of captures with the capture they are of."""

    assets: "Sequence[Asset]"
    evidence: "Sequence[tuple[str, str]]"
    captures: "Sequence[tuple[str, str]]"

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.assets) + len(self.evidence) + len(self.captures)


def _checked(
    session: Session, needed: _Needed, advance: "Callable[[], None]", *, quick: bool
) -> "Iterator[_CheckedFile]":
    """Yield each file with what is found at its place, and each damaged record beside one; `advance` after each."""
    from guardian.evidence.http_records import damaged_records
    from guardian.evidence.vault import KeptState
    from guardian.evidence.vaults import evidence_in, originals_in

    config = session.config
    originals, kept = originals_in(config.data_dir), evidence_in(config.data_dir, config.evidence)
    for asset in needed.assets:
        state = originals.state_of(asset.sha256, only_presence=quick)
        yield _CheckedFile("original", state, originals.path_of(asset.sha256), asset=asset)
        advance()

    for digest, finding_id in needed.evidence:
        state = kept.state_of(digest, only_presence=quick)
        yield _CheckedFile("evidence", state, kept.path_of(digest), finding_id=finding_id)
        for record in [] if quick else damaged_records(kept, digest):
            yield _CheckedFile("record", KeptState.DAMAGED, record, finding_id=finding_id)
        advance()

    for digest, capture_id in needed.captures:
        state = kept.state_of(digest, only_presence=quick)
        yield _CheckedFile("capture", state, kept.path_of(digest), capture_id=capture_id)
        advance()


@dataclass(frozen=True, slots=True)
class _CheckedFile:
    """A file that the database names, and what is found at its place: an original, evidence, or a file of a capture."""

    kind: str
    state: "KeptState"
    file: Path
    asset: Asset | None = None
    finding_id: str | None = None
    capture_id: str | None = None

    @property
    def as_json(self) -> dict[str, str | None]:
        """The object of `store check --json`."""
        return {
            "kind": self.kind,
            "state": self.state.value,
            "asset": self.asset.id if self.asset else None,
            "path": self.asset.path if self.asset else None,
            "finding": self.finding_id,
            "capture": self.capture_id,
            "file": str(self.file),
        }

    @property
    def lines(self) -> list[str]:
        """What people read, and what helps."""
        if self.asset is not None:
            of = f"asset {self.asset.id}  “{self.asset.title}”"
            helps = f"added from {self.asset.path}; adding that file again restores it"
        else:
            of = f"finding {self.finding_id}" if self.finding_id is not None else f"{self.capture_id}"
            helps = "restore it from a backup"
        first = f"{self.state.value:<12} {self.kind} of {of}"
        return [printable(first), *(f"             {printable(text)}" for text in (str(self.file), helps))]


@command.command("prune")
@click.option("--json", "as_json", is_flag=True, help="one JSON object with the number of rows of each kind")
@pass_session
def prune_now(session: Session, as_json: bool) -> None:
    """Forget what is older than `retention` in the configuration keeps it, now.

    `guardian run` and `guardian scan` do so once a day. Cases, findings, their histories and their evidence
    are never forgotten, nor are messages that were not delivered.
    """
    from guardian.app import make_workers, utc_now
    from guardian.retention import prune

    # The workers only name the recipe; no process is started.
    recipe = make_workers(session.config).report_recipe
    with opened_store(session) as store:
        pruned = prune(store, session.config.retention, recipe, utc_now())

    # Written out, since users know these names from --json: a field that is renamed must not change them.
    counts = {
        "deliveries": pruned.deliveries,
        "scans": pruned.scans,
        "responses": pruned.responses,
        "candidates": pruned.candidates,
    }
    if as_json:
        click.echo(json.dumps(counts))
    else:
        click.echo("forgotten: " + ", ".join(f"{number} {kind}" for kind, number in counts.items()))
