"""Notices, their histories and rechecks as rows, on both databases."""

from datetime import UTC, date, datetime, timedelta

from guardian.model import Action, Severity
from guardian.model.notices import (
    Notice,
    NoticeItem,
    NoticeKind,
    NoticeLanguage,
    NoticeLine,
    NoticePlace,
    NoticeState,
    NoticeStep,
    PlaceLook,
    PlaceState,
    Recheck,
    RecheckOutcome,
)
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def notice(id_: str, *case_ids: str, days: int = 0) -> Notice:
    place = NoticePlace("find_1", "https://thief.example/ü", None, NOON, NOON)
    return Notice(
        id=id_,
        kind=NoticeKind.CEASE,
        language=NoticeLanguage.GERMAN,
        operator="thief.example",
        drafted_at=NOON + timedelta(days=days),
        drafted_by="mara",
        subject="Abmahnung",
        text="„Düne“\n",
        form="x\n",
        items=tuple(NoticeItem(case_id, "asset_1", "Düne", (place,)) for case_id in case_ids),
        missing=("§ 97a: …",),
        template_sha256="e" * 64,
        answer_by=date(2026, 12, 1),
    )


def test_a_notice_comes_back_as_it_was_with_a_history_that_grows(store: Store) -> None:
    first, second = notice("notice_aa", "case_1", "case_2"), notice("notice_ab", "case_2", days=1)
    line = NoticeLine("notice_aa", NOON, NoticeStep.SENT, "jo", "by mail", {"to": "a@b.example"})
    with store.begin() as tx:
        tx.notices.add(first)
        tx.notices.add(second)
        tx.notices.note(NoticeLine("notice_aa", NOON, NoticeStep.DRAFTED, "mara"))
        tx.notices.note(line)
        locked = tx.notices.lock("notice_aa")
    assert locked == first
    assert locked is not None
    assert (locked.state, locked.history[-1]) == (NoticeState.SENT, line)
    with store.read() as tx:
        assert tx.notices.get("notice_none") is None
        assert tx.notices.of_case("case_2") == [first, second]
        assert tx.notices.of_case("case_1") == [first]
        assert tx.notices.list() == [second, first]
        assert tx.notices.list(operator="nobody.example") == []
        assert [one.id for one in tx.notices.starting_with("notice_a")] == ["notice_aa", "notice_ab"]


def test_a_merged_case_has_the_notices_and_rechecks_of_both(store: Store) -> None:
    look = PlaceLook("https://thief.example/", None, PlaceState.GONE, "the page answers 404", "find_1")
    with store.begin() as tx:
        reserved = [
            tx.assets.reserve(one * 64, title=one, collection="shop", path="/p", size=(8, 6), at=NOON) for one in "ab"
        ]
        kept, gone = (tx.cases.insert(one.id, "thief.example", Action.ALERT, Severity.LOW, NOON)[0] for one in reserved)
        tx.notices.add(notice("notice_aa", kept.id))
        tx.notices.add(notice("notice_ab", gone.id, days=1))
        recheck = Recheck("recheck_1", gone.id, "notice_ab", 3, NOON, RecheckOutcome.GONE, (look,))
        tx.notices.add_recheck(recheck)
        tx.cases.absorb(kept, gone.id)
    with store.read() as tx:
        assert [one.id for one in tx.notices.of_case(kept.id)] == ["notice_aa", "notice_ab"]
        assert tx.notices.rechecks_of(kept.id) == [recheck]


def test_notices_are_found_by_what_they_are_now_and_by_their_days(store: Store) -> None:
    steps = {
        "notice_draft": (NoticeStep.DRAFTED, NoticeStep.LICENCE_CHECKED),
        "notice_out": (NoticeStep.DRAFTED, NoticeStep.APPROVED, NoticeStep.SENT),
        "notice_back": (NoticeStep.DRAFTED, NoticeStep.SENT, NoticeStep.COUNTERED),
        "notice_ended": (NoticeStep.DRAFTED, NoticeStep.SENT, NoticeStep.WITHDRAWN),
    }
    with store.begin() as tx:
        for days, (id_, several) in enumerate(steps.items()):
            tx.notices.add(notice(id_, "case_1", days=days))
            for step in several:
                tx.notices.note(NoticeLine(id_, NOON, step, "jo"))
    with store.read() as tx:
        found = {state: [one.id for one in tx.notices.list(state=state)] for state in NoticeState}
        assert [one.id for one in tx.notices.list(limit=1)] == ["notice_ended"]
        assert [one.id for one in tx.notices.list(case_id="case_1", after="notice_back")] == [
            "notice_out",
            "notice_draft",
        ]
        assert tx.notices.list(case_id="case_2") == []
        # Those of this answer day, 1 December, and the countered one, whose days are its own.
        after = [[one.id for one in tx.notices.with_days_after(date(2026, 12, day))] for day in (1, 2)]
    assert found == {
        NoticeState.DRAFT: ["notice_draft"],
        NoticeState.APPROVED: [],
        NoticeState.SENT: ["notice_out"],
        NoticeState.COUNTERED: ["notice_back"],
        NoticeState.WITHDRAWN: ["notice_ended"],
    }
    assert after == [["notice_out", "notice_back", "notice_ended"], ["notice_back"]]
