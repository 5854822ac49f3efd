"""The published message: its schema, its size, and what strangers' words can do to it (nothing)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from guardian.cases import RecordedUse, compose
from guardian.cases.messages import MAX_BYTES
from guardian.model import Action, Case, CaseState, Comparison, Context, Decision, Rights, Severity, Sighting

Use = Callable[..., RecordedUse]
SCHEMA = json.loads(files("guardian.cases").joinpath("message.schema.json").read_text())
NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
CASE = Case(
    "case_0123456789abcdef",
    "asset_1",
    "work_1",
    "thief.example",
    CaseState.OPEN,
    Severity.HIGH,
    NOW,
    NOW,
    3,
    NOW,
    message_count=1,
)


def message(use: RecordedUse, case: Case = CASE) -> dict[str, object]:
    composed = compose("case.opened", case, "find_1", use)
    assert len(composed.body) < MAX_BYTES
    parsed: dict[str, object] = json.loads(composed.body)
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(parsed)
    return parsed


def test_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_message_says_what_was_found(use: Use) -> None:
    parsed = message(use(also_at=("https://mirror.example/x.jpg",)))
    data = parsed["data"]
    assert isinstance(data, dict)
    assert (parsed["type"], parsed["timestamp"]) == ("case.opened", "2026-11-24T12:00:00.000Z")
    assert data["case"]["finding_count"] == 3
    assert data["measured"]["probability"] == 0.987654321
    assert data["measured"]["hash_distance"] is None
    assert data["recovered"]["scale"] == 0.1 + 0.2
    assert data["recovered"]["mirrored"] is True
    assert data["also_at"] == ["https://mirror.example/x.jpg"]
    assert data["evidence"]["image_sha256"] == "1" * 64


def test_what_was_not_measured_is_null(use: Use) -> None:
    data = message(use(comparison=Comparison(probability=1.0), page_url=None))["data"]
    assert isinstance(data, dict)
    assert data["page_url"] is None
    assert [key for key, value in data["measured"].items() if value is not None] == ["probability"]
    assert [key for key, value in data["recovered"].items() if value is not None] == ["description"]


def test_the_same_event_is_the_same_bytes_and_each_message_has_an_id_of_its_own(use: Use) -> None:
    one, other = (compose("case.opened", CASE, "find_1", use()) for _ in range(2))
    assert (one.type, one.created_at, one.body) == (other.type, other.created_at, other.body)
    assert one.id != other.id


def test_credentials_in_an_address_are_not_passed_on(use: Use) -> None:
    data = message(use("https://user:hunter2@thief.example/p"))["data"]
    assert "hunter2" not in json.dumps(data)


def test_direction_tricks_and_control_characters_are_taken_out(use: Use) -> None:
    sly = Context(alt="gnp.\u202eexe\x00\x1b[31m \ud800 ok", page_title="a\r\nb\u2028c")
    made = use()
    data = message(replace(made, sighting=replace(made.sighting, context=sly)))["data"]
    assert isinstance(data, dict)
    assert data["context"]["alt"] == "gnp.exe [31m \ufffd ok"
    assert data["context"]["page_title"] == "a b c"


MONSTERS = [
    '"' * 50_000,
    "\\" * 50_000,
    "\U0001f469\u200d\U0001f4bb" * 9_000,
    "\x00" * 50_000,
    "\ud800" * 50_000,
    "é" * 50_000,
]


@pytest.mark.parametrize("monster", MONSTERS, ids=["quotes", "backslashes", "emoji", "nul", "surrogates", "accents"])
def test_monsters_stay_under_the_limit(use: Use, monster: str) -> None:
    message(monstrous(use(), monster), replace(CASE, operator=monster))


@given(st.lists(st.text(max_size=300), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_schema_or_size(use: Use, texts: list[str]) -> None:
    made = use()
    for monster in texts:
        made = monstrous(made, monster)
        message(made)


def monstrous(use: RecordedUse, monster: str) -> RecordedUse:
    """The use with this text wherever a stranger or an owner could put one."""
    url = "https://thief.example/" + monster
    rights = Rights(monster, monster, monster, monster, monster)
    return replace(
        use,
        asset=replace(use.asset, title=monster, collection=monster, tags=(monster,) * 50, rights=rights),
        sighting=Sighting(monster, url, url, NOW, Context(monster, monster, monster, monster, monster, monster)),
        decision=Decision(Action.ALERT, monster, Severity.LOW),
        comparison=replace(use.comparison, description=monster),
        kept=replace(use.kept, note=monster),
        also_at=(url,) * 500,
    )
