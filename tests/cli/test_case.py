"""`guardian case` as a person runs it."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.cases import Kept, RecordedUse, record
from guardian.model import Action, Audience, Comparison, Context, Decision, LicenceStatus, Severity, Sighting, TaskKind
from guardian.shipped import rules_folder
from tests import forked
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def guardian(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.guardian("--config", folder / "config.yaml", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cases: thief.example with two findings, told; pirate.example for review, untold."""
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        asset = tx.assets.reserve("a" * 64, title="Düne", collection="shop", path="/a.jpg", size=(800, 600), at=NOON)
        seen = [
            ("https://thief.example/1", Action.ALERT, ("legal",)),
            ("https://www.thief.example/2", Action.ALERT, ("legal",)),
            ("https://pirate.example/", Action.REVIEW, ()),
        ]
        for minutes, (page_url, action, destinations) in enumerate(seen):
            at = NOON + timedelta(minutes=minutes)
            use = RecordedUse(
                Sighting("web", "https://cdn.example/i.jpg", page_url, at, Context(alt="eine \x1b[31mDüne")),
                "c" * 64,
                asset,
                Comparison(0.98765, description="cropped to 41 %"),
                LicenceStatus.NONE,
                Decision(action, "copies", Severity.HIGH),
                at,
            )
            record(tx, use, Audience(destinations))
    store.close()
    return tmp_path


def ids(folder: Path) -> dict[str, str]:
    """The id of each operator's case."""
    lines = guardian(folder, "case", "list", "--json").stdout.splitlines()
    return {case["operator"]: case["id"] for case in map(json.loads, lines)}


def test_list_shows_who_shows_what(folder: Path) -> None:
    shown = guardian(folder, "case", "list")
    assert shown.returncode == 0, shown.stderr
    pirate, thief = shown.stdout.splitlines()
    assert "pirate.example" in pirate
    assert "no message yet" in pirate
    words = ("thief.example", "Düne", "2 addresses", "message of 2026-11-24 12:00Z", "high")
    assert all(word in thief for word in words)


def test_list_by_state_when_there_is_none(folder: Path) -> None:
    assert (
        guardian(folder, "case", "list", "--state", "dismissed").stdout
        == "no cases to which all of the options apply\n"
    )
    assert guardian(folder, "case", "list", "--state", "dismissed", "--json").stdout == ""


def test_show_has_findings_and_history(folder: Path) -> None:
    case_id = ids(folder)["thief.example"]
    shown = guardian(folder, "case", "show", case_id[:14]).stdout
    assert "https://www.thief.example/2" in shown
    assert "cropped to 41 %" in shown
    assert "\x1b" not in shown
    assert "opened" in shown
    whole = json.loads(guardian(folder, "case", "show", case_id.removeprefix("case_"), "--json").stdout)
    assert [finding["page_url"][-1] for finding in whole["findings"]] == ["1", "2"]
    assert whole["findings"][0]["comparison"]["hash_distance"] is None
    assert whole["asset"]["title"] == "Düne"
    assert [event["kind"] for event in whole["history"]] == ["opened", "spread"]


def test_what_a_sent_message_named_is_found_after_the_bytes_changed(folder: Path) -> None:
    store = store_in(folder / "data")
    with store.begin() as tx:
        (asset,) = tx.assets.list()
        for minutes, digit in ((10, "d"), (20, "e")):
            at = NOON + timedelta(minutes=minutes)
            changed = RecordedUse(
                Sighting("web", "https://cdn.example/i.jpg", "https://thief.example/1", at),
                digit * 64,
                asset,
                Comparison(0.98765),
                LicenceStatus.NONE,
                Decision(Action.ALERT, "copies", Severity.HIGH),
                at,
                Kept(digit * 64, "f" * 64),
            )
            record(tx, changed, Audience(("legal",)))
        messages = [tx.messages.get(task.message_id or "") for task in tx.tasks.list(TaskKind.DELIVER)]
        sent = [json.loads(message.body) for message in messages if message]
    store.close()
    named = {message["data"]["evidence"]["candidate_sha256"] for message in sent}
    assert named == {"c" * 64}

    case_id = ids(folder)["thief.example"]
    whole = json.loads(guardian(folder, "case", "show", case_id, "--json").stdout)
    first = next(finding for finding in whole["findings"] if finding["page_url"].endswith("/1"))
    assert [(version["candidate_sha256"], version["first_seen_at"][11:16]) for version in first["versions"]] == [
        ("c" * 64, "12:00"),
        ("d" * 64, "12:10"),
        ("e" * 64, "12:20"),
    ]
    shown = guardian(folder, "case", "show", case_id).stdout
    assert "3 versions are recorded" in shown
    assert "2026-11-24 12:10Z to 2026-11-24 12:10Z, the first\n        image " + "d" * 64 in shown
    assert "c" * 64 + " (not kept)" in shown


