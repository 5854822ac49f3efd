"""`guardian case confirm`, `dismiss`, `assign`, `undo`... and `guardian operator`, in this process."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from guardian.cases import RecordedUse, record
from guardian.cli import guardian
from guardian.errors import UsageError
from guardian.model import Action, Audience, Comparison, Context, Decision, LicenceStatus, Severity, Sighting
from guardian.shipped import rules_folder
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Two works used by shop.example, one of them by instagram.com/alice; `run(...)` is a command, and what it says."""
    config = tmp_path / "config.yaml"
    config.write_text("data_dir: data\nplatforms: [{host: art.example, account: '/by/{account}'}]\n")
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        assets = [
            tx.assets.reserve(digit * 64, title=f"P{digit}", collection="c", path=f"/{digit}", size=(8, 6), at=NOON)
            for digit in "ab"
        ]
        tx.assets.protect([asset.number for asset in assets])
        for page, asset, severity in (
            ("https://shop.example/1", assets[0], Severity.LOW),
            ("https://shop.example/2", assets[1], Severity.HIGH),
            ("https://instagram.com/alice/", assets[0], Severity.MEDIUM),
        ):
            words = Context(nearby_text="Buy now, $5. Write to Info@Shop.example")
            record(
                tx,
                RecordedUse(
                    Sighting("web", "https://cdn.example/i.jpg", page, NOON, words),
                    "c" * 64,
                    asset,
                    Comparison(0.98, asset_coverage=0.5),
                    LicenceStatus.NONE,
                    Decision(Action.ALERT, "copies", severity),
                    NOON,
                ),
                Audience(("legal",)),
            )
    store.close()

    def invoke(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(guardian, ["--config", str(config), *words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    return invoke


def cases(run: Run, *options: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("case", "list", "--json", *options).splitlines()]


def test_one_object_a_line_with_all_that_others_build_on(run: Run) -> None:
    first = cases(run, "--sort", "priority")[0]
    names = {"id", "work", "asset", "operator", "state", "reason", "licence", "severity", "priority", "opened_at"}
    assert names | {"sightings"} <= first.keys()
    assert isinstance(first["asset"], dict)
    assert {"id", "title", "path"} <= first["asset"].keys()
    assert (first["operator"], first["severity"], first["sightings"]) == ("shop.example", "high", 1)
    assert [one["severity"] for one in cases(run, "--sort", "priority")] == ["high", "medium", "low"]
    shown = run("case", "show", str(first["id"]))
    assert "severity high (30), 50 % of the picture used (10), 2 works of yours used by shop.example (3)" in shown
    assert "signs of trade on the page: shop, price (12)" in shown


def test_a_case_goes_through_all_decisions_and_its_history_says_so(run: Run) -> None:
    id_ = str(cases(run, "--host", "instagram.com")[0]["id"])
    assert run("case", "confirm", id_).endswith("instagram.com/alice  confirmed\n")
    assert run("case", "confirm", id_).endswith("instagram.com/alice  confirmed already\n"), "the same once more"
    assert run("case", "notice-sent", id_, "--note", "by mail").endswith("notice_sent\n")
    run("case", "assign", id_, "--to", "mara")
    run("case", "label", id_, "--add", "press", "--add", "paris")
    said = run("case", "due", id_, "--on", "2026-12-01")
    assert said.endswith("notice_sent, assigned to mara, labelled press, paris, due 2026-12-01\n")
    run("case", "note", id_, "--note", "they asked for a week", "--by", "bob")
    assert [one["id"] for one in cases(run, "--assignee", "mara", "--label", "paris", "--due-by", "2026-12-01")] == [
        id_
    ]
    assert "(not worth pursuing)" in run("case", "dismiss", id_, "--reason", "not worth pursuing")
    assert [one["reason"] for one in cases(run, "--reason", "not-worth-pursuing")] == ["not_worth_pursuing"]
    assert "notice_sent" in run("case", "undo", id_)
    assert run("case", "close", id_).split()[2] == "closed,"
    shown = run("case", "show", id_)
    for line in ("notice sent by", "assigned (mara)", "noted by bob: they asked for a week", "undone (dismissed)"):
        assert line in shown


def test_an_operator_is_dealt_with_as_a_whole(run: Run) -> None:
    first, second = map(json.loads, run("operator", "list", "--json").splitlines())
    assert (first["operator"], first["pursued"], first["sightings"]) == ("shop.example", 2, 2)
    assert second["operator"] == "instagram.com/alice"
    assert "2 works in 2 places: 2 open" in run("operator", "list")

    would = run("case", "dismiss", "--operator", "www.shop.example", "--reason", "permitted", "--dry-run")
    assert would.count("would change: ") == 2
    assert len(cases(run, "--state", "open")) == 3
    assert (
        run("case", "dismiss", "--operator", "https://shop.example/x", "--reason", "permitted").count("permitted") == 2
    )
    with pytest.raises(UsageError, match=r"no case of shop.example waits"):
        run("case", "dismiss", "--operator", "shop.example")

    whole = json.loads(run("operator", "show", "shop.example", "--json"))
    assert whole["states"] == {"dismissed": 2}
    assert [case["severity"] for case in whole["cases_of"]] == ["high", "low"]
    assert whole["contacts"] == ["info@shop.example"]
    assert whole["licences"] == []
    assert "contacts on its pages: info@shop.example" in run("operator", "show", "shop.example")
    assert "alice" in run("operator", "show", "https://www.instagram.com/Alice/p/1")
    for unknown in ("nobody.example", "https://art.example/by/ann/3"):
        with pytest.raises(UsageError, match=r"no case is about (nobody.example|art.example/by/ann)"):
            run("operator", "show", unknown)


def test_a_decision_about_several_is_undone_by_its_id_and_no_other(run: Run) -> None:
    first, second = (str(one["id"]) for one in cases(run, "--host", "shop.example"))
    run("case", "assign", first, "--to", "mara")
    said = run("case", "confirm", first, second)
    decision = said.split("--decision ")[1].split("`")[0]
    assert f"(decision {decision})" in " ".join(run("case", "show", first).split())
    run("case", "close", second)

    tried = run("case", "undo", "--decision", decision, "--dry-run", code=1)
    assert f"would undo: {first}" in tried
    assert f"left as it is: {second}: this decision is undone already, or was followed by another" in tried
    undone = run("case", "undo", "--decision", decision, code=1)
    assert f"{first}  shop.example  open, assigned to mara" in undone
    states = {one["id"]: one["state"] for one in cases(run, "--host", "shop.example")}
    assert states == {first: "open", second: "closed"}
    again = run("case", "undo", "--decision", decision, first, code=1)
    assert again.startswith(f"left as it is: {first}"), "what was decided before it stays"
    with pytest.raises(UsageError, match="no decision batch_none"):
        run("case", "undo", "--decision", "batch_none")


def test_a_decision_is_undone_at_one_operator_though_its_cases_do_not_wait_any_more(run: Run) -> None:
    ids = {str(one["operator"]): str(one["id"]) for one in cases(run)}
    (shop, there), (other, elsewhere) = list(ids.items())[:2]
    said = run("case", "dismiss", there, elsewhere)
    decision = said.split("--decision ")[1].split("`")[0]
    undone = run("case", "undo", "--decision", decision, "--operator", shop)
    assert undone.splitlines() == [f"{there}  {shop}  open"]
    with pytest.raises(UsageError, match=r"was about no case of nobody\.example"):
        run("case", "undo", "--decision", decision, "--operator", "nobody.example")
    assert run("case", "undo", "--decision", decision, elsewhere) == f"{elsewhere}  {other}  open\n"


def test_what_cannot_be_undone_is_not_said_to_be(run: Run) -> None:
    first, second = (str(one["id"]) for one in cases(run, "--host", "shop.example"))
    assert "--decision" not in run("case", "note", first, second, "--note", "look again")
    assert "--decision" in run("case", "confirm", first, second)
    assert "--decision" not in run("case", "undo", first, second)


def test_this_customer_is_allowed(run: Run, tmp_path: Path) -> None:
    shutil.copytree(rules_folder(), tmp_path / "rules")
    id_ = str(cases(run, "--host", "instagram.com")[0]["id"])
    assert run("case", "licensed", id_, "--until", "2099-01-01").endswith("instagram.com/alice  licensed\n")
    (granted,) = map(json.loads, run("licence", "list", "--json").splitlines())
    assert (granted["host"], granted["path"], granted["valid_until"]) == ("instagram.com", "/alice", "2099-01-01")
    assert run("case", "undo", id_).endswith("open\n")
    assert run("licence", "list") == "no licences\n"

    draft = tmp_path / "draft.csv"
    said = run("licence", "suggest", "shop.example")
    assert "2 drafts" in said
    draft.write_text("\n".join(line for line in said.splitlines() if "," in line and "drafts" not in line))
    assert run("licence", "import", str(draft), "--dry-run") == "2 licences would be added\n"
    assert run("licence", "import", str(draft)).startswith("2 licences added, 0 known already\n")
    assert [case["state"] for case in cases(run, "--host", "shop.example")] == ["licensed", "licensed"]
    assert run("licence", "import", str(draft)) == "0 licences added, 2 known already\n"

    licence = json.loads(run("licence", "list", "--json").splitlines()[0])["id"]
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    (tmp_path / "contract.txt").write_text("signed")
    edited = run(
        "licence", "edit", licence, "--until", soon, "--medium", "web", "--proof", str(tmp_path / "contract.txt")
    )
    assert "medium web" in edited
    assert "ends in 3 days" in edited
    digest = json.loads(run("licence", "list", "--lapsing", "--json"))["proof_sha256"]
    assert [file.read_text() for file in (tmp_path / "data" / "proofs").rglob(digest)] == ["signed"]
    assert "1 licence ending within 30 days" in run("licence", "list")
    with pytest.raises(UsageError, match="only begins on"):
        run("licence", "end", licence)
    assert "until 2098-01-01" in run("licence", "edit", licence, "--until", "2098-01-01")
    assert "without end" not in run("licence", "list", "--host", "shop.example").splitlines()[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("assign",), "either --to NAME or --nobody"),
        (("label",), "--add LABEL or --remove LABEL"),
        (("due",), "either --on YYYY-MM-DD or --never"),
        (("note",), "--note TEXT"),
        (("undo",), "could be undone"),
    ],
)
def test_what_is_missing_is_named(run: Run, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run("case", *words, str(cases(run)[0]["id"]))
    with pytest.raises(UsageError, match=r"say which cases|say wh"):
        run("case", *words)
