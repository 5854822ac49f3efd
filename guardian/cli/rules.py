"""`guardian rules`: check and list the rules of the rule files; explain what they say about a finding."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guardian.cli.context import Session, opened_store, pass_session
from guardian.cli.screen import Cut, Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.model import NO_RULE, Action, Asset, AssetState, Decision, Finding, Licence, LicenceStatus, Work
from guardian.views.counting import counted
from guardian.views.decisions import action_text, decided_by_text
from guardian.views.replays import case_change_json, case_change_lines, replay_lines
from guardian.views.short_ids import only_one, with_prefix
from guardian.views.timestamps import minute_text

if TYPE_CHECKING:
    from guardian.config import Config
    from guardian.rules import ConditionTrace, Rule, Rules, RuleTrace
    from guardian.store import Transaction


@click.group
def command() -> None:
    """The rule files: check them, and explain what they said about a finding."""


@command.command("check")
@pass_session
def check(session: Session) -> None:
    """Read all rule files, run the examples inside them, and list the rules in the order they are tried."""
    from guardian.preflight import doubtful_names
    from guardian.rules import count_examples
    from guardian.store.peeking import protected_groups

    config = session.config
    rules = _rules(config)
    examples = count_examples(config.rules_dir)
    destinations = [destination.name for destination in config.destinations]
    screen = Screen.of_output()
    found = counted(len(rules.rules), "rule")
    echo(screen.reflowed([f"{found} in {config.rules_dir}. The first whose conditions all hold decides:"]))
    for number, rule in enumerate(rules.rules, start=1):
        click.echo()
        echo(screen.reflowed(_rule_lines(number, rule, destinations)))

    click.echo()
    click.echo("When none fires: ignore.")
    gives = (
        "The one example gives what it expects." if examples == 1 else f"All {examples} examples give what they expect."
    )
    click.echo(gives if examples else "There are no examples to run.")
    for error in doubtful_names(config, rules, protected_groups(config.store, config.data_dir)):
        echo(screen.wrapped(str(error), 2, first="warning: ", cut=Cut.NEVER))


@command.command("explain")
@click.argument("finding_id", metavar="FINDING")
@pass_session
def explain(session: Session, finding_id: str) -> None:
    """Say rule by rule and condition by condition why a finding was decided as it was.

    Judged are the recorded measurements, by the rules and licences as they are now. FINDING (an id that
    `guardian case show` gives) may be shortened as long as it is unique.
    """
    config = session.config
    rules = _rules(config)
    with opened_store(session) as store, store.read() as tx:
        finding = _one(tx, finding_id)
        asset, work = tx.assets.get(finding.asset_id), tx.works.of_asset(finding.asset_id)
        licences = tx.licences.list()

    if asset is None or work is None:
        raise UsageError(f"the asset {finding.asset_id} of this finding is not in the database")

    screen = Screen.of_output()
    echo(screen.reflowed(_finding_lines(finding, asset)))
    # Licences have dates: what counts is the day on which the picture was seen, not today.
    seen_on, today = finding.last_seen_at.date(), datetime.now(UTC).date()
    licence_status, traces = _judged(config, rules, finding, work, licences, seen_on)
    click.echo()
    head = f"The rules as they are now, for a use seen on {seen_on} (licence {licence_status.value}):"
    echo(screen.reflowed([head]))
    for number, trace in enumerate(traces, start=1):
        echo(screen.reflowed(_trace_lines(number, trace)))

    click.echo()
    echo(screen.reflowed(_verdict_lines(finding, traces, licence_status)))
    later, later_traces = _judged(config, rules, finding, work, licences, today)
    if later is not licence_status:
        decision = _decision(later_traces)
        licence = f"since its licence is {later.value} today"
        echo(screen.reflowed([f"Seen again today it would be {action_text(decision)}, {licence}."]))
    if asset.state is AssetState.WITHDRAWN:
        gone = "The image has been taken out of protection since: new sightings are not compared with it."
        echo(screen.reflowed([gone]))


@command.command("try")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.option("--add", "is_added", is_flag=True, help="Together with the files of `rules_dir`, not in their place.")
@click.option("--since", metavar="TIME", help="Only uses last seen in this time: 90d, 24h.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each case that would differ.")
@pass_session
def try_rules(session: Session, file: Path, is_added: bool, since: str | None, as_lines: bool) -> None:
    """Judge all remembered comparisons by other rules: which cases would open, change or vanish? Changes nothing.

    FILE is a rule file, or a folder of them, in place of all of `rules_dir`. With --add the file is read as if it lay
    there: in the order of names, in place of one of the same name. Compared are the rules as they are now, on what the
    memory has seen: matches below every threshold count too. The exit code is 0, whatever differs.
    """
    from guardian import rules
    from guardian.app import make_workers, platforms_of, utc_now
    from guardian.memory.replay import JudgingSettings, replay

    config = session.config
    destinations = [destination.name for destination in config.destinations]
    if is_added and file.is_dir():
        raise UsageError(f"--add takes one rule file, and {file} is a folder")
    now = _rules(config)
    others = rules.load_with(config.rules_dir, file, destinations) if is_added else rules.load(file, destinations)
    after = utc_now() - _time(since) if since is not None else None
    # The workers only name the recipe; no process is started.
    recipe = make_workers(config).report_recipe
    with opened_store(session) as store, store.read() as tx:
        found = replay(tx, now, others, JudgingSettings(config.own_hosts, platforms_of(config)), recipe, after)

    if as_lines:
        echo(json_line(case_change_json(change)) for change in found.changes)
        return
    screen = Screen.of_output()
    for change in found.changes:
        echo(screen.reflowed(case_change_lines(change)))
    echo(screen.reflowed(replay_lines(found)))
    if is_added:
        names = ", ".join(one.name for one in rules.files_with(config.rules_dir, file))
        echo(screen.reflowed([f"The files were read in this order, as their names say: {names}."]))


def _time(text: str) -> timedelta:
    try:
        from guardian.strict_yaml import duration

        return duration(text)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from error


def _rules(config: "Config") -> "Rules":
    """Return the rules as the daemon loads them, destinations checked. Raises ConfigError."""
    from guardian import rules

    return rules.load(config.rules_dir, [destination.name for destination in config.destinations])


def _one(tx: "Transaction", finding_id: str) -> Finding:
    """Return the only finding whose id begins so. Raises UsageError when there is none, or several."""
    found = tx.findings.starting_with(with_prefix(finding_id, "find_"))
    hint = "`guardian case show CASE` gives their ids"
    return only_one(found, [one.id for one in found], finding_id, "finding", hint)


def _judged(
    config: "Config", rules: "Rules", finding: Finding, work: Work, licences: list[Licence], on: date
) -> "tuple[LicenceStatus, tuple[RuleTrace, ...]]":
    """Return the licence status, and what each rule says, of a recorded finding if it were seen on this day.

    The rules speak of the version of the work whose collection and tags lead to the strongest decision.
    """
    from guardian.licences import licence_status
    from guardian.rules import uses_of

    status = licence_status(work, finding.page_url, on, licences)
    use, _ = rules.decide_versions(uses_of(finding, work, status, config.own_hosts))
    return status, rules.explain(use)


def _decision(traces: "tuple[RuleTrace, ...]") -> Decision:
    """Return the decision of the rule that decides; ignore when none does."""
    decided = next((trace.rule.decision for trace in traces if trace.decides), None)
    return decided or Decision(Action.IGNORE, NO_RULE)


def _rule_lines(number: int, rule: "Rule", destinations: list[str]) -> list[str]:
    lines = [f"{number:>3}. {rule.name}  ({rule.where})"]
    if rule.why:
        lines.append(f"     {rule.why}")
    conditions = [f"       {condition}" for condition in rule.conditions]
    lines += ["     when", *conditions] if conditions else ["     always"]
    return [*lines, f"     then {_consequence(rule.decision, destinations)}"]


def _consequence(decision: Decision, destinations: list[str]) -> str:
    if decision.action is Action.IGNORE:
        return "ignore, but record it" if decision.record else "ignore"
    told = ", ".join(decision.deliver_to or destinations) or "nobody: no destination is configured"
    return f"{action_text(decision)}; tells {told}"


def _finding_lines(finding: Finding, asset: Asset) -> list[str]:
    page = [f"  on page   {finding.page_url}"] if finding.page_url != finding.image_url else []
    recorded = f"{action_text(finding.decision)} {decided_by_text(finding.decision)}, licence {finding.licence}"

    return [
        f"{finding.id}  {finding.image_url}",
        *page,
        f"  shows     “{asset.title}”  {asset.collection}/{asset.id}",
        f"  recorded  {minute_text(finding.last_seen_at)}: {recorded}",
    ]


def _trace_lines(number: int, trace: "RuleTrace") -> list[str]:
    if trace.decides:
        verdict = f"fires and decides: {action_text(trace.rule.decision)}"
    else:
        verdict = "would fire, but an earlier one has decided" if trace.fires else "does not fire"

    lines = [f"{number:>3}. {trace.rule.name}: {verdict}"]
    for one in trace.tried:
        lines.append(f"       {'holds' if one.holds else 'no':<6} {one.condition!s:<44} {_value(one)}")
    return lines if trace.tried else [*lines, "       holds  it has no conditions"]


def _verdict_lines(finding: Finding, traces: "tuple[RuleTrace, ...]", licence_status: LicenceStatus) -> list[str]:
    """Return the decision by today's rules, and how it differs from the recorded one."""
    now, recorded = _decision(traces), finding.decision
    lines = [f"Now: {action_text(now)} {decided_by_text(now)}."]
    if licence_status.value != finding.licence:
        lines.append(f"The licence of that day is {licence_status.value} now; it was recorded as {finding.licence}.")
    if now == recorded:
        return [*lines, "That is what was recorded."]

    lines.append(
        f"Recorded was: {action_text(recorded)} {decided_by_text(recorded)}. The rules or licences have changed since."
    )

    return [*lines, "The record changes when the picture is seen there again."]


def _value(tried: "ConditionTrace") -> str:
    """Return the value of a fact for people, not rounded so far that a bound seems met or missed."""
    value = tried.value
    if value is None:
        return "not measured"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, str):
        return value or "none"

    # 0.97996 must not read as 0.98 beside the words "at least 0.98: no".
    rounded = f"{value:.4g}"
    return rounded if tried.condition.holds(float(rounded)) == tried.holds else str(value)
