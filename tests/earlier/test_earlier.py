"""Today's guardian takes over what earlier versions left: no id is lost, nothing that was owed is forgotten.

What is expected was written down by the earlier versions themselves; README.md beside this file says how.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from guardian.coverage.alerts import episode_of
from guardian.model import CaseFilter, Importance, Trouble, TroubleKind
from guardian.outbox import enqueue_once, mint
from guardian.store import Store
from guardian.store.schema import REVISIONS
from tests import forked
from tests.earlier.loading import FIXTURES, SECRET, Restored, TakenOver
from tests.earlier.sites import HOSTS, show_as_left
from tests.earlier.stage import Web

ROOT = Path(__file__).resolve().parents[2]
EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "expected.json").read_text())
WHAT_SCANS_MAY_ADD = (
    "SELECT id, case_id FROM findings",
    "SELECT id, state, message_count FROM cases",
    "SELECT case_id, kind, message_id FROM case_events",
    "SELECT id, destination FROM tasks",
)
LEFT_OUT = tuple(f"  - {{name: {source}," for source in ("archive", "library", "gone"))
FAR_AHEAD = "2099"
"""A receiver asked to be left alone until 2100."""


def guardian(data: Restored, *words: str, code: int = 0) -> str:
    """Run today's command over restored data and return what it printed."""
    environment = os.environ | {"GUARDIAN_SECRET": SECRET}
    done = forked.guardian(*words, "--config", data.config, environment=environment)
    assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def lines(data: Restored, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Return what a command with --json says."""
    return [json.loads(line) for line in guardian(data, *words, "--json", code=code).splitlines()]


def history(case: dict[str, Any]) -> list[tuple[str, ...]]:
    return [(line["kind"], line["by"], line["note"], line["message_id"]) for line in case["history"]]


def history_now(case: dict[str, Any], expected: dict[str, Any]) -> list[tuple[str, ...]]:
    """The history of then, with each message under the whole id that receivers know it by."""
    whole = {one["webhook_id"].rpartition("_")[0]: one["webhook_id"] for one in expected["deliveries"]}
    return [(*line[:3], whole.get(line[3], line[3])) for line in history(case)]


def survivors(expected: dict[str, Any]) -> dict[str, str]:
    """By the id of each finding of then the id under which it is now: of one picture's, that of the oldest."""
    kept = {finding["id"]: finding["id"] for finding in expected["findings"]}
    for group in expected["one_picture"]:
        kept |= dict.fromkeys(group, group[0])
    return kept


def case_now(id_: str, expected: dict[str, Any]) -> str | None:
    """The case of a finding that is kept: its own, or that of a finding it was merged with."""
    cases = {finding["id"]: finding["case_id"] for finding in expected["findings"]}
    merged = [cases[old] for old, new in survivors(expected).items() if new == id_ and cases[old] is not None]
    assert len(set(merged)) <= 1
    return merged[0] if merged else None


def message(delivery: dict[str, Any]) -> tuple[str, ...]:
    """What a receiver tells a message by: where it was sent, its id, its very bytes."""
    return delivery["destination"], delivery["webhook_id"], delivery["body_sha256"]


KILLED_IN_THE_MIDST = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from guardian.store import Store
from guardian.store.schema import REVISIONS

said = []

@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *_):
    said.append(statement)
    has_all_tables = any("alembic_version SET" in one and REVISIONS[-1] in one for one in said)
    if has_all_tables and statement.startswith("UPDATE findings"):
        os.kill(os.getpid(), signal.SIGKILL)

