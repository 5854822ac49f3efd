"""What the commands about licences share: options, words, and what they do to recorded uses."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session
from guardian.cli.filters import DAY
from guardian.cli.options import option_group
from guardian.model import CaseState, Licence
from guardian.views.counting import counted
from guardian.views.licences import TODAY_TEXTS, grant_text, scope_text

if TYPE_CHECKING:
    from guardian.cases.rejudging import Judging, Rejudged
    from guardian.store import Transaction


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence says, beside whom and what it is for. None: not given."""

    path: str | None
    first: datetime | None
    last: datetime | None
    territory: str | None
    medium: str | None
    note: str | None
    proof: Path | None


terms_options = option_group(
    Terms,
    "terms",
    click.option("--path", metavar="/PATH", help="Only this part of the site, such as /blog."),
    click.option("--from", "first", type=DAY, metavar="YYYY-MM-DD", help="First day; open without."),
    click.option("--until", "last", type=DAY, metavar="YYYY-MM-DD", help="Last day, included; open without."),
    click.option("--territory", help="Where it holds; kept for people to read."),
    click.option("--medium", help="For what: print, web, one campaign; kept for people to read."),
    click.option("--note", help="Anything else; kept for people to read."),
    click.option(
        "--proof",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The contract or e-mail that proves it; its bytes are kept under their digest.",
    ),
)
"""Adds the options of Terms to a command."""


def keep_proof(session: Session, proof: Path) -> str:
    """Keep the bytes of a proof in the data folder; return their SHA-256."""
    from guardian.evidence.vaults import proofs_in

    return proofs_in(session.config.data_dir).keep(proof.read_bytes())


def judging_for(session: Session) -> "Callable[[], Judging]":
    """Return what reads the rules when uses are to be judged. It raises ConfigError when they cannot be read."""
    from guardian.app import judging_of

    return lambda: judging_of(session.config)


def echo_rejudged(rejudged: "Rejudged") -> None:
    """Print what became of recorded uses because of a change of licences."""
    for case in rejudged.licensed:
        # A case that a person closed stays so.
        what = "licensed now" if case.state is CaseState.LICENSED else f"stays {case.state.value}, and is licensed now"
        click.echo(f"{case.id}  {case.operator}  {what}")
    for case in rejudged.unlicensed:
        click.echo(f"{case.id}  {case.operator}  not licensed any more, {case.state.value}")


def lapses_soon(licence: Licence, today: date) -> bool:
    """Return whether a licence holds today and ends within 30 days."""
    from guardian.cases.licensing import LAPSES_SOON
    from guardian.licences import days_left

    left = days_left(licence, today)
    return left is not None and left <= LAPSES_SOON.days


def scope_of(tx: "Transaction", licence: Licence) -> str:
    """Return what a licence covers, in words."""
    return scope_text(licence, tx.assets.get(licence.asset_id) if licence.asset_id is not None else None)


def sentence_of(tx: "Transaction", licence: Licence, today: date) -> str:
    """Return a licence in words, and what it is on this day."""
    return sentence(licence, scope_of(tx, licence), today)


def sentence(licence: Licence, scope: str, today: date) -> str:
    from guardian.licences import days_left, status_of

    words = f"{grant_text(licence, scope)}: {TODAY_TEXTS[status_of(licence, today)]}"
    left = days_left(licence, today)
    return words if left is None or not lapses_soon(licence, today) else f"{words}, ends in {counted(left, 'day')}"