def test_a_licence_makes_a_case_licensed_and_lists_choose(folder: Path) -> None:
    shutil.copytree(rules_folder(), folder / "rules")
    added = guardian(folder, "licence", "add", "--host", "www.thief.example", "--collection", "shop")
    assert added.returncode == 0, added.stderr
    licence_id = added.stdout.split()[0]
    case_id = ids(folder)["thief.example"]
    assert f"{case_id}  thief.example  licensed now\n" in added.stdout

    (line,) = guardian(folder, "case", "list", "--state", "licensed", "--host", "thief.example").stdout.splitlines()
    assert "licensed" in line
    assert "high" not in line
    assert f"licensed by {licence_id} since " in line
    found = json.loads(guardian(folder, "case", "list", "--licence", licence_id[:9], "--json").stdout)
    assert (found["state"], found["severity"], found["action"]) == ("licensed", None, "ignore")
    assert (found["licence_id"], found["licensed_since"][:2]) == (licence_id, "20")
    shown = guardian(folder, "case", "show", case_id).stdout
    assert f"licensed: {licence_id}: www.thief.example may use the collection shop without end" in shown
    assert f"licensed to this host ({licence_id}, since 20" in shown

    for nothing in (("--severity", "low"), ("--since", "2999-01-01"), ("--licence", "lapsed"), ("--collection", "x")):
        assert guardian(folder, "case", "list", *nothing).stdout == "no cases to which all of the options apply\n"
    (pirate,) = guardian(folder, "case", "list", "--severity", "high", "--asset", "aaaa").stdout.splitlines()
    assert "pirate.example" in pirate
    refused = guardian(folder, "case", "list", "--licence", "lic_zz")
    assert refused.returncode == 2
    assert "licensed, lapsed, not_yet, out_of_scope, none" in refused.stderr

    uses = guardian(folder, "licence", "uses", licence_id).stdout.splitlines()
    assert sorted(use.split()[2] for use in uses) == ["https://thief.example/1", "https://www.thief.example/2"]
    nowhere = guardian(folder, "licence", "uses", "--host", "pirate.example").stdout
    assert nowhere == "no licensed uses to which all of the options apply\n"
    removed = guardian(folder, "licence", "remove", licence_id)
    assert f"{case_id}  thief.example  not licensed any more, open\n" in removed.stdout


def test_reviews_are_kept_with_who_and_why(folder: Path) -> None:
    case_id = ids(folder)["thief.example"]
    assert guardian(folder, "case", "confirm", case_id, "--by", "mara").stdout.endswith("confirmed\n")
    dismissed = guardian(folder, "case", "dismiss", case_id, "--by", "mara", "--note", "our own shop")
    assert dismissed.stdout.endswith("dismissed\n")
    assert guardian(folder, "case", "reopen", case_id).stdout.endswith("open\n")
    history = json.loads(guardian(folder, "case", "show", case_id, "--json").stdout)["history"]
    assert [(event["kind"], event["by"], event["note"]) for event in history[:4]] == [
        ("opened", None, None),
        ("spread", None, "at https://www.thief.example/2"),
        ("confirmed", "mara", None),
        ("dismissed", "mara", "our own shop"),
    ]
    assert history[4]["by"]


def test_several_at_once_all_or_none(folder: Path) -> None:
    both = ids(folder)
    failed = guardian(folder, "case", "resolve", both["thief.example"], "case_0000")
    assert failed.returncode == 2
    assert "no case case_0000" in failed.stderr
    assert guardian(folder, "case", "list", "--state", "resolved").stdout.startswith("no cases")
    assert len(guardian(folder, "case", "resolve", *both.values()).stdout.splitlines()) == 2


def test_a_beginning_that_fits_several_is_refused(folder: Path) -> None:
    refused = guardian(folder, "case", "show", "case_")
    assert refused.returncode == 2
    assert "2 cases start with" in refused.stderr
