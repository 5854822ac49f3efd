"""Every mistake in a file that a person wrote is named with its place and with what to do about it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from guardian.errors import ConfigError
from guardian.strict_yaml import (
    ByteSize,
    Duration,
    byte_size,
    duration,
    load,
    load_with_positions,
    show_byte_size,
    show_duration,
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(_Strict):
    kind: Literal["page"]
    name: str
    url: str


class Listing(_Strict):
    kind: Literal["listing"]
    name: str
    every: Duration = timedelta(minutes=15)


class Section(_Strict):
    max_bytes: ByteSize = 1
    patient: bool = True


class Document(_Strict):
    title: str | None = None
    country: str = "DE"
    section: Section = Section()
    sources: tuple[Annotated[Page | Listing, Field(discriminator="kind")], ...] = ()
    numbers: dict[str, int | float] = {}


def read(tmp_path: Path, content: str | bytes) -> Document:
    file = tmp_path / "file.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(file, Document)


def refused(tmp_path: Path, content: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, content)
    return caught.value


MISTAKES = {
    "duplicate key": ("title: a\ncountry: FR\ntitle: b\n", 3, 1, "'title' stands here twice, first in line 1"),
    "duplicate key inside": ("section:\n  patient: true\n  patient: false\n", 3, 3, "stands here twice"),
    "unknown key": ("title: a\ntilte: b\n", 2, 1, "no key 'tilte'; did you mean 'title'?"),
    "unknown key inside": ("section:\n  max_byte: 3MB\n", 2, 3, "no key 'section.max_byte'; did you mean 'max_bytes'"),
    "unknown key in a list": ("sources:\n- {kind: listing, nam: x}\n", 2, 19, "did you mean 'name'?"),
    "unknown key without a likeness": ("zebra: 1\n", 1, 1, "there is no key 'zebra'"),
    "unknown key where few are known": ("section: {zebra: 1}\n", 1, 11, "keys here are "),
    "Norway": ("title: a\ncountry: NO\n", 2, 10, "does not read NO as you may mean it; write true or false, or quote"),
    "yes": ("section: {patient: yes}\n", 1, 20, "write true or false"),
    "off": ("section: {patient: off}\n", 1, 20, "write true or false"),
    "time of day": ("title: 12:30\n", 1, 8, "does not read 12:30 as you may mean it; quote it"),
    "octal": ("numbers: {a: 010}\n", 1, 14, "does not read 010"),
    "date": ("title: 2026-11-24\n", 1, 8, "quote it"),
    "number for text": ("title: 2026\n", 1, 1, "title: this must be text; quote it"),
    "null section": ("title: a\nsection:\n", 2, 1, "section is empty; give it a value, or remove the line"),
    "null list": ("sources:\n", 1, 1, "sources is empty"),
    "null value": ("country: ~\n", 1, 1, "country is empty"),
    "size without unit": ("section: {max_bytes: many}\n", 1, 11, "write a number and a unit: 512kB, 20MB or 10GiB"),
    "size of a wrong unit": ("section: {max_bytes: 20 mb}\n", 1, 11, "'20 mb' is not a size"),
    "size beyond all": (f"section: {{max_bytes: {'9' * 400}TB}}\n", 1, 11, "is not a size"),
    "duration without unit": ("sources: [{kind: listing, name: x, every: 15}]\n", 1, 36, "15 has no unit"),
    "duration in words": ("sources: [{kind: listing, name: x, every: daily}]\n", 1, 36, "'daily' is not a duration"),
    "duration beyond all": (f"sources: [{{kind: listing, name: x, every: {'9' * 30}d}}]\n", 1, 36, "is too long"),
    "missing key": ("sources:\n- kind: page\n  name: x\n", 2, 3, "sources.0.url is missing"),
    "missing kind": ("sources:\n- name: x\n", 2, 3, "'kind' is missing"),
    "unknown kind": ("sources:\n- {kind: pag, name: x}\n", 2, 3, "'pag' is no 'kind'; it is one of 'page', 'listing'"),
    "anchor": ("title: &here a\n", 1, 8, "anchors (&) and aliases (*) are not understood"),
    "alias": ("title: a\ncountry: *there\n", 2, 10, "anchors (&) and aliases (*) are not understood"),
    "merge key": ("section:\n  <<: {patient: true}\n", 2, 3, "merge keys (<<)"),
    "tag": ("title: !!python/object/apply:os.getcwd []\n", 1, 8, "tags such as"),
    "number as key": ("numbers: {1: 2}\n", 1, 11, "a key must be plain text"),
    "list as key": ("? [a]\n: b\n", 1, 3, "a key must be plain text"),
    "tab": ("section:\n\tpatient: true\n", 2, 1, "indent with spaces, not tabs"),
    "unclosed": ("sources: [\n", 2, 1, "not valid YAML"),
    "two documents": ("title: a\n---\ntitle: b\n", 2, 1, "only one document"),
    "a list at the top": ("# mine\n- a\n", 2, 1, "must hold `key: value` lines at its top"),
    "text at the top": ("title\n", 1, 1, "must hold `key: value` lines at its top"),
    "not UTF-8": (b"title: a\ncountry: \xe4\n", 2, 10, "not UTF-8"),
    "UTF-16": ("title: a".encode("utf-16"), 1, 1, "not UTF-8"),
    "control character": ("title: a\ncountry: D\x07\n", 2, 11, "'\\x07' must not stand here"),
    "too deep": ("numbers: " + "[" * 5000, 1, 50, "nested more than 40 deep"),
    "a number of many digits": (f"numbers: {{a: {'9' * 5000}}}\n", 1, 1, "a number cannot be read"),
}


@pytest.mark.parametrize(("content", "line", "column", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named_with_their_place(
    tmp_path: Path, content: str | bytes, line: int, column: int, words: str
) -> None:
    error = refused(tmp_path, content)
    assert (error.line, error.column) == (line, column), str(error)
    assert str(error).startswith(f"{tmp_path / 'file.yaml'}:{line}:{column}: ")
    assert words in str(error)


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 40)]
    error = refused(tmp_path, "\n".join(["l0: &l0 [x]", *levels]))
    assert (error.line, "aliases" in str(error)) == (1, True)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file; `guardian init DIR` writes one") as missing:
        load(tmp_path / "none.yaml", Document)
    assert missing.value.line is None
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path}: cannot be read: Is a directory")):
        load(tmp_path, Document)


@pytest.mark.parametrize("content", ["", "# nothing but words\n", "\n\n", "{}\n", "\ufeff"])
def test_an_empty_file_is_the_defaults(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == Document()


def test_what_is_meant_is_read(tmp_path: Path) -> None:
    read_back = read(
        tmp_path,
        "\ufefftitle: 'NO'\ncountry: \"12:30\"\nsection: {max_bytes: 1.5 MiB, patient: false}\r\n"
        "sources:\n- {kind: listing, name: Düne, every: 1.5h}\n- {kind: page, name: no one, url: https://a.example/a=b}\n"
        "numbers: {a: -1, b: 0.5, c: 0}\n",
    )
    assert (read_back.title, read_back.country) == ("NO", "12:30")
    assert read_back.section == Section(max_bytes=1_572_864, patient=False)
    first, second = read_back.sources
    assert isinstance(first, Listing)
    assert (first.name, first.every) == ("Düne", timedelta(minutes=90))
    assert isinstance(second, Page)
    assert second.url == "https://a.example/a=b"
    assert read_back.numbers == {"a": -1, "b": 0.5, "c": 0}


def test_a_nullable_value_may_be_null(tmp_path: Path) -> None:
    assert read(tmp_path, "title: null\n").title is None


def test_errors_of_later_checks_point_at_their_value_or_what_holds_it(tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text("title: a\nsources:\n- {kind: page, name: x, url: z}\n")
    _, positions = load_with_positions(file, Document)
    assert str(positions.error("twice", ("sources", 0, "name"))) == f"{file}:3:16: twice"
    assert str(positions.error("twice", ("sources", 0, "page", "name"))) == f"{file}:3:16: twice"
    assert str(positions.error("none", ("sources", 0, "every"))) == f"{file}:3:3: none"
    assert str(positions.error("none", ("section", "patient"))) == f"{file}:1:1: none"


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_durations_survive_being_shown(value: timedelta) -> None:
    assert duration(show_duration(value)) == value


@given(st.integers(min_value=0, max_value=2**50))
def test_sizes_survive_being_shown(value: int) -> None:
    assert byte_size(show_byte_size(value)) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (timedelta(0), "0s"),
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=48), "2d"),
        (timedelta(seconds=0.5), "500ms"),
    ],
)
def test_durations_are_shown_as_people_write_them(value: timedelta, shown: str) -> None:
    assert show_duration(value) == shown


@given(st.text(alphabet=" -?:,[]{}#&*!|>'\"%@`~=<.a0\n\t\\é\x00\ufeff", max_size=40))
def test_any_text_is_read_or_refused_by_name(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(text.encode())
    place: tuple[int | None, int | None] = (1, 1)
    try:
        load(file, Document)
    except ConfigError as error:
        place = (error.line, error.column)
    assert None not in place
