"""What a command prints fits the terminal; in a pipe nothing is cut."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from guardian.cli.screen import Column, Cut, Row, Screen, shortened
from tests.cli.home import shown_on_terminal

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PATH = "/home/anna/Pictures/portfolio/2024/05/harbour/originals/harbour-at-dawn-0042.jpg"
COLUMNS = (Column("asset"), Column("title", Cut.END), Column("path", Cut.MIDDLE), Column("size", is_number=True))


def plain(lines: object) -> list[str]:
    """The lines without colours."""
    return [line.replace("\x1b[2m", "").replace("\x1b[0m", "") for line in lines]  # type: ignore[attr-defined]


def test_a_table_fits_and_names_its_columns_on_a_terminal() -> None:
    rows = [Row(["asset_1", "Harbour at dawn", PATH, "7"]), Row(["asset_2", "夜明けの港" * 9, "a.jpg", "1200"])]
    lines = plain(Screen(80, NOW).table(COLUMNS, rows))
    assert [cell_len(line) for line in lines] == [80, 80, 80]
    assert lines[0].split() == ["asset", "title", "path", "size"]
    assert lines[1].endswith("0042.jpg     7")
    assert "/home/anna" in lines[1]
    assert "…" in lines[1]
    assert "夜明けの港" in lines[2]
    starts = [cell_len(line[: line.index(path)]) for line, path in ((lines[1], "/home"), (lines[2], "a.jpg"))]
    assert starts[0] == starts[1], "columns stand under each other whatever the letters"


def test_in_a_pipe_a_record_is_one_whole_line_without_a_header() -> None:
    rows = [Row(["asset_1", "Harbour", PATH, "7"], below=["Seen on two pages", ""])]
    assert list(Screen(None, NOW).table(COLUMNS, rows)) == [f"asset_1  Harbour  {PATH}  7  Seen on two pages"]
    assert list(Screen(80, NOW).table(COLUMNS, [])) == []


def test_what_stands_below_a_row_is_wrapped_between_words() -> None:
    words = "https://shop.example answered 500: the receiver is out of order until somebody has repaired it again"
    lines = plain(Screen(40, NOW).table([Column("id")], [Row(["7"], below=[words])]))
    assert lines[1] == "7"
    assert all(line.startswith("  ") for line in lines[2:])
    assert " ".join(line.strip() for line in lines[2:]) == words


def test_a_word_longer_than_a_line_is_cut_in_the_middle_or_left_whole() -> None:
    screen = Screen(40, NOW)
    assert screen.wrapped(PATH, 2) == ["  /home/anna/Picture…ur-at-dawn-0042.jpg"]
    assert screen.wrapped(PATH, 2, cut=Cut.NEVER) == [f"  {PATH}"], "an address that is to be copied"
    assert Screen(None, NOW).wrapped("one two " * 30, 2) == ["  " + "one two " * 30]


def test_scripts_without_spaces_are_broken_between_letters() -> None:
    lines = Screen(20, NOW).wrapped("夜明けの港" * 6)
    assert "".join(lines) == "夜明けの港" * 6
    assert {cell_len(line) for line in lines} == {20}


def test_facts_stand_under_each_other() -> None:
    lines = list(Screen(40, NOW).facts({"page": "one two three four five six seven", "seen": "now"}))
    assert lines == ["  page  one two three four five six", "        seven", "  seen  now"]


@pytest.mark.parametrize(
    ("width", "cut", "shown"),
    [
        (9, Cut.END, "Harbour …"),
        (9, Cut.MIDDLE, "Harb…dawn"),
        (9, Cut.NEVER, "Harbour at dawn"),
        (15, Cut.END, "Harbour at dawn"),
        (1, Cut.MIDDLE, "…"),
    ],
)
def test_shortening(width: int, cut: Cut, shown: str) -> None:
    assert shortened("Harbour at dawn", width, cut) == shown


def test_a_wide_letter_is_never_halved() -> None:
    for width in range(1, 12):
        for cut in (Cut.END, Cut.MIDDLE):
            assert cell_len(shortened("夜明けの港で", width, cut)) <= width


def test_times_and_ids_are_exact_in_a_pipe() -> None:
    at = NOW - timedelta(hours=3)
    assert Screen(80, NOW).moment(at) == "3 hours ago"
    assert Screen(80, NOW).dated(at) == "2026-11-24 09:00Z (3 hours ago)"
    assert Screen(None, NOW).moment(at) == Screen(None, NOW).dated(at) == "2026-11-24 09:00Z"
    assert Screen(80, NOW).short_id("case_0123456789abcdef0123") == "case_01234567"
    assert Screen(None, NOW).short_id("case_0123456789abcdef0123") == "case_0123456789abcdef0123"


def test_nothing_moves_the_cursor() -> None:
    lines = list(Screen(80, NOW).table([Column("title", Cut.END)], [Row(["a\x1b[2Jb"], below=["c\rd"])]))
    assert not {"\x1b[2J", "\r"} & set("".join(lines[1:]))
    assert lines[1] == "a�[2Jb"


SHOW = [sys.executable, "-c", "from guardian.cli.screen import Screen; print(Screen.of_output().columns)"]


def test_the_width_is_that_of_the_terminal() -> None:
    assert shown_on_terminal(SHOW, 132) == ["132"]
    assert shown_on_terminal(SHOW, 0) == ["80"], "a terminal that was never told its size"
    assert shown_on_terminal(SHOW, 3) == ["20"]
    assert shown_on_terminal(["env", "COLUMNS=72", *SHOW], 132) == ["72"]


def test_a_pipe_has_no_width_whatever_the_environment_says() -> None:
    # Readline, which many programs load, sets COLUMNS for the programs that they start.
    piped = subprocess.run(["env", "COLUMNS=72", *SHOW], capture_output=True, text=True, check=True)
    assert piped.stdout == "None\n"
