"""CSV files as people and their programs write them."""

from pathlib import Path

import pytest

from guardian.catalog.spreadsheet import COLUMNS, read_spreadsheet
from guardian.catalog.wanted import Wanted
from guardian.errors import ConfigError
from guardian.model import Rights


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "mine.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, content: str | bytes, collection: str | None = "press") -> list[Wanted]:
    return read_spreadsheet(written(folder, content), collection)


def refused(folder: Path, content: str | bytes, collection: str | None = "press") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(folder, content, collection)
    assert str(folder / "mine.csv") in str(caught.value)
    return caught.value


def test_every_column(tmp_path: Path) -> None:
    (one,) = read(
        tmp_path,
        ",".join(COLUMNS) + "\na.jpg,Dune,shop,sand; sea ;,Ann,© Ann,Agency,https://a.example/r,VA 1-234\n",
    )
    rights = Rights("Ann", "© Ann", "Agency", "https://a.example/r", "VA 1-234")
    assert one == Wanted(tmp_path / "a.jpg", "shop", "Dune", ("sand", "sea"), rights)


def test_what_is_left_out_is_left_to_the_file_and_the_command(tmp_path: Path) -> None:
    first, second = read(tmp_path, "path,title,collection,creator\na.jpg,,,\nb.jpg,B,shop,Bo\n")
    assert first == Wanted(tmp_path / "a.jpg", "press")
    assert (second.collection, second.title, second.rights.creator) == ("shop", "B", "Bo")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_programs_differ_in_separators_line_ends_and_byte_order_marks(
    tmp_path: Path, separator: str, end: str, start: str
) -> None:
    rows = [["path", "title"], ["a.jpg", "Düne"], ["b.jpg", "山"]]
    found = read(tmp_path, start + end.join(separator.join(row) for row in rows) + end)
    assert [(one.path.name, one.title) for one in found] == [("a.jpg", "Düne"), ("b.jpg", "山")]


def test_quotes_hold_separators_quotes_and_lines_together(tmp_path: Path) -> None:
    text = 'path;title;tags;creator\n"a;b.jpg";"The ""Dune""";"sand;sea";"Ann\nand\u2028Bo"\n"c.jpg";;;\x85\n'
    first, second = read(tmp_path, text)
    assert (first.path.name, first.title, first.tags) == ("a;b.jpg", 'The "Dune"', ("sand", "sea"))
    assert first.rights.creator == "Ann\nand\u2028Bo"
    assert second.path.name == "c.jpg"


def test_names_of_columns_in_any_order_case_and_quotes(tmp_path: Path) -> None:
    (one,) = read(tmp_path, '" Title ",PATH\nDune,a.jpg\n')
    assert (one.title, one.path) == ("Dune", tmp_path / "a.jpg")


def test_paths_count_from_the_spreadsheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", "/home/ann")
    (folder / "mine.csv").write_text(f"path\nin/a.jpg\n../b.jpg\n{tmp_path}/c.jpg\n~/d.jpg\n./e f.jpg\n")
    found = read_spreadsheet(Path("../lists/mine.csv"), "press")
    assert [str(one.path) for one in found] == [
        f"{folder}/in/a.jpg",
        f"{tmp_path}/b.jpg",
        f"{tmp_path}/c.jpg",
        "/home/ann/d.jpg",
        f"{folder}/e f.jpg",
    ]


def test_rows_of_nothing_are_skipped(tmp_path: Path) -> None:
    found = read(tmp_path, "path,title,,\n\na.jpg,A,,\n,,,\n   ,\nb.jpg,B,,\n,,,\n")
    assert [one.title for one in found] == ["A", "B"]
    assert read(tmp_path, "path,title\n") == []


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("path,titel\na.jpg,A\n", 1, "unknown: 'titel'"),
        ("title,creator\nA,B\n", 1, "path, and any of title, collection, tags"),
        ("path,path\na.jpg,b.jpg\n", 1, "each once"),
        ("a.jpg,A\n", 1, "the first line must name the columns"),
        ("path,title\na.jpg,A\nb.jpg\n", 3, "1 field, but the first line names 2"),
        ("path,title\na.jpg,A\nb.jpg,B,extra\n", 3, "3 fields, but the first line names 2"),
        ("path,title\na.jpg,A\n,B\n", 3, "names no path"),
        ('path,title\na.jpg,"two\nlines"\n,B\n', 4, "names no path"),
        ('path,title\na.jpg,A\nb.jpg,"never closed\n\n', 4, "a closing quote is missing"),
        ('path,title\na.jpg,"A" B\n', 2, "after a closing quote there must be a separator"),
        ('path,title\na.jpg,"' + "x" * 140_000 + '"\n', 2, "longer than 131072 characters"),
        ("path,title\n~nobody-here/a.jpg,A\n", 2, "no such user"),
        (b"path,title\na.jpg,A\nb.jpg,D\xfcne\n", 3, "UTF-8"),
    ],
)
def test_mistakes_are_said_with_file_and_line(tmp_path: Path, content: str | bytes, line: int, words: str) -> None:
    error = refused(tmp_path, content)
    assert error.line == line
    assert f"mine.csv:{line}: " in str(error)
    assert words in str(error)


def test_a_collection_is_needed_somewhere(tmp_path: Path) -> None:
    assert read(tmp_path, "path,collection\na.jpg,shop\n", None)[0].collection == "shop"
    error = refused(tmp_path, "path,collection\na.jpg,shop\nb.jpg,\n", None)
    assert (error.line, "names no collection" in str(error)) == (3, True)


def test_files_that_are_not_there_empty_or_folders(tmp_path: Path) -> None:
    assert "is empty" in str(refused(tmp_path, ""))
    with pytest.raises(ConfigError, match=r"other.csv: cannot be read: No such file"):
        read_spreadsheet(tmp_path / "other.csv", "press")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_spreadsheet(tmp_path, "press")


@pytest.mark.parametrize("head", ["sep=;", '"sep=;"', "SEP=;;;"])
def test_the_line_in_which_excel_states_the_separator(tmp_path: Path, head: str) -> None:
    error = refused(tmp_path, f"{head}\r\npath;title;tags\r\na.png;One, two;x\r\nb.png;Two\r\n")
    assert str(error).endswith(":4: 2 fields, but the first line names 3 columns")
    (wanted,) = read(tmp_path, f'{head}\npath;title;tags\na.png;One, two;"x; y; x"\n')
    assert (wanted.title, wanted.tags) == ("One, two", ("x", "y"))
