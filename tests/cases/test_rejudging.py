"""A use is judged again when licences change: its case follows at once, and the end of a licence is told once."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from guardian import rules
from guardian.cases import Edit, RecordedUse, decide, record
from guardian.cases.reading import cases_matching, uses_matching
from guardian.cases.rejudging import Judging, Rejudged, judge_again, uses_in_waiting, uses_under
from guardian.model import (
    Action,
    Asset,
    Audience,
    Case,
    CaseFilter,
    CaseState,
    Decision,
    Finding,
    Licence,
    LicenceStatus,
    Severity,
    TaskKind,
)
from guardian.shipped import rules_folder
from guardian.store import Store
from tests.granting import grant_licence

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
LICENSED = Decision(Action.IGNORE, "licensed", record=True)
JUDGING = Judging(rules.load(rules_folder(), ["legal"]), (), Audience(("legal",)))


def see(store: Store, *uses: RecordedUse) -> list[Finding]:
    findings = []
    for use in uses:
        with store.begin() as tx:
            findings.append(record(tx, use, Audience(("legal",))))
    return findings


def seen_licensed(use: Use, licence: Licence | None = None, **changes: object) -> RecordedUse:
    """The use as a scan judges it while a licence covers it."""
    made = use(licence_status=LicenceStatus.LICENSED, decision=LICENSED, **changes)
    return replace(made, licence_id=licence.id if licence else None)


def grant(
    store: Store,
    host: str = "thief.example",
    *,
    at: datetime = NOON,
    dates: tuple[date | None, date | None] = (None, None),
) -> tuple[Licence, Rejudged]:
    with store.begin() as tx:
        licence = grant_licence(tx, host, at=at, collection="shop", dates=dates)
        return licence, judge_again(tx, uses_under(tx, licence), JUDGING, at)


def revoke(store: Store, licence: Licence, *, at: datetime) -> Rejudged:
    with store.begin() as tx:
        tx.licences.remove(licence.id)
        return judge_again(tx, uses_under(tx, licence), JUDGING, at)


def only_case(store: Store) -> Case:
    with store.read() as tx:
        (case,) = tx.cases.list()
    return case


def kinds(store: Store) -> list[str]:
    with store.read() as tx:
        return [event.kind for event in tx.case_history.of(only_case(store).id)]


def told(store: Store) -> list[tuple[str, str]]:
    """Type and licence status of each message, oldest first."""
    with store.read() as tx:
        messages = [tx.messages.get(task.message_id or "") for task in reversed(tx.tasks.list(TaskKind.DELIVER))]
    bodies = [json.loads(message.body) for message in messages if message is not None]
    return [(body["type"], body["data"]["licence"]) for body in bodies]


def test_an_open_case_is_licensed_at_once_and_nobody_is_told(store: Store, use: Use) -> None:
    see(store, use(), use("https://shop.thief.example/2"))
    licence, rejudged = grant(store, at=NOON + timedelta(hours=1))
    case = only_case(store)
    assert (case.state, case.action, case.severity) == (CaseState.LICENSED, Action.IGNORE, None)
    assert (case.licence_id, case.licensed_since) == (licence.id, NOON + timedelta(hours=1))
    assert rejudged == Rejudged(2, (case,), ())
    with store.read() as tx:
        event = tx.case_history.of(case.id)[-1]
        assert {(one.licence, one.licence_id) for one in tx.findings.list()} == {(LicenceStatus.LICENSED, licence.id)}
    assert (event.kind, event.note) == (
        "licensed",
        f"{licence.id}: thief.example may use the collection shop without end",
    )
    assert told(store) == [("case.opened", "none")]

    # Neither sightings nor the same terms again change anything.
    see(store, seen_licensed(use, licence, minutes=90))
    assert grant(store, at=NOON + timedelta(hours=2))[1] == Rejudged()
    assert only_case(store) == case
    assert kinds(store) == ["opened", "spread", "licensed"]


def test_a_sighting_under_a_licence_makes_its_case_licensed_too(store: Store, use: Use) -> None:
    see(store, use(), seen_licensed(use, minutes=5), seen_licensed(use, minutes=9))
    case = only_case(store)
    assert (case.state, case.licensed_since) == (CaseState.LICENSED, NOON + timedelta(minutes=5))
    assert kinds(store) == ["opened", "licensed"]


def test_a_case_is_licensed_when_all_of_its_uses_are(store: Store, use: Use) -> None:
    see(store, use("https://a.thief.example/"), use("https://b.thief.example/", minutes=1))
    grant(store, "a.thief.example")
    assert (only_case(store).state, only_case(store).severity) == (CaseState.OPEN, Severity.MEDIUM)
    grant(store, "b.thief.example")
    assert only_case(store).state is CaseState.LICENSED
    # A use beside those that are licensed is told of.
    see(store, use("https://c.thief.example/", minutes=5), use("https://d.thief.example/", minutes=6))
    assert told(store) == [("case.opened", "none"), ("case.reopened", "none")]
    assert (only_case(store).state, only_case(store).licensed_since) == (CaseState.OPEN, None)


def test_a_licence_that_ends_is_told_once_when_the_use_goes_on(store: Store, use: Use) -> None:
    see(store, use())
    licence, _ = grant(store, dates=(None, TODAY))
    lapsed = {"licence_status": LicenceStatus.LAPSED, "decision": Decision(Action.ALERT, "late", Severity.MEDIUM)}
    # Whatever else is judged meanwhile: nobody knows yet whether the use goes on.
    with store.begin() as tx:
        judge_again(tx, uses_under(tx, licence), JUDGING, NOON + timedelta(days=2))
    assert only_case(store).state is CaseState.LICENSED
    see(store, *(use(minutes=60 * 24 * day, **lapsed) for day in (2, 3, 4)))
    case = only_case(store)
    assert (case.state, case.action, case.severity) == (CaseState.OPEN, Action.ALERT, Severity.MEDIUM)
    assert (case.licence_id, case.licensed_since) == (None, None)
    assert told(store) == [("case.opened", "none"), ("case.reopened", "lapsed")]
    assert kinds(store) == ["opened", "licensed", "reopened"]


def test_a_licence_that_is_taken_out_is_told_once(store: Store, use: Use) -> None:
    see(store, use())
    licence, _ = grant(store)
    see(store, seen_licensed(use, licence, minutes=30))
    rejudged = revoke(store, licence, at=NOON + timedelta(hours=1))
    case = only_case(store)
    assert rejudged == Rejudged(1, (), (case,))
    # By today's rules, of what was measured: likely, not certain.
    assert (case.state, case.action, case.severity) == (CaseState.OPEN, Action.REVIEW, Severity.LOW)
    see(store, use(minutes=90, action=Action.REVIEW, severity=Severity.LOW))
    assert told(store) == [("case.opened", "none"), ("case.reopened", "none")]


def test_a_licence_that_was_a_mistake_changes_nothing(store: Store, use: Use) -> None:
    see(store, use())
    licence, _ = grant(store, at=NOON + timedelta(minutes=1))
    rejudged = revoke(store, licence, at=NOON + timedelta(minutes=2))
    case = only_case(store)
    assert [one.id for one in rejudged.unlicensed] == [case.id]
    assert (case.state, case.licensed_since) == (CaseState.OPEN, None)
    see(store, use(minutes=5, action=Action.REVIEW, severity=Severity.LOW))
    assert told(store) == [("case.opened", "none")]
    assert kinds(store) == ["opened", "licensed", "unlicensed"]


def test_the_end_of_a_licence_of_several_uses_is_one_line_of_their_case(store: Store, use: Use) -> None:
    see(store, use(), use(page_url="https://www.thief.example/2"))
    licence, _ = grant(store, at=NOON + timedelta(minutes=1))
    rejudged = revoke(store, licence, at=NOON + timedelta(minutes=2))
    assert rejudged.uses == 2
    assert kinds(store).count("unlicensed") == 1


def test_a_use_that_was_licensed_from_the_beginning_is_told_of_when_its_licence_goes(store: Store, use: Use) -> None:
    licence, _ = grant(store)
    (finding,) = see(store, seen_licensed(use, licence))
    assert (finding.case_id, finding.licensed_since) == (None, NOON)
    revoke(store, licence, at=NOON + timedelta(hours=1))
    see(store, use(minutes=90, action=Action.REVIEW, severity=Severity.LOW))
    assert told(store) == [("case.opened", "none")]
    assert only_case(store).finding_count == 1
    with store.read() as tx:
        assert [version.importance.value for version in tx.versions.of(finding.id)] == ["told"]


def test_a_renewal_is_no_break(store: Store, use: Use) -> None:
    see(store, use())
    old, _ = grant(store, dates=(None, TODAY))
    new, _ = grant(store, dates=(TODAY, TODAY + timedelta(days=365)), at=NOON + timedelta(hours=1))
    revoke(store, old, at=NOON + timedelta(hours=2))
    case = only_case(store)
    assert (case.state, case.licence_id, case.licensed_since) == (CaseState.LICENSED, new.id, NOON)
    assert told(store) == [("case.opened", "none")]


@pytest.mark.parametrize(
    ("state", "then", "types"),
    [
        (CaseState.CONFIRMED, CaseState.LICENSED, ["case.opened", "case.reopened"]),
        (CaseState.RESOLVED, CaseState.RESOLVED, ["case.opened", "case.reopened"]),
        (CaseState.DISMISSED, CaseState.DISMISSED, ["case.opened"]),
    ],
)
def test_what_a_person_called_settled_stays_so_until_the_licence_ends(
    store: Store, use: Use, state: CaseState, then: CaseState, types: list[str]
) -> None:
    (finding,) = see(store, use())
    with store.begin() as tx:
        decide(tx, finding.case_id or "", state, Edit("mara", NOON))
    grant(store, dates=(None, TODAY))
    assert (only_case(store).state, only_case(store).licensed_since) == (then, NOON)
    see(store, *(use(minutes=60 * 24 * day, licence_status=LicenceStatus.LAPSED) for day in (1, 2)))
    assert [type_ for type_, _ in told(store)] == types
    assert only_case(store).licensed_since is None


def test_a_licensed_case_that_a_person_opens_again_stays_open(store: Store, use: Use) -> None:
    (finding,) = see(store, use())
    licence, _ = grant(store)
    with store.begin() as tx:
        decide(tx, finding.case_id or "", CaseState.OPEN, Edit("mara", NOON, "not for this size"))
    see(store, seen_licensed(use, licence, minutes=30))
    assert only_case(store).state is CaseState.OPEN
    assert told(store) == [("case.opened", "none")]


def test_a_licence_counts_from_the_day_on_which_it_begins(store: Store, use: Use) -> None:
    see(store, use())
    tomorrow = NOON + timedelta(days=1)
    grant(store, dates=(tomorrow.date(), None))
    with store.begin() as tx:
        assert [finding.licence for finding in tx.findings.list()] == [LicenceStatus.NOT_YET]
        assert judge_again(tx, uses_in_waiting(tx), JUDGING, NOON) == Rejudged()
        rejudged = judge_again(tx, uses_in_waiting(tx), JUDGING, tomorrow)
    assert [case.state for case in rejudged.licensed] == [CaseState.LICENSED]
    assert told(store) == [("case.opened", "none")]


def test_cases_by_everything_that_a_filter_names(store: Store, use: Use, assets: list[Asset]) -> None:
    see(
        store,
        use("https://www.thief.example/1", severity=Severity.HIGH),
        use("https://shop.pirate.example/2", severity=Severity.LOW, minutes=60),
        use("https://licensee.example/3", minutes=60 * 24, asset=assets[1]),
    )
    licence, _ = grant(store, "licensee.example", at=NOON + timedelta(days=2))

    def found(**wanted: object) -> list[str]:
        with store.read() as tx:
            return [case.operator for case in cases_matching(tx, CaseFilter(**wanted))]  # type: ignore[arg-type]

    everything = ["licensee.example", "pirate.example", "thief.example"]
    assert found() == found(collection="shop") == everything
    assert found(collection="press") == []
    assert found(host="thief.example") == found(host="www.thief.example") == ["thief.example"]
    assert found(host="shop.pirate.example") == found(host="pirate.example") == ["pirate.example"]
    assert found(host="other.pirate.example") == found(host="rate.example") == []
    assert found(asset_id=assets[1].id) == ["licensee.example"]
    assert found(severities=(Severity.HIGH,)) == ["thief.example"]
    assert found(severities=(Severity.HIGH, Severity.LOW)) == ["pirate.example", "thief.example"]
    assert found(states=(CaseState.LICENSED,)) == found(licence=LicenceStatus.LICENSED) == ["licensee.example"]
    assert found(licence_id=licence.id) == ["licensee.example"]
    assert found(since=NOON + timedelta(minutes=30)) == ["licensee.example", "pirate.example"]
    assert found(since=NOON + timedelta(minutes=30), severities=(Severity.LOW,), host="pirate.example") == [
        "pirate.example"
    ]
    assert found(since=NOON + timedelta(minutes=30), severities=(Severity.HIGH,)) == []


def test_licensed_uses_with_and_without_a_case_are_listed(store: Store, use: Use, assets: list[Asset]) -> None:
    licence, _ = grant(store, "licensee.example")
    see(
        store,
        use("https://thief.example/1"),
        seen_licensed(use, licence, page_url="https://licensee.example/2"),
        seen_licensed(use, licence, page_url="https://shop.licensee.example/3", asset=assets[1], minutes=60),
    )

    def found(**wanted: object) -> list[str]:
        with store.read() as tx:
            uses = uses_matching(tx, CaseFilter(**wanted))  # type: ignore[arg-type]
        return [finding.page_url[-1] for finding, _ in uses]

    assert found() == found(licence_id=licence.id) == found(collection="shop") == ["3", "2"]
    assert found(host="shop.licensee.example") == found(asset_id=assets[1].id) == ["3"]
    assert found(since=NOON + timedelta(minutes=30)) == ["3"]
    assert found(licence_id="lic_0") == []
