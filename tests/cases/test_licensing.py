"""Licences as people give them: places, files, drafts, and what a decision at a case grants."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from guardian.cases import Edit, RecordedUse, decide, record, undo
from guardian.cases.licensing import add, call_licensed, edit, place_named, read_licences, suggested
from guardian.cases.rejudging import Judging
from guardian.errors import ConfigError, UsageError
from guardian.model import Asset, Audience, CaseState, Licence, TaskKind
from guardian.rules import load
from guardian.shipped import rules_folder
from guardian.store import Store
from guardian.web.licence_files import licences_csv
from tests.cases.conftest import no_rules

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EDIT = Edit("mara", NOON, "our customer")


@pytest.fixture(scope="module")
def judging() -> Judging:
    return Judging(load(rules_folder(), ["legal"]), (), Audience(("legal",)))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("customer.example", ("customer.example", None)),
        ("https://www.customer.example/about", ("www.customer.example", None)),
        ("instagram.com/Customer", ("instagram.com", "/customer")),
        ("https://customer.etsy.com/", ("etsy.com", "/shop/customer")),
        ("203.0.113.9", ("203.0.113.9", None)),
    ],
)
def test_a_place_is_read_as_host_and_account(text: str, place: tuple[str, str | None]) -> None:
    assert place_named(text) == place


@pytest.mark.parametrize("text", ["co.uk", "", "a b"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(UsageError):
        place_named(text)


def test_a_decision_at_a_case_is_a_licence_and_is_undone(store: Store, use: Use, judging: Judging) -> None:
    with store.begin() as tx:
        id_ = record(tx, use("https://www.instagram.com/customer/"), Audience(("legal",))).case_id or ""
        decide(tx, id_, CaseState.CONFIRMED, EDIT)
        case, licence = call_licensed(tx, id_, judging, EDIT, until=date(2027, 1, 1))
        assert (case.state, case.licence_id) == (CaseState.LICENSED, licence.id)
        assert (licence.place, licence.valid_until, licence.note) == (
            "instagram.com/customer",
            date(2027, 1, 1),
            "our customer",
        )
        assert tx.case_history.of(id_)[-1].by == "mara"

        with pytest.raises(UsageError, match="rules are not here"):
            undo(tx, id_, EDIT, no_rules)
        back = undo(tx, id_, EDIT, lambda: judging)
        assert (back.state, back.licence_id, tx.licences.list()) == (CaseState.CONFIRMED, None, [])
        assert undo(tx, id_, EDIT, no_rules).state is CaseState.OPEN
        assert len(tx.tasks.list(TaskKind.DELIVER)) == 1, "nobody is told of a mistake"


def test_local_files_have_no_licensee(store: Store, use: Use, judging: Judging) -> None:
    with store.begin() as tx:
        id_ = record(tx, use(None, "file:///a.jpg"), Audience(("legal",))).case_id or ""
        with pytest.raises(UsageError, match="local files"):
            call_licensed(tx, id_, judging, EDIT)


def test_drafts_are_of_what_waits(store: Store, use: Use, assets: list[Asset]) -> None:
    with store.begin() as tx:
        first = record(tx, use("https://shop.example/1"), Audience(("legal",)))
        record(tx, use("https://shop.example/2", asset=assets[1]), Audience(("legal",)))
        decide(tx, first.case_id or "", CaseState.DISMISSED, EDIT)
        (draft,) = suggested(tx, "shop.example")
    assert (draft.id, draft.host, draft.asset_id) == ("", "shop.example", assets[1].id)


def test_ending_and_editing_judge_again(store: Store, use: Use, judging: Judging) -> None:
    with store.begin() as tx:
        id_ = record(tx, use("https://shop.example/1", minutes=1440), Audience(("legal",))).case_id or ""
        terms = Licence("", "shop.example", collection="shop", valid_until=date(2026, 12, 31))
        licence, rejudged = add(tx, terms, lambda: judging, NOON)
        assert [case.id for case in rejudged.licensed] == [id_]
        assert add(tx, terms, lambda: judging, NOON)[0].id == licence.id

        moved = Licence(licence.id, "other.example", collection="shop")
        assert [case.id for case in edit(tx, moved, lambda: judging, NOON).unlicensed] == [id_]
        again, _ = add(tx, terms, lambda: judging, NOON)
        assert again.id != licence.id, "an edited licence keeps its id, and its first terms are another one"
        assert len(tx.licences.list()) == 2


def test_a_file_is_read_whole(store: Store, assets: list[Asset], tmp_path: Path) -> None:
    (tmp_path / "contract.pdf").write_bytes(b"signed")
    file = tmp_path / "l.csv"
    file.write_text(
        "Host;asset;work;collection;tag;from;until;proof;note\n"
        f"customer.example;{assets[0].id[:9]};;;;2026-01-01;2026-12-31;contract.pdf;ü\n"
        f"instagram.com/bob;;{assets[1].work_id};;;;;;\n"
        ";;;;;;;;\n"
        "third.example;;;press;;;;;\n"
        "fourth.example;;;;cover;;;;\n",
        encoding="utf-8",
    )
    with store.read() as tx:
        first, second, third, fourth = read_licences(
            tx, file, lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
        )
    assert (first.asset_id, first.valid_from, first.note) == (assets[0].id, date(2026, 1, 1), "ü")
    assert first.proof_sha256 == hashlib.sha256(b"signed").hexdigest()
    assert (second.place, second.asset_id) == ("instagram.com/bob", assets[1].id)
    assert (third.collection, fourth.tag) == ("press", "cover")


def test_what_is_written_as_a_file_is_read_as_the_same(store: Store, assets: list[Asset], tmp_path: Path) -> None:
    """A licence for a part of a site stays one for that part, and no name gains the apostrophe against formulas."""
    terms = [
        Licence("", "customer.example", collection="-press", path="/blog", note="=1+1"),
        Licence("", "instagram.com", asset_id=assets[0].id, path="/bob", valid_until=date(2999, 1, 1)),
        Licence("", "third.example", tag="'tis", territory="EU", medium="print"),
    ]
    file = tmp_path / "l.csv"
    file.write_text(licences_csv(terms), encoding="utf-8-sig")
    with store.read() as tx:
        assert read_licences(tx, file, None) == terms


def test_every_row_that_is_wrong_is_named_and_no_proof_kept(store: Store, tmp_path: Path) -> None:
    (tmp_path / "contract.pdf").write_bytes(b"signed")
    file = tmp_path / "l.csv"
    file.write_text(
        "host,asset,collection,from,until,path,proof\n"
        "a.example,,press,,,,contract.pdf\n"
        "co.uk,,press,,,,\n"
        "a.example,,,,,,\n"
        "a.example,asset_x,press,,,,\n"
        "a.example,asset_nope,,,,,\n"
        "a.example,,press,1.5.2026,,,\n"
        "a.example,,press,2026-02-01,2026-01-01,,\n"
        "a.example,,press,,,blog,\n"
        "a.example,,press,,,,none.pdf\n"
    )
    kept: list[Path] = []
    with pytest.raises(UsageError) as raised, store.read() as tx:
        read_licences(tx, file, lambda path: kept.append(path) or "")  # type: ignore[func-returns-value]
    *lines, last = str(raised.value).splitlines()
    assert [line.removeprefix(f"{file}:").partition(":")[0] for line in lines] == [str(n) for n in range(3, 11)]
    for line, said in zip(
        lines,
        (
            "everybody may",
            "exactly one",
            "exactly one",
            "asset",
            "write one such as 2026-11-24",
            "before it",
            "such as /blog",
            "not there",
        ),
        strict=True,
    ):
        assert said in line
    assert (last, kept) == ("nothing was imported", [])


@pytest.mark.parametrize(("text", "says"), [("asset\nx\n", "host, and any of"), ("host,colour\n", "'colour'")])
def test_a_file_without_the_columns(store: Store, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(ConfigError, match=says), store.read() as tx:
        read_licences(tx, tmp_path / "l.csv", str)