Store(sys.argv[1])
"""


@pytest.mark.parametrize("fixture", ["sqlite_0002", "postgresql_0002"])
def test_killed_in_the_midst_of_migrating_the_next_start_migrates(
    fixture: str, restore: Callable[..., Restored]
) -> None:
    """All tables are made and a part of the rows is rewritten by then; nothing of it may stay."""
    data = restore(fixture)
    queries = ("SELECT version_num FROM alembic_version", "SELECT id, case_id FROM findings ORDER BY id")
    before = [data.rows(query) for query in queries]
    assert before[0] == [("0002",)]
    killed = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDST, data.database_url], check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert [data.rows(query) for query in queries] == before

    with closing(Store(data.database_url)) as store, store.read() as tx:
        assert {case.id for case in tx.cases.list()} >= {case["id"] for case in data.expected["cases"]}
        kept = {finding.id for finding in tx.findings.list()}
    assert kept == set(survivors(data.expected).values())
    assert data.rows(queries[0]) == [(REVISIONS[-1],)]


# What the data holds, so that a fixture that was made anew still poses every question.


@pytest.mark.parametrize("fixture", FIXTURES)
def test_the_data_holds_every_kind_of_case_and_message(fixture: str) -> None:
    expected = EXPECTED[fixture]
    kinds = {line["kind"] for case in expected["cases"] for line in case["history"]}
    assert {case["state"] for case in expected["cases"]} == {"open", "confirmed", "dismissed", "resolved"}
    assert kinds >= {"opened", "escalated", "reopened", "confirmed", "dismissed", "resolved"}
    assert any(finding["case_id"] is None for finding in expected["findings"]), "a licensed use has no case"
    assert any(finding["pictures"] > 1 for finding in expected["findings"])
    assert expected["running_scans"]
    assert all(expected["frontier"][source]["in_flight"] for source in expected["running_scans"])
    assert expected["disabled"] == ["mirror"]

    deliveries = expected["deliveries"]
    states = {(one["state"], one["held"], bool(one["attempts"])) for one in deliveries}
    assert states >= {("done", False, True), ("dead", False, True), ("due", False, True), ("due", False, False)}
    assert ("due", True, False) in states, "held back from a disabled destination"
    assert any(one["state"] == "due" and one["due_at"] > FAR_AHEAD for one in deliveries)
    assert any(one["type"] == "source.failing" for one in deliveries)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_the_data_holds_findings_that_later_rules_take_for_one(fixture: str) -> None:
    expected = EXPECTED[fixture]
    cases = {finding["id"]: finding["case_id"] for finding in expected["findings"]}
    states = {case["id"]: case["state"] for case in expected["cases"]}
    groups = [[states.get(cases[id_], "no case") for id_ in group] for group in expected["one_picture"]]
    assert len(groups) >= 6
    assert ["open", "open"] in groups
    assert any(len(group) > 2 for group in groups)
    assert any(group[0] == "no case" and group[1] != "no case" for group in groups)
    assert any(set(group) == {"resolved"} for group in groups)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_one_message_was_posted_and_never_marked(fixture: str) -> None:
    expected = EXPECTED[fixture]
    accepted = {message(post) for post in expected["received"] if post["answered"] == 204}
    unanswered = {message(post) for post in expected["received"] if post["answered"] is None}
    (leased,) = (one for one in expected["deliveries"] if one["leased"])
    assert unanswered - accepted == {message(leased)}
    assert leased["state"] == "due"


# What today's guardian makes of it.


def test_every_asset_keeps_its_id_and_number(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        assets = tx.assets.list()
    kept = [(asset.id, asset.number, asset.state.value, asset.title) for asset in assets]
    wanted = [(one["id"], one["number"], one["state"], one["title"]) for one in taken_over.data.expected["assets"]]
    assert sorted(kept) == sorted(wanted)


def test_every_case_keeps_its_id_state_and_history(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        cases = {case.id: case for case in tx.cases.list()}
        told = {id_: tx.case_history.of(id_) for id_ in cases}
    assert set(cases) == {case["id"] for case in taken_over.data.expected["cases"]}
    for wanted in taken_over.data.expected["cases"]:
        case = cases[wanted["id"]]
        assert (case.asset_id, case.operator, case.state.value) == tuple(
            wanted[name] for name in ("asset_id", "operator", "state")
        )
        kept = [(line.kind, line.by, line.note, line.message_id) for line in told[case.id]]
        assert kept == history_now(wanted, taken_over.data.expected)


def test_every_finding_is_found_by_its_id_and_those_of_one_picture_are_one(taken_over: TakenOver) -> None:
    expected = taken_over.data.expected
    kept = survivors(expected)
    with taken_over.store.read() as tx:
        found = {finding.id: finding for finding in tx.findings.list()}
        by_old_id = {old: tx.findings.get(old) for old in kept}
        by_beginning = {old: [one.id for one in tx.findings.starting_with(old[:15])] for old in kept}
        places = {
            id_: tx.findings.at(finding.asset_id, finding.page_url, finding.image_url) for id_, finding in found.items()
        }
    assert set(found) == set(kept.values())
    assert by_old_id == {old: found[new] for old, new in kept.items()}
    assert by_beginning == {old: [new] for old, new in kept.items()}
    assert places == found, "recognised at its place by today's rules"

    for finding in found.values():
        assert finding.case_id == case_now(finding.id, expected)
        wanted = [one for one in expected["findings"] if kept[one["id"]] == finding.id]
        assert (finding.asset_id, finding.page_url, finding.image_url) in [
            tuple(one[name] for name in ("asset_id", "page_url", "image_url")) for one in wanted
        ]


def test_all_bytes_that_were_seen_are_remembered(earlier: Restored) -> None:
    kept = survivors(earlier.expected)
    seen: dict[tuple[str, str, str], list[tuple[Any, Any]]] = {}
    query = "SELECT finding_id, candidate_sha256, page_sha256, first_seen_at, last_seen_at FROM finding_digests"
    for id_, candidate, page, first, last in earlier.rows(query):
        seen.setdefault((kept[id_], candidate, page), []).append((first, last))
    Store(earlier.database_url).close()
    assert {tuple(row[:3]): tuple(row[3:]) for row in earlier.rows(query)} == {
        place: (min(first for first, _ in times), max(last for _, last in times)) for place, times in seen.items()
    }


def test_bytes_that_messages_named_and_the_first_of_each_finding_are_never_dropped(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        messages = [tx.messages.get(task.message_id or "") for task in tx.tasks.list()]
        bodies = [json.loads(message.body) for message in messages if message is not None]
        named = [body["data"] for body in bodies if body["type"].startswith("case.")]
        assert named
        for data in named:
            finding = tx.findings.get(data["finding"]["id"])
            assert finding is not None
            evidence = data["evidence"]
            (told,) = [
                version
                for version in tx.versions.of(finding.id)
                if (version.candidate_sha256, version.page_sha256)
                == (evidence["candidate_sha256"], evidence["page_sha256"])
            ]
            assert told.importance is Importance.TOLD
        for finding in tx.findings.list():
            first = next(one for one in tx.versions.of(finding.id) if one.image_sha256 is not None)
            assert first.importance in (Importance.FIRST, Importance.TOLD)


def test_histories_name_messages_as_their_receivers_know_them(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        named = {line.message_id for case in tx.cases.list() for line in tx.case_history.of(case.id) if line.message_id}
        messages = {id_: tx.messages.get(id_) for id_ in named}
    assert named == {
        one["webhook_id"] for one in taken_over.data.expected["deliveries"] if one["type"].startswith("case.")
    }
    for id_, message in messages.items():
        assert message is not None
        assert message.type == json.loads(message.body)["type"]
        assert id_.endswith(hashlib.sha256(message.body).hexdigest()[:12])


def test_every_message_keeps_its_destination_state_and_bytes(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        tasks, disabled = tx.tasks.list(), tx.destinations.disabled()
        owed = [(task, tx.messages.get(task.message_id or "")) for task in tasks]
    kept = Counter(
        (task.destination, task.state.value, task.attempts, message.id, hashlib.sha256(message.body).hexdigest())
        for task, message in owed
        if message is not None
    )
    wanted = Counter(
        (one["destination"], one["state"], one["attempts"], one["webhook_id"], one["body_sha256"])
        for one in taken_over.data.expected["deliveries"]
    )
    assert kept == wanted
    assert sorted(disabled) == taken_over.data.expected["disabled"]


def test_a_crawl_that_was_cut_off_is_still_to_be_taken_up(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        running = [scan.source for scan in reversed(tx.scans.list()) if scan.ended_at is None]
        left = {source: tx.frontier.count(source) for source in taken_over.data.expected["frontier"]}
    assert running == taken_over.data.expected["running_scans"]
    assert left == {source: sum(states.values()) for source, states in taken_over.data.expected["frontier"].items()}


def test_evidence_and_originals_are_where_the_database_says(taken_over: TakenOver) -> None:
    with taken_over.store.read() as tx:
        found, assets = tx.findings.list(), tx.assets.list()
    digests = {digest for finding in found for digest in (finding.image_sha256, finding.page_sha256) if digest}
    assert digests
    for folder, wanted in (("evidence", digests), ("originals", {asset.sha256 for asset in assets})):
        kept = {file.name: file for file in (taken_over.data.data_dir / folder).rglob("*") if file.is_file()}
        assert set(kept) >= wanted
        assert all(hashlib.sha256(kept[digest].read_bytes()).hexdigest() == digest for digest in wanted)


def test_opening_it_again_changes_nothing(earlier: Restored) -> None:
    counts = "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM tasks), (SELECT count(*) FROM case_events)"
    before = earlier.rows(counts)
    Store(earlier.database_url).close()
    assert earlier.rows(counts) == before
    everything = [
        f"SELECT * FROM {table} ORDER BY 1, 2"
        for table in ("findings", "finding_aliases", "messages", "tasks", "cases")
    ]
    taken_over = [earlier.rows(query) for query in everything]
    Store(earlier.database_url).close()
    assert [earlier.rows(query) for query in everything] == taken_over


def test_people_see_their_cases_and_messages(earlier: Restored) -> None:
    shown = {case["id"]: case["state"] for case in lines(earlier, "case", "list", "--limit", "1000")}
    assert shown == {case["id"]: case["state"] for case in earlier.expected["cases"]}
    wanted = max(earlier.expected["cases"], key=lambda case: len(case["history"]))
    case = json.loads(guardian(earlier, "case", "show", wanted["id"], "--json"))
    assert history(case) == history_now(wanted, earlier.expected)
    assert {finding["id"] for finding in case["findings"]} == {
        id_ for id_ in survivors(earlier.expected).values() if case_now(id_, earlier.expected) == wanted["id"]
    }

    kept = {
        (one["destination"], one["webhook_id"], one["state"], one["held"], one["attempts"])
        for one in lines(earlier, "delivery", "list", "--limit", "1000")
    }
    assert kept == {
        (one["destination"], one["webhook_id"], one["state"], one["held"], one["attempts"])
        for one in earlier.expected["deliveries"]
    }


def test_what_is_owed_arrives_once_and_what_was_told_is_not_told_again(earlier: Restored, receiver: Any) -> None:
    receiver.secrets = [SECRET]
    told = "".join(
        f"  - {{name: {name}, kind: webhook, url: '{receiver.url}?{name}', secret_env: GUARDIAN_SECRET}}\n"
        for name in ("legal", "press", "mirror", "down")
    )
    before, _, after = earlier.config.read_text().partition("sources:\n")
    store = "".join(line for line in after.splitlines(keepends=True) if line.startswith("store:"))
    earlier.config.write_text(f"{before}{store}sources: []\ndestinations:\n{told}")
    guardian(earlier, "run", "--once")

    due = [one for one in earlier.expected["deliveries"] if one["state"] == "due" and not one["held"]]
    owed = Counter(message(one) for one in due if one["due_at"] < FAR_AHEAD)
    arrived = Counter(
        (post.path.partition("?")[2], post.id, hashlib.sha256(post.body).hexdigest()) for post in receiver.accepted
    )
    assert arrived == owed
    assert all(post.signed_by == (0,) for post in receiver.posts)
    accepted_before = {message(post) for post in earlier.expected["received"] if post["answered"] == 204}
    assert not accepted_before & set(arrived)
    left = {(one["destination"], one["webhook_id"]) for one in lines(earlier, "delivery", "list", "--state", "due")}
    assert left == {
        (one["destination"], one["webhook_id"])
        for one in earlier.expected["deliveries"]
        if one["state"] == "due" and (one["held"] or one["due_at"] > FAR_AHEAD)
    }


def test_an_episode_of_trouble_that_was_told_is_not_told_again(earlier: Restored) -> None:
    told = {one["webhook_id"] for one in earlier.expected["deliveries"] if one["type"].startswith("source.")}
    assert told
    store = Store(earlier.database_url)
    with store.begin() as tx:
        before = {task.id for task in tx.tasks.list()}
        for id_ in told:
            message = tx.messages.get(id_)
            assert message is not None
            source = json.loads(message.body)["data"]["source"]
            last_good = max((scan.id for scan in tx.scans.list(source) if scan.outcome == "completed"), default=0)
            trouble = Trouble(TroubleKind(message.type.removeprefix("source.")), "again", last_good)
            again = mint(message.type, {"source": source}, message.created_at)
            assert enqueue_once(tx, again, ["legal", "press"], episode_of(source, trouble)) == 0
            assert enqueue_once(tx, again, ["legal", "later"], episode_of(source, trouble)) == 1
        after = [task for task in tx.tasks.list() if task.id not in before]
    store.close()
    assert {(task.destination, task.message_id) for task in after} == {("later", id_) for id_ in told}


def test_what_is_seen_again_is_known(earlier: Restored) -> None:
    counts = "SELECT (SELECT count(*) FROM findings), (SELECT count(*) FROM tasks), (SELECT count(*) FROM case_events)"
    Store(earlier.database_url).close()
    before = earlier.rows(counts)
    guardian(earlier, "scan", "dropbox", code=1)
    assert earlier.rows(counts) == before


@pytest.mark.parametrize("fixture", ["sqlite_0001", "sqlite_0002"])
def test_a_copy_is_found_when_the_index_is_made_anew(fixture: str, restore: Callable[..., Restored]) -> None:
    """The recipe has changed since: until `index rebuild`, no answer sounds clean."""
    data = restore(fixture)
    sent_in = str(data.folder / "incoming" / "sent-in.jpg")
    (before,) = lines(data, "check", sent_in, code=3)
    assert before["partial"]

    guardian(data, "index", "rebuild")
    (answer,) = lines(data, "check", sent_in, code=1)
    (match,) = answer["matches"]
    coffee = next(asset for asset in data.expected["assets"] if asset["title"] == "coffee")
    assert match["asset"]["id"] == coffee["id"]


# The coins' case was resolved; later rules for renditions made its picture another finding, and the case was reopened.
@pytest.mark.parametrize("fixture", ["sqlite_0001", "sqlite_0002", "postgresql_0001"])
def test_what_is_shown_as_before_is_not_found_or_told_again(fixture: str, restore: Callable[..., Restored]) -> None:
    with closing(Web(HOSTS, 0)) as web:
        show_as_left(web, fixture.partition("_")[2])
        data = restore(fixture, site_port=web.port)
        Store(data.database_url).close()
        before = {query: data.rows(query) for query in WHAT_SCANS_MAY_ADD}
        # All but the crawl that was cut off, which has more to see, and the source that always fails.
        config = data.config.read_text().splitlines(keepends=True)
        data.config.write_text("".join(line for line in config if not line.startswith(LEFT_OUT)))
        guardian(data, "run", "--once", code=1)
        changed = {query: set(data.rows(query)) ^ set(rows) for query, rows in before.items()}
        assert not any(changed.values()), changed


def test_words_of_cases_are_kept_after_the_upgrade_and_find_the_same(earlier: Restored) -> None:
    store = Store(earlier.database_url)

    def found() -> dict[str, list[str]]:
        with store.read() as tx:
            said = [text for finding in tx.findings.list() for text in (finding.page_url, finding.context.page_title)]
            asked = {text for text in said if text} | {case.operator for case in tx.cases.list()}
            return {words: [case.id for case in tx.cases.matching(CaseFilter(words=words))] for words in asked}

    before = found()
    assert any(before.values())
    with store.begin() as tx:
        assert not tx.case_words.are_all_kept()
        assert tx.case_words.keep(1_000) == len(tx.cases.list())
    assert found() == before
    store.close()
