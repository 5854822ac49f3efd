"""Drafts from cases: several works make a schedule; what may not be named is left out or refused; missing is named."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from guardian.cases import Edit, decide
from guardian.errors import UsageError
from guardian.model import CaseState, Licence
from guardian.model.notices import (
    NoticeKind,
    NoticeLanguage,
    NoticeState,
    NoticeStep,
    PlaceLook,
    PlaceState,
    Recheck,
    RecheckOutcome,
)
from guardian.notices.drafting import NoticeConfig
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.views.notices import line_text
from tests.notices.conftest import NOON, OWNER, Bench


def test_several_works_at_one_operator_make_one_notice_with_a_schedule(bench: Bench) -> None:
    first = bench.used("https://thief.example/1")
    bench.used("https://www.thief.example/2")
    second = bench.used("https://thief.example/1", 1, "https://cdn.example/cake.jpg")
    drafted = bench.draft(first, second, kind=NoticeKind.DSA, recipient="abuse@thief.example")

    notice = drafted.notice
    assert notice.case_ids == (first, second)
    assert [len(item.places) for item in notice.items] == [2, 1]
    assert 'Work 2, "Kaffee & <b>Kuchen</b>":' in notice.text
    assert re.search(r"1\.[12] Page: https://www\.thief\.example/2", notice.text)
    assert "https://cdn.example/cake.jpg" in notice.form
    assert notice.missing == ()
    assert notice.answer_by == date(2026, 12, 1)
    assert (notice.state, notice.history[0].step) == (NoticeState.DRAFT, NoticeStep.DRAFTED)
    assert all("confirmed" in doubt for doubt in drafted.doubts)

    with bench.store.read() as tx:
        assert tx.notices.of_case(first) == [notice]
        assert tx.notices.list(operator="thief.example") == [notice]
        assert tx.case_history.of(second)[-1].kind == "notice_drafted"
        (line,) = tx.audit.lines(subject=notice.id)
    assert (line.action, line.detail["operator"]) == ("notice.drafted", "thief.example")


def test_the_language_of_the_house_is_used(bench: Bench) -> None:
    bench.notice_config = NoticeConfig(OWNER, NoticeSettings(language=NoticeLanguage.SPANISH))
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    assert "24 de noviembre de 2026" in notice.text
    assert "declaro que estoy autorizado" in notice.text


def test_an_owner_who_is_not_configured_is_named_as_missing(bench: Bench) -> None:
    bench.notice_config = replace(bench.notice_config, owner=OwnerSettings())
    notice = bench.draft(bench.used("https://thief.example/1")).notice
    assert [text.partition(":")[0] for text in notice.missing] == [
        "17 U.S.C. 512(c)(3)(A)(i)",
        "17 U.S.C. 512(c)(3)(A)(iv)",
    ]


def test_uses_that_are_gone_or_licensed_are_left_out(bench: Bench) -> None:
    case_id = bench.used("https://thief.example/up")
    for page in ("gone", "licensed"):
        bench.used(f"https://thief.example/{page}")
    with bench.store.begin() as tx:
        gone = next(one.id for one in tx.findings.list(case_id) if one.page_url.endswith("/gone"))
        tx.findings.lose([gone], NOON)
        tx.licences.grant(Licence("lic_1", "thief.example", path="/licensed", asset_id=bench.assets[0].id), NOON)

    drafted = bench.draft(case_id)
    assert [place.page_url for place in drafted.notice.places] == ["https://thief.example/up"]
    assert "left out: https://thief.example/" in line_text(drafted.notice.history[0])
    assert sorted(drafted.left_out) == [
        "https://thief.example/gone does not show it any more",
        "https://thief.example/licensed is licensed",
    ]


def test_a_file_that_is_still_up_is_named_without_the_page_that_has_let_it_go(bench: Bench) -> None:
    case_id = bench.used("https://thief.example/1", image_url="https://cdn.thief.example/i.jpg")
    with bench.store.begin() as tx:
        (finding,) = tx.findings.list(case_id)
        tx.findings.lose([finding.id], NOON)
    with pytest.raises(UsageError, match="does not show it any more"):
        bench.draft(case_id)

    for number, state in enumerate((PlaceState.THERE, PlaceState.UNCLEAR)):
        look = PlaceLook(finding.page_url, finding.image_url, state, "as it was seen", finding.id)
        outcome = RecheckOutcome.THERE if state is PlaceState.THERE else RecheckOutcome.UNCLEAR
        at = NOON + timedelta(hours=number)
        with bench.store.begin() as tx:
            tx.notices.add_recheck(Recheck(f"recheck_{number}", case_id, None, None, at, outcome, (look,)))
        if state is PlaceState.THERE:
            drafted = bench.draft(case_id)

    (place,) = drafted.notice.places
    assert (place.page_url, place.image_url) == (None, "https://cdn.thief.example/i.jpg")
    assert "Address of the picture: https://cdn.thief.example/i.jpg" in drafted.notice.text
    assert "https://thief.example/1" not in drafted.notice.text + drafted.notice.form
    assert drafted.left_out == (
        "https://thief.example/1 does not show it any more; its file https://cdn.thief.example/i.jpg is still there "
        "and named",
    )
    # What the last look could not tell is not named.
    with pytest.raises(UsageError, match="does not show it any more"):
        bench.draft(case_id)


def test_nothing_blank_goes_out(bench: Bench) -> None:
    """The law does not ask who signs a notice under the DSA, but a letter that names nobody must not be sent."""
    bench.notice_config = NoticeConfig(OwnerSettings(name="Ada", email="ada@example.com"), NoticeSettings())
    notice = bench.draft(bench.used("https://thief.example/1"), kind=NoticeKind.DSA).notice
    assert notice.missing == ("the text says [owner.signs_as is missing]: set owner.signs_as in the configuration",)


def test_cases_that_ask_for_no_notice_are_refused(bench: Bench) -> None:
    case_id = bench.used("https://thief.example/1")
    other = bench.used("https://pirate.example/")
    with pytest.raises(UsageError, match=r"pirate\.example, thief\.example"):
        bench.draft(case_id, other)
    with bench.store.begin() as tx:
        decide(tx, case_id, CaseState.DISMISSED, Edit("mara", NOON))
    with pytest.raises(UsageError, match="is dismissed; reopen it first if a notice is wanted all the same"):
        bench.draft(case_id)
    with bench.store.read() as tx:
        assert tx.notices.list() == []


def test_what_a_page_wrote_is_one_line_of_plain_text(bench: Bench) -> None:
    case_id = bench.used(
        "https://thief.example/a\r\nBcc: victim@example.com", image_url=f"https://x.example/{'y' * 9000}"
    )
    notice = bench.draft(case_id, recipient="abuse@thief.example\r\nBcc: victim@example.com").notice
    assert "\nBcc:" not in notice.text + notice.form
    assert "\n" not in notice.subject
    assert max(map(len, notice.text.splitlines())) < 2_200
