"""What has to come before a notice is recorded as sent, who may do it, and what the steps leave behind."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from guardian.cases import Edit, decide, join_works
from guardian.errors import UsageError
from guardian.model import Actor, ActorKind, CaseState, Licence, Permission, TaskKind
from guardian.model.notices import Notice, NoticeKind, NoticeState, NoticeStep, OpenPoint
from guardian.notices.drafting import DraftRequest, NoticeConfig, draft
from guardian.notices.following import RECHECK_DAYS
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.notices.steps import (
    StepAuthor,
    approve,
    check_licence,
    consider,
    mark_sent,
    note_counter,
    note_verified,
    open_points,
    withdraw,
)
from guardian.notices.timeline import timeline_of
from guardian.views.notices import line_text, step_words
from guardian.views.timelines import TimelineKind
from tests.notices.conftest import NOON, Bench, by

FOUR_EYES = NoticeSettings(four_eyes=True)
COPY = "d" * 64


def considered(bench: Bench, notice: Notice | None = None) -> Notice:
    """A notice with both considerations of a person, not approved yet."""
    notice = notice or bench.draft(bench.used("https://thief.example/1")).notice
    with bench.store.begin() as tx:
        check_licence(tx, notice.id, "asked the sales team, none was sold", by("mara"))
        return consider(tx, notice.id, "a full copy in a shop, no comment on it", by("mara"))


def sent(bench: Bench, notice: Notice | None = None) -> Notice:
    """A notice that was approved and sent; one that is given has its considerations already."""
    notice = notice or considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        note_verified(tx, notice.id, {}, by("jo"))
        return mark_sent(tx, notice.id, "abuse@thief.example", lambda: COPY, by("jo", 1), FOUR_EYES, "by mail")


def sent_of_joined_works(bench: Bench, notice: Notice) -> Notice:
    """A notice drafted while the first two assets were works of their own, and sent when they are one."""
    considered(bench, notice)
    with bench.store.begin() as tx:
        works = [tx.works.of_asset(asset.id) for asset in bench.assets]
        assert works[0] is not None
        assert works[1] is not None
        join_works(tx, works[0], works[1], by="jo", at=NOON)
    return sent(bench, notice)


def test_a_draft_names_everything_that_is_open_one_by_one(bench: Bench) -> None:
    bench.notice_config = NoticeConfig(OwnerSettings(name="Ada"), NoticeSettings())
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    with bench.store.begin() as tx:
        points = open_points(tx, notice, FOUR_EYES, NOON)
        words = ("512(c)(3)(A)(i)", "512(c)(3)(A)(iv)", "licence check", "fair use", "approved", "live")
        assert len(points) == len(words)
        assert all(word in point.words for word, point in zip(words, points, strict=True))
        with pytest.raises(UsageError) as caught:
            mark_sent(tx, notice.id, "a@thief.example", lambda: COPY, by("jo"), FOUR_EYES)
    assert all(point.words in str(caught.value) for point in points)


def test_approval_needs_considerations_and_another_pair_of_eyes(bench: Bench) -> None:
    draft = bench.draft(bench.used("https://thief.example/1")).notice
    with bench.store.begin() as tx, pytest.raises(UsageError, match=r"(?s)licence check.*fair use"):
        approve(tx, draft.id, by("jo"), FOUR_EYES)

    notice = considered(bench)
    with bench.store.begin() as tx:
        with pytest.raises(UsageError, match="four_eyes"):
            approve(tx, notice.id, by("Mara "), FOUR_EYES)
        assert approve(tx, notice.id, by("jo"), FOUR_EYES, "fine").state is NoticeState.APPROVED
        # What is shown now is captured.
        owed = [task.key.split()[1] for task in tx.tasks.list(TaskKind.CAPTURE)]
    assert owed.count("notice") == 1


def test_without_four_eyes_the_drafter_may_approve_but_turning_it_on_counts(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approved = approve(tx, notice.id, by("mara"), NoticeSettings())
        approved = note_verified(tx, approved.id, {}, by("mara"))
        assert open_points(tx, approved, NoticeSettings(), NOON) == []
        (point,) = open_points(tx, approved, FOUR_EYES, NOON)
    assert "both drafted and approved" in point.words


def test_what_is_said_of_the_recipients_domain_stands_in_the_history_and_stops_nothing(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        looked = note_verified(tx, notice.id, {}, by("jo"), "abuse@thief.net: thief.net does not exist")
        assert line_text(looked.history[-1]).endswith("by jo: abuse@thief.net: thief.net does not exist")
        assert open_points(tx, looked, FOUR_EYES, NOON) == []


def by_token_of(person: str | None) -> StepAuthor:
    return StepAuthor(
        "robot", NOON, Actor(ActorKind.TOKEN, "robot", frozenset(Permission), "192.0.2.7", token_of=person)
    )


@pytest.mark.parametrize(
    ("maker", "approver", "why"),
    [
        ("Mara", "mara ", "mara made the token robot, .*four_eyes"),
        ("Mara", "robot", "robot has drafted"),
        (None, "jo", "nobody knows who made the token robot"),
        ("Mara", "jo", None),
    ],
)
def test_a_program_that_drafts_counts_as_the_person_who_made_its_token(
    bench: Bench, maker: str | None, approver: str, why: str | None
) -> None:
    case_id = bench.used("https://thief.example/1")
    drafter = by_token_of(maker)
    notice = draft(
        bench.store, [case_id], DraftRequest(NoticeKind.DMCA, "robot"), bench.notice_config, NOON, drafter.actor
    ).notice
    with bench.store.begin() as tx:
        check_licence(tx, notice.id, "asked the sales team, none was sold", drafter)
        consider(tx, notice.id, "a full copy in a shop, no comment on it", drafter)
        if why is None:
            assert approve(tx, notice.id, by(approver), FOUR_EYES).state is NoticeState.APPROVED
            return
        with pytest.raises(UsageError, match=why):
            approve(tx, notice.id, by(approver), FOUR_EYES)


def test_a_program_approves_only_where_nobody_asks_for_a_person(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        with pytest.raises(UsageError, match=r"robot is the token of a program: .* asks for a person"):
            approve(tx, notice.id, by_token_of("jo"), FOUR_EYES)
        approved = approve(tx, notice.id, by_token_of("jo"), NoticeSettings())
        assert "by robot (a token that jo made)" in line_text(approved.history[-1])
        # Whoever turns it on later asks the same of what was approved before.
        assert any("asks for a person" in point.words for point in open_points(tx, approved, FOUR_EYES, NOON))


@pytest.mark.parametrize("words", ["", "ok", " \n ok   then "])
def test_a_consideration_has_words(bench: Bench, words: str) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    with bench.store.begin() as tx, pytest.raises(UsageError, match="at least 3 words"):
        consider(tx, notice.id, words, by("mara"))


def test_a_licence_check_sees_a_licence_that_covers_the_use(bench: Bench) -> None:
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    with bench.store.begin() as tx:
        tx.licences.grant(Licence("lic_1", "thief.example", collection="shop"), NOON)
        with pytest.raises(UsageError, match=r"https://thief\.example/1 is licensed by"):
            check_licence(tx, notice.id, "asked the sales team", by("mara"))


def test_addresses_count_as_live_for_24_hours_and_dead_ones_are_named(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        live = note_verified(tx, notice.id, {}, by("jo"))
        assert open_points(tx, live, FOUR_EYES, NOON + timedelta(hours=24)) == []
        (point,) = open_points(tx, live, FOUR_EYES, NOON + timedelta(hours=24, seconds=1))
        assert "since 2026-11-24 12:00Z" in point.words

        dead = note_verified(tx, notice.id, {"https://thief.example/1": "the page answers 404"}, by("jo", 2))
        assert open_points(tx, dead, FOUR_EYES, NOON + timedelta(hours=3)) == [
            OpenPoint("https://thief.example/1 is not live: the page answers 404")
        ]


def test_a_case_that_was_dismissed_meanwhile_stops_its_notice(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        verified = note_verified(tx, notice.id, {}, by("jo"))
        decide(tx, notice.case_ids[0], CaseState.DISMISSED, Edit("mara", NOON))
        (point,) = open_points(tx, verified, FOUR_EYES, NOON)
    assert "is dismissed by now" in point.words


def test_sent_moves_the_case_owes_rechecks_and_only_grows(bench: Bench) -> None:
    notice = sent(bench)
    case_id = notice.case_ids[0]
    assert notice.state is NoticeState.SENT
    assert notice.history[-1].detail == {"to": "abuse@thief.example", "copy_sha256": COPY}
    with bench.store.begin() as tx:
        case = tx.cases.get(case_id)
        assert case is not None
        assert (case.state, case.reviewed_by) == (CaseState.NOTICE_SENT, "jo")
        tasks = tx.tasks.list(TaskKind.RECHECK_NOTICE)
        assert sorted((task.due_at - NOON - timedelta(hours=1)).days for task in tasks) == list(RECHECK_DAYS)
        # At what is licensed nobody looks again.
        planned = {
            state: [
                entry
                for entry in timeline_of(tx, replace(case, state=state), NOON)
                if entry.kind is TimelineKind.RECHECKED
            ]
            for state in (CaseState.NOTICE_SENT, CaseState.LICENSED)
        }
        assert [len(entries) for entries in planned.values()] == [len(RECHECK_DAYS), 0]
        steps = [line.action for line in tx.audit.lines(subject=notice.id)]
        assert steps == [f"notice.{line.step.value}" for line in notice.history]
        with pytest.raises(UsageError, match="sent already"):
            approve(tx, notice.id, by("jo"), FOUR_EYES)
        with pytest.raises(UsageError, match="sent already"):
            mark_sent(tx, notice.id, "x@thief.example", lambda: COPY, by("jo"), FOUR_EYES)


def test_a_counter_notice_opens_a_window_of_business_days(bench: Bench) -> None:
    notice = sent(bench)
    with bench.store.begin() as tx:
        with pytest.raises(UsageError, match="not between"):
            note_counter(tx, notice.id, date(2026, 11, 1), by("jo", 48), FOUR_EYES)
        countered, window = note_counter(tx, notice.id, date(2026, 11, 25), by("jo", 48), FOUR_EYES)
        history = tx.case_history.of(notice.case_ids[0])
    # Thanksgiving is no business day.
    assert (window.earliest, window.latest) == (date(2026, 12, 10), date(2026, 12, 16))
    assert countered.state is NoticeState.COUNTERED
    assert history[-1].kind == "notice_countered"
    words = step_words(countered.history[-1])
    assert words.endswith("on 2026-11-25 (to be restored between 2026-12-10 and 2026-12-16)")


def test_only_what_was_sent_is_countered_and_a_withdrawn_notice_ends(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        with pytest.raises(UsageError, match="only what was sent"):
            note_counter(tx, notice.id, date(2026, 11, 24), by("jo"), FOUR_EYES)
        assert withdraw(tx, notice.id, by("jo"), "a mistake").state is NoticeState.WITHDRAWN
        with pytest.raises(UsageError, match="withdrawn already"):
            consider(tx, notice.id, "words that come too late", by("jo"))


def test_a_case_whose_only_notice_came_back_waits_for_somebody_again(bench: Bench) -> None:
    notice = sent(bench)
    (case_id,) = notice.case_ids
    second = bench.draft(case_id).notice
    with bench.store.begin() as tx:
        check_licence(tx, second.id, "asked the sales team, none was sold", by("mara"))
        consider(tx, second.id, "a full copy in a shop, no comment on it", by("mara"))
        approve(tx, second.id, by("jo"), FOUR_EYES)
        note_verified(tx, second.id, {}, by("jo"))
        mark_sent(tx, second.id, "abuse@host.example", lambda: COPY, by("jo", 1), FOUR_EYES)

    states = []
    for one in (notice, second):
        with bench.store.begin() as tx:
            withdraw(tx, one.id, by("jo", 2), "550 no such user")
            case = tx.cases.get(case_id)
        assert case is not None
        states.append(case.state)
    assert states == [CaseState.NOTICE_SENT, CaseState.OPEN]


def test_a_licence_of_a_subdomain_counts_at_each_step(bench: Bench) -> None:
    licence = Licence("lic_1", "blog.thief.example", collection="shop")
    case_id = bench.used("https://blog.thief.example/1")
    bench.used("https://thief.example/2")
    notice = bench.draft(case_id).notice
    with bench.store.begin() as tx:
        check_licence(tx, notice.id, "asked the sales team", by("mara"))
        consider(tx, notice.id, "a whole copy in a shop", by("mara"))
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        ready = note_verified(tx, notice.id, {}, by("jo"))
        granted = tx.licences.grant(licence, NOON)
        # Granted after the approval, it stops what was ready to go out.
        (point,) = open_points(tx, ready, FOUR_EYES, NOON)
        assert point.words.startswith(f"https://blog.thief.example/1 is licensed by {granted.id} by now")
        with pytest.raises(UsageError, match=granted.id):
            mark_sent(tx, notice.id, "abuse@thief.example", lambda: COPY, by("jo"), FOUR_EYES)
        with pytest.raises(UsageError, match=r"blog\.thief\.example/1 is licensed by"):
            check_licence(tx, notice.id, "asked the sales team", by("mara"))

    drafted = bench.draft(case_id)
    assert [place.page_url for place in drafted.notice.places] == ["https://thief.example/2"]
    assert drafted.left_out == ("https://blog.thief.example/1 is licensed",)


def test_a_notice_does_not_ask_for_an_answer_on_a_day_that_is_over(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        last, later = (note_verified(tx, notice.id, {}, by("jo", days * 24)) for days in (7, 8))
        assert open_points(tx, last, FOUR_EYES, NOON + timedelta(days=7)) == []
        (point,) = open_points(tx, later, FOUR_EYES, NOON + timedelta(days=8))
    assert "2026-12-01, is over" in point.words


def test_a_closed_case_stops_its_notice(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        verified = note_verified(tx, notice.id, {}, by("jo"))
        decide(tx, notice.case_ids[0], CaseState.CLOSED, Edit("mara", NOON))
        (point,) = open_points(tx, verified, FOUR_EYES, NOON)
    assert "is closed by now" in point.words


def test_a_disguised_drafter_is_no_other_pair_of_eyes(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx, pytest.raises(UsageError, match="has drafted"):
        approve(tx, notice.id, by("ma\u200era"), FOUR_EYES)


def test_only_a_dmca_notification_is_answered_by_a_counter_notice(bench: Bench) -> None:
    notice = bench.draft(bench.used("https://thief.example/1"), kind=NoticeKind.CEASE).notice
    with bench.store.begin() as tx:
        check_licence(tx, notice.id, "asked the sales team", by("mara"))
        consider(tx, notice.id, "a whole copy in a shop", by("mara"))
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        note_verified(tx, notice.id, {}, by("jo"))
        mark_sent(tx, notice.id, "owner@thief.example", lambda: COPY, by("jo"), FOUR_EYES)
        with pytest.raises(UsageError, match="cease and desist letter; a counter notice"):
            note_counter(tx, notice.id, date(2026, 11, 24), by("jo"), FOUR_EYES)


def test_a_notice_about_two_cases_that_became_one_is_sent_countered_and_withdrawn(bench: Bench) -> None:
    ids = [bench.used("https://thief.example/1"), bench.used("https://thief.example/2", number=1)]
    notice = bench.draft(*ids).notice
    sent_of_joined_works(bench, notice)
    with bench.store.begin() as tx:
        note_counter(tx, notice.id, NOON.date(), by("jo", 2), FOUR_EYES)
        withdraw(tx, notice.id, by("jo", 3))
        (case,) = tx.cases.list()
        kinds = [line.kind for line in tx.case_history.of(case.id)]
        rechecks = len(tx.tasks.list(TaskKind.RECHECK_NOTICE))
    assert case.state is CaseState.OPEN
    assert rechecks == len(RECHECK_DAYS)
    assert [kinds.count(kind) for kind in ("notice_sent", "notice_countered", "notice_withdrawn")] == [1, 1, 1]


def test_looks_planned_for_a_case_that_became_part_of_another_before_it_was_sent_are_shown(bench: Bench) -> None:
    bench.used("https://thief.example/1")
    notice = bench.draft(bench.used("https://thief.example/2", number=1)).notice
    sent_of_joined_works(bench, notice)
    with bench.store.begin() as tx:
        (case,) = tx.cases.list()
        planned = [one for one in timeline_of(tx, case, NOON + timedelta(hours=2)) if one.is_planned]
    assert [one.kind for one in planned].count(TimelineKind.RECHECKED) == len(RECHECK_DAYS)


def test_a_look_at_the_addresses_by_a_clock_that_was_ahead_does_not_count(bench: Bench) -> None:
    notice = considered(bench)
    with bench.store.begin() as tx:
        approve(tx, notice.id, by("jo"), FOUR_EYES)
        ahead = note_verified(tx, notice.id, {}, by("jo", 24 * 30))
        assert [point.step for point in open_points(tx, ahead, FOUR_EYES, NOON)] == [NoticeStep.VERIFIED]
        # The clocks of two machines may differ a little.
        fresh = note_verified(tx, notice.id, {}, by("jo", 0.01))
        assert open_points(tx, fresh, FOUR_EYES, NOON) == []
