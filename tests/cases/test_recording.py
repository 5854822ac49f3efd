"""One case per use, one alert per case, and what makes a case speak again."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from guardian.cases import Edit, RecordedUse, decide, record
from guardian.errors import UsageError
from guardian.model import Action, Asset, Audience, CaseState, Decision, Finding, LicenceStatus, Severity, TaskKind
from guardian.store import Store

Use = Callable[..., RecordedUse]
LATER = datetime(2026, 11, 25, tzinfo=UTC)


def see(store: Store, *uses: RecordedUse, to: tuple[str, ...] = ("legal",)) -> list[Finding]:
    findings = []
    for use in uses:
        with store.begin() as tx:
            findings.append(record(tx, use, Audience(to)))
    return findings


def told(store: Store) -> list[str]:
    """The types of all messages owed, oldest first."""
    with store.read() as tx:
        messages = [tx.messages.get(task.message_id or "") for task in reversed(tx.tasks.list(TaskKind.DELIVER))]
    types = [message.type for message in messages if message is not None]
    assert types == [json.loads(message.body)["type"] for message in messages if message is not None]
    assert len(types) == len(messages)
    return types


def test_first_alert_opens_a_case_and_owes_one_message_to_each_destination(store: Store, use: Use) -> None:
    (finding,) = see(store, use(), to=("legal", "archive"))
    with store.read() as tx:
        (case,) = tx.cases.list()
        tasks = tx.tasks.list(TaskKind.DELIVER)
        (event,) = tx.case_history.of(case.id)
        message = tx.messages.get(event.message_id or "")
    assert (case.operator, case.state, case.finding_count, case.message_count) == (
        "thief.example",
        CaseState.OPEN,
        1,
        1,
    )
    assert finding.case_id == case.id
    assert message is not None
    assert {(task.message_id, task.destination) for task in tasks} == {
        (message.id, "legal"),
        (message.id, "archive"),
    }
    assert event.kind == "opened"
    assert json.loads(message.body)["timestamp"] == "2026-11-24T12:00:00.000Z"
    assert message.created_at == event.at


def test_more_addresses_of_one_operator_grow_the_case_in_silence(store: Store, use: Use) -> None:
    see(store, *(use(f"https://a{n}.thief.example/{n}", minutes=n) for n in range(20)))
    with store.read() as tx:
        (case,) = tx.cases.list()
    assert case.finding_count == 20
    assert case.updated_at > case.opened_at
    assert told(store) == ["case.opened"]


def test_same_sighting_again_changes_only_when_it_was_last_seen(store: Store, use: Use) -> None:
    first, again = see(store, use(), use("http://WWW.thief.example:80/page?utm_source=x#top", minutes=5))
    assert again.id == first.id
    assert (again.first_seen_at, again.page_url) == (first.first_seen_at, "http://www.thief.example/page")
    assert again.last_seen_at > first.last_seen_at
    assert told(store) == ["case.opened"]


def test_each_operator_and_each_asset_has_its_own_case(store: Store, use: Use, assets: list[Asset]) -> None:
    see(
        store,
        use("https://alice.github.io/"),
        use("https://bob.github.io/"),
        use("https://bob.github.io/", asset=assets[1]),
    )
    with store.read() as tx:
        cases = {(case.asset_id, case.operator) for case in tx.cases.list()}
    assert cases == {
        (assets[0].id, "alice.github.io"),
        (assets[0].id, "bob.github.io"),
        (assets[1].id, "bob.github.io"),
    }
    assert len(told(store)) == 3


@pytest.mark.parametrize(
    ("before", "after", "types"),
    [
        ((Action.REVIEW, None), (Action.ALERT, None), ["case.opened", "case.escalated"]),
        ((Action.ALERT, Severity.LOW), (Action.ALERT, Severity.HIGH), ["case.opened", "case.escalated"]),
        ((Action.ALERT, None), (Action.ALERT, Severity.LOW), ["case.opened", "case.escalated"]),
        ((Action.ALERT, Severity.HIGH), (Action.ALERT, Severity.LOW), ["case.opened"]),
        ((Action.ALERT, Severity.HIGH), (Action.REVIEW, Severity.HIGH), ["case.opened"]),
        ((Action.ALERT, Severity.HIGH), (Action.REVIEW, Severity.CRITICAL), ["case.opened", "case.escalated"]),
    ],
)
def test_only_a_stronger_finding_is_told_again(
    store: Store, use: Use, before: tuple[Action, Severity], after: tuple[Action, Severity], types: list[str]
) -> None:
    weak, strong = use(action=before[0], severity=before[1]), use(action=after[0], severity=after[1], minutes=9)
    see(store, weak, weak, strong, strong)
    assert told(store) == types
    with store.read() as tx:
        (case,) = tx.cases.list()
    assert case.severity == max(before[1], after[1], key=[None, *Severity].index)
    assert case.action is (Action.ALERT if Action.ALERT in (before[0], after[0]) else Action.REVIEW)


def test_dismissed_case_is_recorded_and_silent(store: Store, use: Use) -> None:
    (finding,) = see(store, use(severity=Severity.LOW))
    with store.begin() as tx:
        decide(tx, finding.case_id or "", CaseState.DISMISSED, Edit("mara", LATER, "ours"))
    see(store, use("https://thief.example/other", severity=Severity.CRITICAL, minutes=2000))
    with store.read() as tx:
        (case,) = tx.cases.list(state=CaseState.DISMISSED)
        kinds = [event.kind for event in tx.case_history.of(case.id)]
    assert (case.finding_count, case.reviewed_by, case.review_note) == (2, "mara", "ours")
    assert kinds == ["opened", "dismissed"]
    assert told(store) == ["case.opened"]


def test_resolved_case_reopens_at_a_new_address_only(store: Store, use: Use) -> None:
    (finding,) = see(store, use())
    with store.begin() as tx:
        decide(tx, finding.case_id or "", CaseState.RESOLVED, Edit("mara", LATER))
    see(store, use(minutes=2000))
    assert told(store) == ["case.opened"]
    see(store, use("https://thief.example/again", minutes=3000), use("https://thief.example/more", minutes=3001))
    assert told(store) == ["case.opened", "case.reopened"]
    with store.read() as tx:
        assert [case.state for case in tx.cases.list()] == [CaseState.OPEN]


def test_confirmed_case_stays_confirmed_when_it_escalates(store: Store, use: Use) -> None:
    (finding,) = see(store, use(severity=Severity.LOW))
    with store.begin() as tx:
        decide(tx, finding.case_id or "", CaseState.CONFIRMED, Edit("mara", LATER))
    see(store, use(severity=Severity.HIGH, minutes=3000))
    with store.read() as tx:
        assert [case.state for case in tx.cases.list()] == [CaseState.CONFIRMED]
    assert told(store) == ["case.opened", "case.escalated"]


def test_licensed_use_is_a_finding_without_a_case(store: Store, use: Use) -> None:
    licensed = use(licence_status=LicenceStatus.LICENSED, decision=Decision(Action.IGNORE, "licensed", record=True))
    (finding,) = see(store, licensed)
    with store.read() as tx:
        assert tx.cases.list() == []
        assert tx.findings.get(finding.id) == finding
    assert (finding.case_id, finding.licence) == (None, LicenceStatus.LICENSED)
    assert told(store) == []


def test_licence_that_lapses_puts_the_finding_into_a_case(store: Store, use: Use) -> None:
    licensed = use(licence_status=LicenceStatus.LICENSED, decision=Decision(Action.IGNORE, "licensed", record=True))
    before, after = see(store, licensed, use(licence_status=LicenceStatus.LAPSED, minutes=60))
    assert before.id == after.id
    assert after.case_id is not None
    assert told(store) == ["case.opened"]


def test_ignored_use_is_refused(store: Store, use: Use) -> None:
    with pytest.raises(ValueError, match="ignore"), store.begin() as tx:
        record(tx, use(decision=Decision(Action.IGNORE, "strangers")), Audience(("legal",)))


def test_rule_names_the_destinations(store: Store, use: Use) -> None:
    see(store, use(deliver_to=("archive", "archive")), to=("legal", "archive"))
    with store.read() as tx:
        assert [task.destination for task in tx.tasks.list(TaskKind.DELIVER)] == ["archive"]


def test_case_without_any_destination_waits_and_is_told_when_there_is_one(store: Store, use: Use) -> None:
    see(store, use(), use(minutes=1), to=())
    with store.read() as tx:
        (case,) = tx.cases.list()
        assert (tx.tasks.list(TaskKind.DELIVER), case.alerted_at, len(tx.case_history.of(case.id))) == ([], None, 1)
    see(store, use(minutes=2), use(minutes=3))
    assert told(store) == ["case.opened"]


def test_local_and_inline_images_have_findings_too(store: Store, use: Use) -> None:
    file, inline = see(
        store, use(None, "file:///pictures/a%20b.jpg", source="disk"), use("https://thief.example/p", None)
    )
    with store.read() as tx:
        operators = {case.operator for case in tx.cases.list()}
    assert operators == {"folder:disk", "thief.example"}
    assert file.page_url == file.image_url == "file:///pictures/a%20b.jpg"
    assert inline.image_url == "urn:sha256:" + "c" * 64


def test_one_file_met_by_two_sources_stays_one_case(store: Store, use: Use) -> None:
    see(store, use(None, "file:///p/a.jpg", source="one"), use(None, "file:///p/a.jpg", source="two", minutes=1))
    with store.read() as tx:
        assert [(case.operator, case.finding_count) for case in tx.cases.list()] == [("folder:one", 1)]


def test_digests_at_an_address_are_its_history(store: Store, use: Use) -> None:
    (first, _) = see(store, use(), use(candidate_sha256="d" * 64, minutes=5))
    with store.read() as tx:
        assert [digest.candidate_sha256[0] for digest in tx.versions.of(first.id)] == ["c", "d"]


def test_review_of_an_unknown_case_is_a_usage_error(store: Store) -> None:
    with pytest.raises(UsageError, match="case_0"), store.begin() as tx:
        decide(tx, "case_0", CaseState.CONFIRMED, Edit("mara", LATER))


def test_a_transaction_that_fails_after_recording_leaves_nothing(store: Store, use: Use) -> None:
    def fail() -> None:
        with store.begin() as tx:
            record(tx, use(), Audience(("legal",)))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as tx:
        assert (tx.cases.list(), tx.findings.list(), tx.tasks.list()) == ([], [], [])


def test_many_sightings_at_once_make_one_case_and_one_message(store: Store, use: Use) -> None:
    operators = [f"thief{number}.example" for number in range(5)]
    start = threading.Barrier(6)

    def work(number: int) -> None:
        for operator in operators:
            start.wait()
            see(store, use(f"https://{operator}/{number}", minutes=number), use(f"https://{operator}/same"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    with store.read() as tx:
        cases = tx.cases.list()
    assert sorted(case.operator for case in cases) == sorted(operators)
    assert {(case.finding_count, case.message_count) for case in cases} == {(7, 1)}
    assert told(store) == ["case.opened"] * len(operators)


def test_cases_are_locked_in_the_order_in_which_a_picture_of_several_works_records_them(
    store: Store, use: Use, assets: list[Asset]
) -> None:
    """So nobody who misses or judges uses waits for such a scan, while it waits for them."""
    uses = [use(f"https://thief{number}.example/", asset=asset) for number in range(3) for asset in assets]
    ids = [finding.id for finding in see(store, *uses)]
    with store.read() as tx:
        cases = [case for case in map(tx.cases.get, tx.findings.cases_of(ids)) if case is not None]
    assert len(cases) == 6
    assert cases == sorted(cases, key=lambda case: (case.work_id, case.id))


def test_the_log_names_case_asset_and_page(store: Store, use: Use) -> None:
    seen = use()
    with capture_logs() as logs:
        (finding,) = see(store, seen)
    (changed,) = [event for event in logs if event["event"] == "case_changed"]
    assert (changed["case"], changed["asset"], changed["title"]) == (finding.case_id, seen.asset.id, seen.asset.title)
    assert (changed["page_url"], changed["image_url"]) == (seen.sighting.page_url, seen.sighting.image_url)
