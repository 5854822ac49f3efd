"""`guardian rules` as a person runs it."""

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from guardian.cases import RecordedUse, record
from guardian.model import Action, Audience, Comparison, Decision, Finding, LicenceStatus, Severity, Sighting
from tests import forked
from tests.databases import store_in
from tests.granting import grant_licence

SEEN = datetime(2020, 6, 1, 12, 0, tzinfo=UTC)
RULES = """\
rules:
  - name: own-host
    why: Ours.
    when: {place: {any_of: [own]}}
    then: ignore
  - name: licensed
    when: {licence: {any_of: [licensed]}, probability: {at_least: 0.9}}
    then: ignore
    record: true
  - name: certain-copy
    when: {probability: {at_least: 0.97}, aligned_similarity: {at_least: 0.35}}
    then: alert
    severity: high
  - name: likely-copy
    when: {probability: {at_least: 0.6}}
    then: review
    deliver_to: [legal]
examples:
  - {given: {probability: 1, aligned_similarity: 0.5}, expect: {rule: certain-copy}}
"""


def rules(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.guardian("--config", folder / "config.yaml", "rules", *arguments)


def configure(folder: Path, more: str = "") -> None:
    hooks = "".join(
        f"- {{name: {name}, kind: webhook, url: 'https://{name}.example/', secret_env: S}}\n"
        for name in ("legal", "ops")
    )
    (folder / "config.yaml").write_text(f"destinations:\n{hooks}{more}")


@pytest.fixture
def finding(tmp_path: Path) -> Finding:
    """Recorded as a certain copy on www.customer.example, by rules that are still in force."""
    configure(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10-all.yaml").write_text(RULES)
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        asset = tx.assets.reserve("a" * 64, title="Düne", collection="press", path="/a.jpg", size=(800, 600), at=SEEN)
        use = RecordedUse(
            Sighting("web", "https://cdn.example/i.jpg", "https://www.customer.example/1", SEEN),
            "c" * 64,
            asset,
            Comparison(0.98765, aligned_similarity=0.8),
            LicenceStatus.NONE,
            Decision(Action.ALERT, "certain-copy", Severity.HIGH, record=True),
            SEEN,
        )
        found = record(tx, use, Audience(("legal",)))
    store.close()
    return found


def license_press(folder: Path, first: date | None, last: date | None) -> None:
    store = store_in(folder / "data")
    with store.begin() as tx:
        grant_licence(tx, "customer.example", at=SEEN, collection="press", dates=(first, last))
    store.close()


def test_check_lists_the_rules_in_their_order(tmp_path: Path, finding: Finding) -> None:
    checked = rules(tmp_path, "check")
    assert (checked.returncode, checked.stderr) == (0, "")
    lines = [line.strip() for line in checked.stdout.splitlines()]
    numbered = [line.split()[1] for line in lines if line[:1].isdigit() and line[1:3] == ". "]
    assert numbered == ["own-host", "licensed", "certain-copy", "likely-copy"]
    for words in (
        "Ours.",
        "place any of own",
        "aligned_similarity at least 0.35",
        "then ignore, but record it",
        "then alert (high); tells legal, ops",
        "then review; tells legal",
        "When none fires: ignore.",
        "The one example gives what it expects.",
    ):
        assert words in lines, words


@pytest.mark.parametrize(
    ("rule_file", "words"),
    [
        ("rules: [{name: a, when: {}, then: alert, deliver_to: [legl]}]\n", "1:42: there is no destination 'legl'"),
        ("examples: [{given: {}, expect: {then: alert}}]\n", "1:12: this example gives ignore (no rule matched)"),
        (
            "rules:\n- {name: a, when: {}, then: ignore}\n- {name: b, when: {}, then: alert}\n",
            "3:4: rule 'b' can never",
        ),
    ],
)
def test_check_refuses_wrong_rules_with_their_place(
    tmp_path: Path, finding: Finding, rule_file: str, words: str
) -> None:
    (tmp_path / "rules" / "10-all.yaml").write_text(rule_file)
    for arguments in (["check"], ["explain", finding.id]):
        checked = rules(tmp_path, *arguments)
        assert checked.returncode == 2
        assert f"{tmp_path / 'rules' / '10-all.yaml'}:{words}" in checked.stderr
        assert checked.stdout == ""


def test_a_file_that_is_tried_says_where_it_was_read(tmp_path: Path, finding: Finding) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("rules: [{name: partner, when: {host: {is_under: [customer.example]}}, then: ignore}]\n")
    order = "The files were read in this order, as their names say: 10-all.yaml, mine.yaml."
    assert order in rules(tmp_path, "try", str(mine), "--add").stdout
    assert order not in rules(tmp_path, "try", str(mine)).stdout


def test_explain_says_which_condition_held_and_which_rule_won(tmp_path: Path, finding: Finding) -> None:
    explained = rules(tmp_path, "explain", finding.id[:10])
    assert (explained.returncode, explained.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in explained.stdout.splitlines()]
    for words in (
        f"{finding.id} https://cdn.example/i.jpg",
        "on page https://www.customer.example/1",
        "recorded 2020-06-01 12:00Z: alert (high) by rule “certain-copy”, licence none",
        "1. own-host: does not fire",
        "no place any of own elsewhere",
        "holds probability at least 0.9 0.9877",
        "no licence any of licensed none",
        "3. certain-copy: fires and decides: alert (high)",
        "holds aligned_similarity at least 0.35 0.8",
        "4. likely-copy: would fire, but an earlier one has decided",
        "Now: alert (high) by rule “certain-copy”.",
        "That is what was recorded.",
    ):
        assert words in lines, words


def test_explain_shows_what_was_not_measured(tmp_path: Path, finding: Finding) -> None:
    text = RULES.replace("aligned_similarity: {at_least: 0.35}", "embedding_similarity: {at_least: -1}").partition(
        "exam"
    )
    (tmp_path / "rules" / "10-all.yaml").write_text(text[0])
    lines = [" ".join(line.split()) for line in rules(tmp_path, "explain", finding.id).stdout.splitlines()]
    assert "no embedding_similarity at least -1 not measured" in lines
    assert "Now: review by rule “likely-copy”." in lines
    assert any(line.startswith("Recorded was: alert (high) by rule “certain-copy”.") for line in lines)


def test_explain_says_when_rules_own_hosts_or_licences_would_say_otherwise_now(
    tmp_path: Path, finding: Finding
) -> None:
    license_press(tmp_path, None, date(2020, 12, 31))
    licensed = rules(tmp_path, "explain", finding.id).stdout
    assert "for a use seen on 2020-06-01 (licence licensed)" in licensed
    assert "The licence of that day is licensed now; it was recorded as none." in licensed
    assert "Now: ignore by rule “licensed”." in licensed
    assert "Seen again today it would be alert (high), since its licence is lapsed today." in licensed
    configure(tmp_path, "own_hosts: [customer.example]\n")
    own = rules(tmp_path, "explain", finding.id).stdout
    assert "1. own-host: fires and decides: ignore" in own


def test_a_value_is_never_rounded_onto_the_other_side_of_its_bound(tmp_path: Path, finding: Finding) -> None:
    text = RULES.replace("at_least: 0.97}", "at_least: 0.9877}")
    (tmp_path / "rules" / "10-all.yaml").write_text(text)
    lines = [" ".join(line.split()) for line in rules(tmp_path, "explain", finding.id).stdout.splitlines()]
    assert "no probability at least 0.9877 0.98765" in lines
    assert "holds probability at least 0.6 0.9877" in lines


def test_explain_when_nothing_fires(tmp_path: Path, finding: Finding) -> None:
    (tmp_path / "rules" / "10-all.yaml").write_text("rules: []\n")
    assert "Now: ignore since no rule matched." in rules(tmp_path, "explain", finding.id).stdout


def test_findings_that_are_not_there_or_not_unique(tmp_path: Path, finding: Finding) -> None:
    missing = rules(tmp_path, "explain", "find_zzz")
    assert missing.returncode == 2
    assert "there is no finding find_zzz" in missing.stderr
    assert rules(tmp_path, "explain", finding.id.removeprefix("find_")).returncode == 0
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        asset = tx.assets.get(finding.asset_id)
        assert asset is not None
        sighting = Sighting("web", "https://cdn.example/j.jpg", "https://b.example/", SEEN)
        decision = Decision(Action.IGNORE, "licensed", record=True)
        record(
            tx, RecordedUse(sighting, "d" * 64, asset, Comparison(0.9), LicenceStatus.NONE, decision, SEEN), Audience()
        )
    store.close()
    ambiguous = rules(tmp_path, "explain", "find_")
    assert ambiguous.returncode == 2
    assert "2 findings start with find_" in ambiguous.stderr
