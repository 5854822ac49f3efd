"""`guardian delivery` as a person runs it."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.model import Message
from guardian.outbox import enqueue
from tests import forked
from tests.databases import store_in

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def guardian(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.guardian("--config", folder / "config.yaml", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four messages: 1 done, 2 dead, 3 waiting for its next try, 4 dead and its destination disabled."""
    (tmp_path / "config.yaml").write_text(
        "data_dir: data\n"
        "destinations:\n"
        "  - {name: legal, kind: webhook, url: 'https://legal.example/hook?token=hidden', secret_env: HOOK}\n"
        "  - {name: chat, kind: webhook, url: 'https://chat.example/hook', secret_env: HOOK}\n"
    )
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        for name, destination in (("a", "legal"), ("b", "legal"), ("c", "legal"), ("d", "chat")):
            body = json.dumps({"type": "case.opened", "data": {"title": f"Düne {name}"}}).encode()
            enqueue(tx, Message(f"msg_{name}", "case.opened", NOW, body), [destination])
        tx.tasks.done(1, NOW)
        tx.tasks.bury(2, "https://legal.example/hook answered 500: broken")
        tx.tasks.postpone(3, NOW.replace(year=2036), "timeout")
        tx.tasks.bury(4, "https://chat.example/hook answered 410 Gone")
        tx.destinations.disable("chat", NOW, "it answered 410")
    store.close()
    return tmp_path


def test_list_shows_every_state_and_the_reason(folder: Path) -> None:
    shown = guardian(folder, "delivery", "list")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert [line.split()[:3] for line in lines[:4]] == [
        ["4", "dead", "chat"],
        ["3", "due", "legal"],
        ["2", "dead", "legal"],
        ["1", "done", "legal"],
    ]
    assert "answered 500: broken" in lines[2]
    assert "tried 1x, again at 2036-11-24" in lines[1]
    assert lines[4] == "1 due, 1 done, 2 dead in all"


def test_list_as_json_by_state(folder: Path) -> None:
    shown = guardian(folder, "delivery", "list", "--state", "dead", "--json")
    messages = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(one["id"], one["destination"], one["attempts"]) for one in messages] == [(4, "chat", 1), (2, "legal", 1)]
    assert messages[1]["webhook_id"] == "msg_b"


def test_show_prints_the_body(folder: Path) -> None:
    shown = guardian(folder, "delivery", "show", "2")
    assert '"title": "Düne b"' in shown.stdout
    as_json = json.loads(guardian(folder, "delivery", "show", "2", "--json").stdout)
    assert json.loads(as_json["body"])["data"]["title"] == "Düne b"
    missing = guardian(folder, "delivery", "show", "99")
    assert missing.returncode == 2
    assert "no message 99" in missing.stderr


def test_a_message_is_named_by_its_webhook_id(folder: Path) -> None:
    store = store_in(folder / "data")
    with store.begin() as tx:
        enqueue(tx, Message("msg_both", "case.opened", NOW, b"{}"), ["legal", "chat"])
        tx.tasks.done(5, NOW)
        tx.tasks.bury(6, "timeout")
    store.close()

    both = guardian(folder, "delivery", "show", "msg_bo", "--json")
    assert [json.loads(line)["destination"] for line in both.stdout.splitlines()] == ["legal", "chat"]
    # Only the destination that has not accepted it is tried again.
    assert guardian(folder, "delivery", "retry", "msg_both").stdout == "1 of 3 dead messages is due again\n"

    several = guardian(folder, "delivery", "show", "msg_")
    assert (several.returncode, "5 messages start with msg_" in several.stderr) == (2, True)
    unknown = guardian(folder, "delivery", "retry", "999")
    assert (unknown.returncode, "there is no message 999" in unknown.stderr) == (2, True)


def test_retry_one_and_all_dead(folder: Path) -> None:
    assert guardian(folder, "delivery", "retry", "2").stdout == "1 of 2 dead messages is due again\n"
    again = guardian(folder, "delivery", "retry", "--all-dead")
    assert again.stdout == "1 of 1 dead message is due again\n"
    assert "guardian destination enable chat" in again.stderr
    states = [json.loads(line) for line in guardian(folder, "delivery", "list", "--json").stdout.splitlines()]
    assert [(one["state"], one["held"]) for one in states] == [
        ("due", True),
        ("due", False),
        ("due", False),
        ("done", False),
    ]
    log = [json.loads(line) for line in guardian(folder, "audit", "list", "--json").stdout.splitlines()]
    retried = [(line["subject"], line["detail"]["destination"]) for line in log if line["action"] == "delivery.retried"]
    assert retried == [("2", "legal"), ("4", "chat")]


def test_retry_hurries_what_waits(folder: Path) -> None:
    def due_at() -> datetime:
        lines = guardian(folder, "delivery", "list", "--json").stdout.splitlines()
        return datetime.fromisoformat(next(one for one in map(json.loads, lines) if one["id"] == 3)["due_at"])

    assert due_at().year == 2036
    assert guardian(folder, "delivery", "retry", "3").stdout == "1 waiting message is due now\n"
    assert due_at() <= datetime.now(UTC)
    again = guardian(folder, "delivery", "retry", "3")
    assert (again.returncode, again.stdout) == (0, "0 waiting messages are due now; 1 was due already\n")
    assert guardian(folder, "delivery", "retry", "--all-waiting").returncode == 0
    both = guardian(folder, "delivery", "retry", "2", "3").stdout
    assert both == "1 of 2 dead messages is due again\n"


@pytest.mark.parametrize("arguments", [[], ["2", "--all-dead"], ["3", "--all-waiting"], ["2", "1"], ["99"]])
def test_retry_refuses_what_makes_no_sense_and_changes_nothing(folder: Path, arguments: list[str]) -> None:
    refused = guardian(folder, "delivery", "retry", *arguments)
    assert refused.returncode == 2
    assert len(guardian(folder, "delivery", "list", "--state", "dead", "--json").stdout.splitlines()) == 2


def test_list_and_show_name_case_and_asset(folder: Path) -> None:
    data = {
        "case": {"id": "case_0123456789abcdef0123", "operator": "thief.example"},
        "asset": {"id": "asset_1", "title": "夜明けの港"},
    }
    store = store_in(folder / "data")
    with store.begin() as tx:
        at = NOW.replace(microsecond=123456)
        enqueue(tx, Message("msg_e", "case.opened", at, json.dumps({"data": data}).encode()), ["legal"])
        enqueue(tx, Message("msg_f", "source.failing", at, b'{"data": {"source": "gallery"}}'), ["legal"])
    store.close()

    failing, opened, *_ = guardian(folder, "delivery", "list").stdout.splitlines()
    assert opened == "5  due   legal  2026-11-24 12:00Z  “夜明けの港” at thief.example, case_0123456789abcdef0123"
    assert failing.endswith("  source gallery")
    listed = json.loads(guardian(folder, "delivery", "list", "--json").stdout.splitlines()[1])
    assert listed["about"] == {
        "type": "case.opened",
        "case_id": "case_0123456789abcdef0123",
        "operator": "thief.example",
        "asset_id": "asset_1",
        "asset_title": "夜明けの港",
        "source": None,
    }
    shown = guardian(folder, "delivery", "show", "5").stdout
    assert "case         case_0123456789abcdef0123\n" in shown
    assert "asset        “夜明けの港” (asset_1)\n" in shown
    assert "created      2026-11-24 12:00:00Z\n" in shown
    assert "123456" not in shown.partition("{")[0].replace("case_0123456789abcdef0123", "")
