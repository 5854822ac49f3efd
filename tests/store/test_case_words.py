"""The words of cases: searched by text until they are kept, by the index afterwards, with the same answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from guardian.model import (
    Action,
    Asset,
    CaseFilter,
    Comparison,
    Context,
    Decision,
    Finding,
    LicenceStatus,
)
from guardian.store import Store
from guardian.store.connecting import connect

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def asset(protect: Callable[..., Asset]) -> Asset:
    return protect("a")


def _saw(store: Store, asset: Asset, operator: str, context: Context, path: str = "page") -> Finding:
    """Record a sighting on a page of an operator, in its case."""
    with store.begin() as tx:
        case, _ = tx.cases.insert(asset.id, operator, Action.ALERT, None, NOON)
        finding = Finding(
            id=f"find_{operator}_{path}",
            asset_id=asset.id,
            case_id=case.id,
            source="web",
            page_url=f"https://{operator}/{path}",
            image_url=f"https://{operator}/{path}/a.jpg",
            first_seen_at=NOON,
            last_seen_at=NOON,
            licence=LicenceStatus.NONE,
            decision=Decision(Action.ALERT, "copies", None, ()),
            comparison=Comparison(0.9),
            candidate_sha256="c" * 64,
            image_sha256=None,
            page_sha256=None,
            context=context,
        )
        return tx.findings.upsert(finding)[0]


def _keep(store: Store) -> int:
    with store.begin() as tx:
        return tx.case_words.keep(100)


def _found(store: Store, words: str) -> str:
    """Return the first letters of the operators of the cases with these words, also counted in the other ways."""
    wanted = CaseFilter(words=words)
    with store.read() as tx:
        cases = tx.cases.matching(wanted)
        assert tx.cases.count_matching(wanted) == len(cases) == tx.cases.queue_with_count(wanted, 9)[1]
    return "".join(sorted(case.operator[0] for case in cases))


def test_kept_words_find_what_their_text_finds(store: Store, asset: Asset) -> None:
    _saw(store, asset, "alpha.example", Context(alt="Red dunes at dawn", page_title="Posters, 100 % cotton"))
    _saw(store, asset, "beta.example", Context(nearby_text="沙漠日落の夜明け", claims="© Dune Studios"))
    _saw(store, asset, "gamma-photoshop.example", Context(caption="Ein Café in Zürich"), "IMG_2041?id=77")
    expected = {
        "Red dunes": "a",
        "DUNE": "ab",
        "dunes at da": "a",
        "dawn dunes": "",
        "posters, 100 % cotton": "a",
        "漠日落": "b",
        "漠落": "",
        "夜明け": "b",
        "Café in Zürich": "g",
        "gamma-photoshop.example/IMG_2041": "g",
        "https://beta.example/page/a.jpg": "b",
        "shop": "g",
        "Picture A": "abg",
        "id=77": "g",
        "nowhere": "",
    }
    by_text = {words: _found(store, words) for words in expected}
    assert _keep(store) == 3
    assert _keep(store) == 0
    assert by_text == {words: _found(store, words) for words in expected} == expected
    assert _found(store, "cafe zurich") == ""
    assert _found(store, "cafe in zurich") == "g", "folded as the search folds"


def test_words_follow_what_becomes_of_findings(store: Store, asset: Asset) -> None:
    one = _saw(store, asset, "alpha.example", Context(alt="a red boat"))
    other = _saw(store, asset, "beta.example", Context(alt="a blue train"))
    assert _keep(store) == 2

    # Another sighting that says the same changes nothing.
    _saw(store, asset, "alpha.example", Context(alt="a red boat"))
    assert _keep(store) == 0
    _saw(store, asset, "alpha.example", Context(alt="a green kite"))
    assert (_found(store, "boat"), _found(store, "kite")) == ("", "a")
    _saw(store, asset, "alpha.example", Context(alt="a tall tower"), "other")
    assert _found(store, "tower") == "a"
    assert _keep(store) == 1
    assert (_found(store, "boat"), _found(store, "kite"), _found(store, "tower")) == ("", "a", "a")

    # A finding that moves takes its words along.
    with store.begin() as tx:
        tx.findings.move(other.id, "work_x", one.case_id)
    assert _found(store, "train") == "a"
    assert _keep(store) == 2
    assert _found(store, "train") == "a"

    # A case that is merged into another leaves nothing behind.
    gamma = _saw(store, asset, "gamma.example", Context(alt="a lost lighthouse"))
    assert _keep(store) == 1
    with store.begin() as tx:
        kept = tx.cases.get(one.case_id or "")
        assert kept is not None
        assert gamma.case_id is not None
        tx.cases.absorb(kept, gamma.case_id)
    assert _found(store, "lighthouse") == "a"
    assert _keep(store) == 1
    assert _found(store, "lighthouse") == "a"


def test_findings_are_counted_as_they_come_move_and_go(store: Store, asset: Asset) -> None:
    def counts() -> dict[str, int]:
        with store.read() as tx:
            cases = {case.operator: case.finding_count for case in tx.cases.list()}
            assert {one.operator: one.findings for one in tx.operators.summaries()} == cases
            return cases

    one = _saw(store, asset, "alpha.example", Context())
    _saw(store, asset, "alpha.example", Context(alt="seen again"))
    _saw(store, asset, "alpha.example", Context(), "other")
    other = _saw(store, asset, "beta.example", Context())
    assert counts() == {"alpha.example": 2, "beta.example": 1}
    with store.read() as tx:
        assert [used.operator for used in tx.operators.most_used(1)] == ["alpha.example"]

    with store.begin() as tx:
        tx.findings.move(one.id, "work_x", other.case_id)
    assert counts() == {"alpha.example": 1, "beta.example": 2}
    with store.begin() as tx:
        tx.findings.move(one.id, "work_x", None)
    assert counts() == {"alpha.example": 1, "beta.example": 1}
    with store.begin() as tx:
        kept = tx.cases.get(one.case_id or "")
        assert kept is not None
        assert tx.cases.absorb(kept, other.case_id or "").finding_count == 2
    assert counts() == {"alpha.example": 2}

    engine = connect(store.url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM findings WHERE id = :id"), {"id": other.id})
    engine.dispose()
    assert counts() == {"alpha.example": 1}


def test_questions_without_words_and_with_signs_of_the_syntax_break_nothing(store: Store, asset: Asset) -> None:
    _saw(store, asset, "alpha.example", Context(alt="a red boat"))
    _keep(store)
    for words in ('"', "'", "*", "%", "_", 'a" OR "b', "NEAR(a b)", "a & !b", "-", "\\", "山", "a:*", "x" * 300, "☃"):
        assert _found(store, words) in ("", "a")
    assert _found(store, '"red boat"') == "a"


def test_cases_with_more_words_than_a_row_holds_are_found_by_the_last(store: Store, asset: Asset) -> None:
    many = " ".join(f"word{number}" for number in range(7_000))
    finding = _saw(store, asset, "alpha.example", Context(nearby_text=many, claims="the end"))
    assert _keep(store) == 1
    assert _found(store, "word6999") == _found(store, "the end") == "a"
    with store.begin() as tx:
        tx.findings.upsert(replace(finding, context=Context(alt="nothing")))
    assert _keep(store) == 1
    assert _found(store, "word1") == ""


def test_keeping_goes_in_steps_and_nothing_is_missed_between_them(store: Store, asset: Asset) -> None:
    for letter in "abcde":
        _saw(store, asset, f"{letter}.example", Context(alt="a red boat"))
    for left in (2, 2, 1, 0):
        assert _found(store, "red boat") == "abcde"
        with store.begin() as tx:
            assert tx.case_words.keep(2) == left
    with store.read() as tx:
        assert tx.case_words.are_all_kept()

    # Words that other rules have split are made anew, in steps too.
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM counters WHERE name = 'words_version'"))
    engine.dispose()
    opened = Store(store.url)
    with opened.read() as tx:
        assert not tx.case_words.are_all_kept()
    assert _found(opened, "red boat") == "abcde"
    opened.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_case_that_somebody_works_at_is_passed_over_and_kept_later(store: Store, asset: Asset) -> None:
    finding = _saw(store, asset, "alpha.example", Context(alt="a red boat"))
    _saw(store, asset, "beta.example", Context(alt="a red boat"))
    with store.begin() as tx:
        tx.findings.upsert(replace(finding, context=Context(alt="a blue boat")))
        # In another connection, while the change is not committed yet.
        assert _keep(store) == 1
    assert (_found(store, "red boat"), _found(store, "blue boat")) == ("b", "a")
    assert _keep(store) == 1
    with store.begin() as tx:
        tx.cases.lock(finding.case_id or "")
        assert _keep(store) == 0
        tx.findings.upsert(replace(finding, context=Context(alt="a green boat")))
    assert _keep(store) == 1
    assert _found(store, "green boat") == "a"
