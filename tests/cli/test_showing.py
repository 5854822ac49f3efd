"""How an answer reads on a terminal, and the exit code that goes with it."""

from dataclasses import replace
from datetime import UTC, datetime

import click
import pytest

from guardian.cli.screen import Screen
from guardian.cli.showing import describe, exit_code, summary
from guardian.model import (
    Action,
    Answer,
    Asset,
    Comparison,
    Decision,
    JudgedMatch,
    LicenceStatus,
    MatchReport,
    ScanCounts,
    Severity,
    Sighting,
    Skipped,
    SkipReason,
)

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DUNE = Asset(
    id="asset_dune",
    number=1,
    title="Düne",
    collection="press",
    path="/dune.jpg",
    sha256="a" * 64,
    width=800,
    height=600,
    added_at=NOON,
    work_id="work_dune",
)
ALERT = Decision(Action.ALERT, "certain-copy", Severity.HIGH, record=True)
COPY = JudgedMatch(DUNE, Comparison(0.98765, description="mirrored crop of 41 %"), LicenceStatus.LAPSED, ALERT)
STRANGER = JudgedMatch(
    replace(DUNE, title="Meer"), Comparison(0.00012), LicenceStatus.NONE, Decision(Action.IGNORE, "no rule matched")
)
ON_A_PAGE = Answer(
    "https://thief.example/",
    Sighting("check", "https://cdn.example/i.jpg", "https://thief.example/", NOON),
    "c" * 64,
    12.0,
    (COPY, STRANGER),
    MatchReport("recipe", (), 1, 5, 640, 480),
)


def lines(answer: Answer, *, every_match: bool = False) -> list[str]:
    return click.unstyle(describe(answer, Screen(None), every_match=every_match)).splitlines()


def test_a_copy_says_of_what_how_sure_what_was_done_and_what_the_rules_say() -> None:
    assert [line.strip() for line in lines(ON_A_PAGE)] == [
        "COPY        https://thief.example/",
        "image https://cdn.example/i.jpg",
        "“Düne”  press/asset_dune  98.8 % sure",
        "mirrored crop of 41 %",
        "alert (high) by rule “certain-copy”; a licence for this host has lapsed",
    ]


def test_what_the_rules_ignore_is_shown_only_on_request() -> None:
    assert "Meer" not in "\n".join(lines(ON_A_PAGE))
    everything = [line.strip() for line in lines(ON_A_PAGE, every_match=True)]
    assert everything[-3:] == [
        "“Meer”  press/asset_dune  <0.1 % sure",
        "not described",
        "ignored since no rule matched; no licence for this host",
    ]


def test_a_file_is_named_once() -> None:
    sighting = Sighting("check", "file:///tmp/copy.jpg", None, NOON)
    shown = lines(Answer("/tmp/copy.jpg", sighting, "c" * 64, 1.0, report=ON_A_PAGE.report))
    assert shown == ["CLEAR       /tmp/copy.jpg"]
    found = lines(Answer("/tmp/copy.jpg", sighting, "c" * 64, 1.0, (COPY,), ON_A_PAGE.report))
    assert found[-1].strip() == "alert (high) by rule “certain-copy”", "no host, so nothing about its licences"


def test_on_a_terminal_the_address_of_a_match_stays_whole_and_all_else_fits() -> None:
    url = "https://thief.example/" + "gallery/" * 12 + "harbour.jpg"
    found = replace(ON_A_PAGE, sighting=replace(ON_A_PAGE.sighting, image_url=url))
    shown = click.unstyle(describe(found, Screen(80))).splitlines()
    assert f"            image {url}" in shown, "it is there to be copied"
    assert all(len(line) <= 80 for line in shown if url not in line)
    clear = click.unstyle(describe(replace(found, judged=()), Screen(80))).splitlines()
    assert [len(line) for line in clear][1:] == [80]
    assert clear[1].endswith("harbour.jpg")


def test_an_inline_image_own_hosts_repeats_and_a_partial_search_are_said() -> None:
    inline = replace(ON_A_PAGE.sighting, image_url=None, inline=b"data")
    report = MatchReport("recipe", (), 1, 5, 640, 480, partial=True)
    shown = lines(replace(ON_A_PAGE, sighting=inline, own=True, also_at=("https://b.example/",), report=report))
    for words in (
        "inside the page",
        "on one of your own hosts",
        "also at 1 more address",
        "partial: some of the index",
    ):
        assert any(words in line for line in shown), words


def test_a_problem_is_said_in_its_own_words_and_cannot_write_to_the_terminal() -> None:
    problem = Skipped("https://thief.example/", SkipReason.HTTP_STATUS, "answered \x1b[2J404\r\nCLEAR all", 404)
    answer = replace(ON_A_PAGE, judged=(), report=None, sha256=None, problem=problem)
    shown = describe(answer, Screen(None))
    assert click.unstyle(shown).startswith("ERROR ")
    assert "\x1b[2J" not in shown
    assert len(shown.splitlines()) == 3
    unmatchable = replace(answer, unmatchable=True, problem=Skipped("u", SkipReason.TOO_PLAIN))
    assert lines(unmatchable)[0].startswith("UNMATCHABLE ")
    assert lines(unmatchable)[-1].strip() == "too_plain"


def test_a_summary_counts_everything_once() -> None:
    counts = ScanCounts.from_words({"copy": 2, "clear": 3, "error": 1, "problem: timeout": 1, "left out: robots": 4})
    said = summary(counts, 7)
    assert said.startswith("6 images, compared with 7 protected assets: 2 copies, 3 clear, 1 error, 4 left out")
    assert said.endswith(" 4 left out (forbidden by robots.txt 4)")
    assert summary(ScanCounts()) == "0 images: nothing found"
    assert "compared with 0 protected assets: 1 clear; nothing is protected yet" in summary(
        ScanCounts.from_words({"clear": 1}), 0
    )


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({}, 0),
        ({"clear": 3, "licensed": 1, "left out: robots": 2}, 0),
        ({"unmatchable": 1, "problem: too_plain": 1}, 0),
        ({"error": 1, "problem: timeout": 1}, 3),
        ({"unmatchable": 1, "problem: not_an_image": 1}, 3),
        ({"unmatchable": 1, "problem: over_limit": 1}, 3),
        ({"unmatchable": 1, "problem: unmatchable": 1}, 3),
        ({"clear": 1, "partial": 1}, 3),
        ({"copy": 1, "partial": 1}, 1),
        ({"copy": 1, "error": 1}, 1),
        ({"review": 1}, 1),
        ({"copy": 1, "error": 1, "problem: internal": 1}, 4),
    ],
)
def test_exit_codes(counts: dict[str, int], code: int) -> None:
    assert exit_code(ScanCounts.from_words(counts)) == code
