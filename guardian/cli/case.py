"""`guardian case`: what was found, gathered by who shows it, and what you decide about it."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import Asset, Case, CaseEvent, CaseState, Finding

if TYPE_CHECKING:
    from guardian.store import Transaction


@click.group
def command() -> None:
    """Cases: one for each use of an image of yours by one operator."""


@command.command("list")
@click.option("--state", type=click.Choice([state.value for state in CaseState]), help="Only cases in this state.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many, last changed first."
)
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each case.")
@pass_session
def list_cases(session: Session, state: str | None, limit: int, as_lines: bool) -> None:
    """List cases, the last changed first."""
    with opened_store(session) as store, store.read() as tx:
        cases = tx.cases.list(CaseState(state) if state else None, limit=limit)
        rows = [(case, tx.assets.get(case.asset_id)) for case in cases]
    for case, asset in rows:
        click.echo(json_line(_case_facts(case, asset)) if as_lines else _line(case, asset))
    if not as_lines and not rows:
        click.echo("no cases")


@command.command("show")
@click.argument("case_id", metavar="CASE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_session
def show_case(session: Session, case_id: str, as_json: bool) -> None:
    """Show a case with its findings and its history. CASE may be shortened as long as it is unique."""
    with opened_store(session) as store, store.read() as tx:
        case = _one(tx, case_id)
        asset, findings, history = tx.assets.get(case.asset_id), tx.findings.list(case.id), tx.cases.history(case.id)
    if as_json:
        whole = _case_facts(case, asset) | {
            "findings": [_finding_facts(finding) for finding in findings],
            "history": [_event_facts(event) for event in history],
        }
        click.echo(json_line(whole, indent=2))
        return
    click.echo(_line(case, asset))
    for finding in findings:
        click.echo()
        click.echo(_finding_lines(finding))
    click.echo()
    for event in history:
        click.echo(_event_line(event))


def _review(session: Session, case_ids: tuple[str, ...], state: CaseState, by: str | None, note: str | None) -> None:
    """Review all or none of the cases."""
    from guardian.cases import review

    now = datetime.now(UTC)
    with opened_store(session) as store, store.begin() as tx:
        cases = [_one(tx, case_id) for case_id in case_ids]
        reviewed = [review(tx, case.id, state, by=by or _user(), note=note, at=now) for case in cases]
    for case in reviewed:
        click.echo(f"{case.id}  {case.operator}  {case.state.value}")


def _review_command(name: str, state: CaseState, text: str) -> None:
    @command.command(name, help=text)
    @click.argument("case_ids", metavar="CASE...", nargs=-1, required=True)
    @click.option("--note", help="Why; kept in the case's history.")
    @click.option("--by", metavar="NAME", help="Who decides; by default the user of this machine.")
    @pass_session
    def run(session: Session, case_ids: tuple[str, ...], note: str | None, by: str | None) -> None:
        _review(session, case_ids, state, by, note)


_review_command("confirm", CaseState.CONFIRMED, "It is a copy that you pursue; stronger findings still alert.")
_review_command("dismiss", CaseState.DISMISSED, "Of no interest: goes on being recorded, never alerts again.")
_review_command("resolve", CaseState.RESOLVED, "Settled: alerts again only when the operator shows it elsewhere.")
_review_command("reopen", CaseState.OPEN, "Undo a decision.")


def _one(tx: "Transaction", case_id: str) -> Case:
    found = tx.cases.starting_with(case_id if case_id.startswith("case_") else f"case_{case_id}")
    if not found:
        raise UsageError(f"there is no case {case_id}; `guardian case list` shows them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} cases start with {case_id}: {', '.join(case.id for case in found[:5])}")
    return found[0]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _line(case: Case, asset: Asset | None) -> str:
    severity = case.severity.value if case.severity else "-"
    addresses = "1 address" if case.finding_count == 1 else f"{case.finding_count} addresses"
    title = asset.title if asset else case.asset_id
    told = f"message of {_minute(case.alerted_at)}" if case.alerted_at else "no message yet"
    return (
        f"{case.id}  {case.state.value:<9} {case.action.value:<6} {severity:<8} {case.operator:<28} "
        f"{title}  ({addresses}, {told})"
    )


def _finding_lines(finding: Finding) -> str:
    comparison, words = finding.comparison, finding.context.caption or finding.context.alt
    facts = {
        "finding": finding.id,
        "on page": finding.page_url if finding.page_url != finding.image_url else None,
        "what": comparison.description or None,
        "confidence": f"{comparison.probability:.4f}, rule {finding.decision.rule}, licence {finding.licence}",
        "caption": words,
        "seen": f"{_minute(finding.first_seen_at)} to {_minute(finding.last_seen_at)} by {finding.source}",
        "image kept": finding.image_sha256 or "no",
        "page kept": finding.page_sha256 or "no",
        "evidence": finding.evidence_note,
    }
    lines = [f"  {name:<10} {fact}" for name, fact in facts.items() if fact is not None]
    return "\n".join([finding.image_url, *lines])


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _event_line(event: CaseEvent) -> str:
    words = f"{event.at:%Y-%m-%d %H:%M:%S}Z  {event.kind}"
    if event.by:
        words += f" by {event.by}"
    if event.note:
        words += f": {event.note}"
    return f"{words}  ({event.message_id})" if event.message_id else words


def _case_facts(case: Case, asset: Asset | None) -> dict[str, Any]:
    from guardian.store.codec import to_json

    facts: dict[str, Any] = to_json(case)
    facts["asset"] = {"id": case.asset_id, "title": asset.title, "collection": asset.collection} if asset else None
    return facts


def _finding_facts(finding: Finding) -> dict[str, Any]:
    from guardian.store.codec import to_json

    facts: dict[str, Any] = to_json(finding)
    return facts


def _event_facts(event: CaseEvent) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "kind": event.kind,
        "by": event.by,
        "note": event.note,
        "message_id": event.message_id,
    }
