"""`guardian destination` as a person runs it."""

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.databases import store_in


def guardian(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = ("--config", folder / "config.yaml", "destination", *arguments)
    return forked.guardian(*words, environment=os.environ | environment)


@pytest.fixture
def folder(tmp_path: Path, receiver: Any) -> Path:
    (tmp_path / "config.yaml").write_text(
        "data_dir: data\n"
        f"destinations: [{{name: legal, kind: webhook, url: '{receiver.url}?token=hidden', secret_env: HOOK}}]\n"
    )
    return tmp_path


def test_a_signed_test_event(folder: Path, receiver: Any) -> None:
    sent = guardian(folder, "test", "legal", HOOK=receiver.secrets[0])
    assert (sent.returncode, sent.stderr) == (0, "")
    (cache_status,) = receiver.posts
    assert sent.stdout == f"legal accepted the test event {cache_status.id}\n"
    assert cache_status.signed_by == (0,)
    assert cache_status.path == "/hook?token=hidden"
    assert json.loads(cache_status.body)["type"] == "destination.test"


def test_a_refused_test_event_says_why(folder: Path, receiver: Any) -> None:
    receiver.then(403)
    refused = guardian(folder, "test", "legal", HOOK=receiver.secrets[0])
    assert refused.returncode == 3
    assert "not accepted" in refused.stderr
    assert "answered 403" in refused.stderr
    assert "hidden" not in refused.stderr + refused.stdout


def test_a_missing_secret_and_an_unknown_name_are_said(folder: Path, receiver: Any) -> None:
    missing = guardian(folder, "test", "legal", HOOK="")
    assert "HOOK is not set" in missing.stderr
    assert missing.returncode == 2
    unknown = guardian(folder, "test", "other", HOOK=receiver.secrets[0])
    assert unknown.returncode == 2
    assert "there are: legal" in unknown.stderr
    assert receiver.posts == []


def test_a_disabled_destination_is_shown_and_enabled(folder: Path) -> None:
    store = store_in(folder / "data")
    with store.begin() as tx:
        tx.destinations.disable("legal", datetime.now(UTC), "it answered 410 Gone")
    store.close()
    shown = guardian(folder, "list")
    assert "legal  webhook  disabled  http://127.0.0.1" in shown.stdout
    assert "guardian destination enable legal" in shown.stdout
    assert "hidden" not in shown.stdout
    assert "legal is enabled" in guardian(folder, "enable", "legal").stdout
    assert "was enabled already" in guardian(folder, "enable", "legal").stdout
    (facts,) = [json.loads(line) for line in guardian(folder, "list", "--json").stdout.splitlines()]
    assert (facts["name"], facts["state"], facts["reason"]) == ("legal", "enabled", None)
    assert guardian(folder, "enable", "other").returncode == 2


def test_a_secret_file_lies_beside_the_configuration(folder: Path, receiver: Any) -> None:
    text = (folder / "config.yaml").read_text().replace("secret_env: HOOK", "secret_file: keys/hook")
    (folder / "config.yaml").write_text(text)
    (folder / "keys").mkdir()
    (folder / "keys" / "hook").write_text(receiver.secrets[0] + "\n")
    (folder / "keys" / "hook").chmod(0o600)
    sent = guardian(folder, "test", "legal")
    assert (sent.returncode, sent.stderr) == (0, "")
    assert receiver.posts[0].signed_by == (0,)
