"""Every `guardian ...` that a help text, message or document names exists, with its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from guardian.cli import COMMANDS, guardian
from guardian.cli.search import command as search
from guardian.cli.searching import find

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "config.example.yaml",
    *sorted((ROOT / "docs").glob("*.md")),
]
SOURCES = sorted((ROOT / "guardian").rglob("*.py"))

# In backticks, or in a line of a shell block, perhaps behind sudo, a path or a prompt.
QUOTED = re.compile(r"`guardian ([^`]*)`", re.DOTALL)
IN_SHELL = re.compile(r"^[ $]*(?:sudo )?(?:-u guardian )?(?:[\w./~-]*/)?guardian (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
WORDS_OF_OUR_OWN = re.compile(r"\.{3}|[A-Z/|_]+\b|\{.*")


def mentions_in(text: str) -> Iterator[str]:
    yield from QUOTED.findall(text)
    for language, block in BLOCK.findall(text):
        if language in ("", "sh"):
            yield from IN_SHELL.findall(block)


def texts_in(file: Path) -> Iterator[str]:
    """The string literals of a module, values in f-strings as {}."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def problem_of(mention: str) -> str | None:
    """Why what is mentioned could not be typed, None when it could."""
    context = click.Context(guardian)
    command: click.Command = guardian
    options = {"--help", "-h", "--version", "--config"}
    for word in mention.partition("#")[0].split():
        word = word.rstrip(".,;:)\\")
        if word in (">", "|", "&&", "--") or WORDS_OF_OUR_OWN.match(word):
            break
        if word.startswith("-"):
            # `guardian search --text ...` is short for `guardian search find --text ...`.
            meant = find if command is search else command
            options |= {option for one in meant.params for option in one.opts}
            if word.partition("=")[0] not in options:
                return f"`guardian {mention}`: {command.name} has no option {word}"
        elif isinstance(command, click.Group):
            below = command.get_command(context, word)
            if below is None:
                return f"`guardian {mention}`: there is no command {word}"
            command = below
    return None


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_documents_name_commands_that_exist(file: Path) -> None:
    mentions = set(mentions_in(file.read_text(encoding="utf-8")))
    assert [problem for mention in sorted(mentions) if (problem := problem_of(mention))] == []


def test_help_texts_and_messages_name_commands_that_exist() -> None:
    mentions = {mention for file in SOURCES for text in texts_in(file) for mention in QUOTED.findall(text)}
    assert len(mentions) > 25
    assert [problem for mention in sorted(mentions) if (problem := problem_of(mention))] == []


def test_messages_put_commands_into_backticks_where_they_are_looked_for() -> None:
    # A command with a subcommand that is named without backticks would escape the test above.
    bare = re.compile(r"(?<![`\w/])guardian ([a-z]+) ([a-z]+)")
    found = []
    for file in SOURCES:
        # What `init` prints is a list of commands, each on a line of its own.
        texts = texts_in(file) if file.name != "init.py" else ()
        for text in texts:
            for group, word in bare.findall(re.sub(r"`[^`]*`", "", text)):
                if word in subcommands_of(group):
                    found.append(f"{file.name}: guardian {group} {word}")
    assert found == []


def test_the_list_of_commands_names_the_subcommands_that_exist() -> None:
    for name, text in COMMANDS.items():
        if below := subcommands_of(name):
            named = text.rstrip(".").rpartition(": ")[2].split(", ")
            assert set(named) <= below, name


def subcommands_of(name: str) -> set[str]:
    group = guardian.get_command(click.Context(guardian), name)
    return set(group.commands) if isinstance(group, click.Group) else set()


@pytest.mark.parametrize(
    ("mention", "is_wrong"),
    [
        ("case shwo CASE", True),
        ("delivery retry --all-daed", True),
        ("delivery retry --all-dead", False),
        ("rules explain FINDING", False),
        ("asset add ~/Pictures --collection NAME", False),
        ("stroe backup", True),
    ],
)
def test_a_command_that_does_not_exist_would_be_found(mention: str, is_wrong: bool) -> None:
    assert (problem_of(mention) is not None) is is_wrong
