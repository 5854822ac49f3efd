"""`guardian delivery` as a person runs it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.model import Message
from guardian.outbox import enqueue
from guardian.store import StoreSettings, open_store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def guardian(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guardian", "--config", str(folder / "config.yaml"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four messages: 1 done, 2 dead, 3 waiting for its next try, 4 dead and its destination disabled."""
    (tmp_path / "config.yaml").write_text(
        "data_dir: data\n"
        "destinations:\n"
        "  - {name: legal, kind: webhook, url: 'https://legal.example/hook?token=hidden', secret_env: HOOK}\n"
        "  - {name: chat, kind: webhook, url: 'https://chat.example/hook', secret_env: HOOK}\n"
    )
    store = open_store(StoreSettings(), tmp_path / "data")
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


def test_retry_one_and_all_dead(folder: Path) -> None:
    assert guardian(folder, "delivery", "retry", "2").stdout == "1 of 2 dead messages are due again\n"
    again = guardian(folder, "delivery", "retry", "--all-dead")
    assert again.stdout == "1 of 1 dead messages are due again\n"
    assert "guardian destination enable chat" in again.stderr
    states = [json.loads(line) for line in guardian(folder, "delivery", "list", "--json").stdout.splitlines()]
    assert [(one["state"], one["held"]) for one in states] == [
        ("due", True),
        ("due", False),
        ("due", False),
        ("done", False),
    ]


@pytest.mark.parametrize("arguments", [[], ["2", "--all-dead"], ["2", "1"], ["99"]])
def test_retry_refuses_what_makes_no_sense_and_changes_nothing(folder: Path, arguments: list[str]) -> None:
    refused = guardian(folder, "delivery", "retry", *arguments)
    assert refused.returncode == 2
    assert len(guardian(folder, "delivery", "list", "--state", "dead", "--json").stdout.splitlines()) == 2
