"""`config check`: every problem with file and line, what guardian would do, and nothing changed by asking."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.preflight import Preflight, RemarkKind, check
from tests.databases import store_in

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GOOD = """\
fetch: {contact: me@owner.example}
sources:
  - {name: gallery, kind: page, url: "https://shop.example/g", cron: "0 3 * * 1-5"}
destinations:
  - {name: legal, kind: webhook, url: "https://legal.example/hook", secret_env: HOOK}
"""
RULE = "rules:\n- name: copies\n  when:\n    probability: {at_least: 0.9}\n    MORE\n  then: review\n"


def checked(folder: Path, config: str, rule: str = "scale: {at_most: 2}", **environment: str) -> Preflight:
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "10-rules.yaml").write_text(RULE.replace("MORE", rule), encoding="utf-8")
    return check(folder / "config.yaml", environment, NOW)


def said(found: Preflight, folder: Path, weight: RemarkKind = RemarkKind.PROBLEM) -> list[str]:
    return [remark.text.replace(f"{folder}/", "") for remark in found.remarks if remark.weight is weight]


def test_a_good_configuration_says_what_would_happen_and_changes_nothing(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD, HOOK=SECRET)
    assert found.remarks == ()
    assert not found.has_problems
    rhythm = "at 03:00 on Monday through Friday (UTC), next 2026-11-25 03:00Z"
    assert found.plan["sources"] == f"gallery (page, {rhythm})"
    assert found.plan["rules"] == f"1 rule in {tmp_path / 'rules'}"
    assert (found.plan["destinations"], found.plan["told of trouble"]) == ("legal", "nobody")
    assert found.plan["protected"] == "no database of this version yet"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.yaml", "rules"]


def test_a_suffix_that_everybody_shares_is_doubtful_among_own_hosts(tmp_path: Path) -> None:
    found = checked(tmp_path, GOOD + "own_hosts: [owner.example, co.uk, owner.github.io]\n", HOOK=SECRET)
    assert said(found, tmp_path, RemarkKind.WARNING) == [
        "config.yaml:6:28: everybody may have a name below co.uk, and copies at all of them raise no alert; "
        "name your own"
    ]
    assert not found.has_problems


def test_every_mistake_is_named_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    wrong = GOOD.replace("0 3 * * 1-5", "0 3 31 2 *").replace("contact", "contct").replace("secret_env", "secret")
    assert said(checked(tmp_path, wrong), tmp_path) == [
        "config.yaml:1:9: there is no key 'fetch.contct'; did you mean 'contact'?",
        "config.yaml:3:64: sources.0.cron: '0 3 31 2 *' never fires: no such month has such a day",
        "config.yaml:5:69: there is no key 'destinations.0.secret'; did you mean 'secret_env'?",
    ]


def test_mistakes_of_configuration_rules_secrets_and_paths_come_together(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    wrong = GOOD.replace("{contact: me@owner.example}", "{}") + "coverage: {deliver_to: [nobody]}\n"
    found = checked(tmp_path, wrong, "collection: {is_under: [press]}")
    problems = said(found, tmp_path)
    assert problems[0] == "config.yaml:6:25: there is no destination 'nobody'; there are: legal"
    assert problems[1].startswith("rules/10-rules.yaml:3:3: rules.0.when: is_under is for host only")
    assert problems[2].startswith("config.yaml: fetch.contact is not set, so nothing is scanned")
    assert problems[3].startswith("config.yaml:5:6: destination legal: environment variable HOOK is not set")
    assert problems[4].endswith("data is no folder")
    assert len(problems) == 5


def test_secrets_of_sources_and_their_files_are_looked_for_and_never_shown(tmp_path: Path) -> None:
    shown = 'credentials: {origin: "https://shop.example", user: me, secret_env: SHOP}'
    config = GOOD.replace('cron: "0 3 * * 1-5"', shown)
    (problem,) = said(checked(tmp_path, config, HOOK=SECRET), tmp_path)
    expected = "credentials for https://shop.example: environment variable SHOP is not set or empty"
    assert problem == f"config.yaml:3:64: {expected}"
    assert not checked(tmp_path, config, HOOK=SECRET, SHOP="x").remarks
    (malformed,) = said(checked(tmp_path, GOOD, HOOK="very secret"), tmp_path)
    assert "very secret" not in malformed


def test_chat_has_an_address_for_its_secret(tmp_path: Path) -> None:
    shown = 'kind: webhook, url: "https://legal.example/hook"'
    config = GOOD.replace(shown, "kind: chat")
    assert not checked(tmp_path, config, HOOK="mailto://127.0.0.1/?from=a@b.example&to=c@d.example").remarks
    (problem,) = said(checked(tmp_path, config, HOOK="nonsense://k3y"), tmp_path)
    assert problem.startswith("config.yaml:5:6: destination legal: environment variable HOOK holds no address")
    assert "k3y" not in problem


def test_what_works_but_perhaps_not_as_meant_is_a_warning(tmp_path: Path) -> None:
    found = checked(
        tmp_path,
        "fetch: {contact: me@owner.example}\n"
        "sources:\n  - {name: inbox, kind: folder, path: incoming}\n"
        "destinations:\n  - {name: chat, url: 'https://hooks.slack.com/services/T/B/x', secret_env: HOOK}\n",
        "source: {any_of: [inbx]}",
        HOOK=SECRET,
    )
    assert not found.has_problems
    warnings = said(found, tmp_path, RemarkKind.WARNING)
    assert warnings[0].startswith("config.yaml:5:18: Slack takes only messages of its own form")
    assert warnings[1] == "config.yaml:3:33: incoming does not exist"
    assert warnings[2].startswith("rules/10-rules.yaml:5:")
    assert warnings[2].endswith("the source 'inbx', which is not configured; did you mean 'inbox'?")


def test_a_browser_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    contact = "fetch: {contact: me@owner.example}\n"
    found = checked(tmp_path, f"{contact}evidence:\n  browser: {{executable: /opt/no/chromium}}\n", "")
    assert not found.has_problems
    assert (
        "config.yaml:3:13: /opt/no/chromium is no program that can be run; captures have no screenshots until it is"
        in said(found, tmp_path, RemarkKind.WARNING)
    )


def test_an_empty_configuration_watches_nothing_and_tells_nobody(tmp_path: Path) -> None:
    warnings = said(checked(tmp_path, "fetch: {contact: me@owner.example}\n"), tmp_path, RemarkKind.WARNING)
    assert [line.partition(", so ")[2] for line in warnings] == ["nothing is watched", "nobody is told"]


@pytest.mark.parametrize("condition", ["collection: {any_of: [press]}", "asset_tag: {any_of: [cover]}"])
def test_a_name_that_no_protected_image_has_is_a_warning_once_there_is_a_catalogue(
    condition: str, tmp_path: Path
) -> None:
    assert checked(tmp_path, GOOD, condition, HOOK=SECRET).remarks == (), "nothing is known of the catalogue"
    store_in(tmp_path / "data").close()
    found = checked(tmp_path, GOOD, condition, HOOK=SECRET)
    assert found.plan["protected"] == "0 assets in 0 collections"
    (warning,) = said(found, tmp_path, RemarkKind.WARNING)
    assert warning.endswith("; there are none")


def test_a_damaged_database_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "guardian.db").write_bytes(b"no database" * 1000)
    (problem,) = said(checked(tmp_path, GOOD, HOOK=SECRET), tmp_path)
    assert problem == "the database cannot be read: file is not a database"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("store: {url: 'mysql://x'}", "store.url: guardian speaks SQLite and PostgreSQL, not mysql"),
        ("store: {url: guardian.db}", "store.url is not a database URL"),
        ("data_dir: ''", "config.yaml:6:1: data_dir: is blank; name a folder, or remove the line to use the default"),
        (
            "rules_dir: ' '",
            "config.yaml:6:1: rules_dir: is blank; name a folder, or remove the line to use the default",
        ),
    ],
)
def test_places_that_cannot_be_are_named(tmp_path: Path, line: str, words: str) -> None:
    assert said(checked(tmp_path, GOOD + line + "\n", HOOK=SECRET), tmp_path) == [words]


def test_a_server_that_is_away_is_said_in_one_line_and_no_database_is_made(tmp_path: Path) -> None:
    away = checked(tmp_path, GOOD + "store: {url: 'postgresql://127.0.0.1:1/x'}\n", HOOK=SECRET)
    (problem,) = said(away, tmp_path)
    assert problem.startswith("the database cannot be read: ")
    assert "refused" in problem
    assert problem.isprintable()
    elsewhere = tmp_path / "elsewhere.db"
    assert said(checked(tmp_path, GOOD + f"store: {{url: 'sqlite:///{elsewhere}'}}\n", HOOK=SECRET), tmp_path) == []
    assert not elsewhere.exists()


def test_rules_that_go_by_labels_without_a_vocabulary_are_doubtful(tmp_path: Path) -> None:
    store_in(tmp_path / "data").close()
    labelled = "label: {any_of: [desert]}"
    without = said(checked(tmp_path, GOOD, labelled, HOOK=SECRET), tmp_path, RemarkKind.WARNING)
    (tmp_path / "labels.yaml").write_text("labels:\n- term: desert\n")
    found = said(checked(tmp_path, GOOD, labelled, HOOK=SECRET), tmp_path, RemarkKind.WARNING)
    assert without == [
        "rules: rules go by labels, but no further image gets one: there is no vocabulary labels.yaml",
        *found,
    ]
    assert "names the label 'desert', which no protected image carries" in found[0]
