"""Days that count after a notice are told of once, to who asks for it, while they still say something."""

import json
from datetime import date, timedelta
from importlib.resources import files

from jsonschema import Draft202012Validator

from guardian.cases import Edit, decide
from guardian.model import Audience, CaseState, Routing, Subscription, TaskKind
from guardian.notices.deadlines import tell_of_deadlines
from guardian.notices.steps import approve, check_licence, consider, mark_sent, note_counter, note_verified
from guardian.views.message_texts import message_body
from tests.notices.conftest import NOON, Bench, by

AUDIENCE = Audience(("legal", "old"), Routing((Subscription("legal", ("notice.*",)),)))
SCHEMA = json.loads(files("guardian.cases").joinpath("event.schema.json").read_text())


def sent(bench: Bench) -> str:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    settings = bench.notice_config.settings
    with bench.store.begin() as tx:
        check_licence(tx, notice.id, "asked the sales team", by("mara"))
        consider(tx, notice.id, "a whole copy in a shop", by("mara"))
        approve(tx, notice.id, by("jo"), settings)
        note_verified(tx, notice.id, {}, by("jo"))
        mark_sent(tx, notice.id, "abuse@thief.example", lambda: "d" * 64, by("jo"), settings)
    return notice.id


def told(bench: Bench, days: float) -> list[tuple[str, int]]:
    """What is told so many days after the notice: what the day is, and how many are left."""
    with bench.store.begin() as tx:
        known = {task.message_id for task in tx.tasks.list(TaskKind.DELIVER)}
        tell_of_deadlines(tx, AUDIENCE, NOON + timedelta(days=days))
        bodies = []
        for task in reversed(tx.tasks.list(TaskKind.DELIVER)):
            message = tx.messages.get(task.message_id or "") if task.message_id not in known else None
            if message is not None:
                assert task.destination == "legal"
                body = json.loads(message.body)
                Draft202012Validator(SCHEMA).validate(body)
                assert "thief.example" in message_body(message.type, body["data"], None)
                bodies.append(body["data"]["deadline"])
    return [(one["what"], one["days_left"]) for one in bodies]


def test_nobody_answered_is_told_once_and_only_while_the_case_waits(bench: Bench) -> None:
    sent(bench)
    # The notice asks for an answer within 7 days, by 1 December.
    assert [told(bench, days) for days in (1, 7, 8, 9)] == [[], [], [("answer", -1)], []]


def test_an_answer_is_not_missed_once_the_case_is_decided(bench: Bench) -> None:
    sent(bench)
    with bench.store.begin() as tx:
        (case,) = tx.cases.list()
        decide(tx, case.id, CaseState.CLOSED, Edit("jo", NOON))
    assert told(bench, 8) == []


def test_the_days_of_a_counter_notice_are_told_ahead(bench: Bench) -> None:
    notice_id = sent(bench)
    with bench.store.begin() as tx:
        note_counter(tx, notice_id, date(2026, 11, 25), by("jo", 30), bench.notice_config.settings)
    # 10 and 16 December; an answer has come.
    assert told(bench, 10) == []
    assert told(bench, 11) == [("restore_from", 5)]
    assert told(bench, 17) == [("restore_by", 5)]
    assert told(bench, 22) == []


def test_what_was_told_by_a_clock_that_was_ahead_is_told_again_when_it_is_so(bench: Bench) -> None:
    sent(bench)
    assert told(bench, 20) == [("answer", -13)]
    assert told(bench, 1) == []
    assert told(bench, 8) == [("answer", -1)]
    assert told(bench, 9) == []
