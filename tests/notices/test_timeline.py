"""The story of a case: what it tells of licences. The rest is walked through by tests of `case timeline`."""

from datetime import date

from guardian.model import Licence
from guardian.model.notices import PlaceLook, PlaceState, Recheck, RecheckOutcome
from guardian.notices.settling import settle_recheck
from guardian.notices.timeline import timeline_of
from guardian.views.timelines import TimelineKind
from tests.notices.conftest import NOON, Bench


def test_licences_of_a_part_of_the_site_are_told_and_those_of_others_are_not(bench: Bench) -> None:
    case_id = bench.used("https://blog.thief.example/page/1")
    asset, until = bench.assets[0].id, date(2027, 1, 31)
    with bench.store.begin() as tx:
        told = [
            tx.licences.grant(Licence("", "blog.thief.example", asset_id=asset, valid_until=until), NOON),
            tx.licences.grant(Licence("", "thief.example", path="/page", asset_id=asset, valid_until=until), NOON),
        ]
        tx.licences.grant(Licence("", "thief.example", asset_id=bench.assets[1].id, valid_until=until), NOON)
        tx.licences.grant(Licence("", "shop.thief.example", asset_id=asset, valid_until=until), NOON)
        case = tx.cases.get(case_id)
        assert case is not None
        lines = [entry for entry in timeline_of(tx, case, NOON) if entry.kind is TimelineKind.LICENCE]
    assert {line.id for line in lines} == {licence.id for licence in told}
    assert all(line.is_planned and line.words.startswith("licence ends") for line in lines)


def test_a_return_is_told_once_with_where_and_to_others_without_names(bench: Bench) -> None:
    case_id = bench.used("https://thief.example/1")
    with bench.store.begin() as tx:
        (finding,) = tx.findings.list(case_id)
        look = PlaceLook(finding.page_url, finding.image_url, PlaceState.THERE, "the page shows it", finding.id)
        back = Recheck("recheck_1", case_id, None, None, NOON, RecheckOutcome.BACK, (look,), asked_by="jo")
        settle_recheck(tx, back, [], [])
        case = tx.cases.get(case_id)
        assert case is not None
        told = [entry for entry in timeline_of(tx, case, NOON) if "back after it was gone" in entry.words]
    (entry,) = told
    assert (entry.kind, entry.id) == (TimelineKind.RECHECKED, "recheck_1")
    assert "asked for by jo" in entry.words
    assert "https://thief.example/1: there, the page shows it" in entry.words
    assert entry.for_others == "looked again (asked for): back after it was gone"
