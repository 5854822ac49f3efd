"""The house rules that no linter knows: sizes, names, who may load what, and how fast the command line starts."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "guardian"
MODULES = sorted(PACKAGE.rglob("*.py"))
OUR_CODE = [
    *MODULES,
    *(
        file
        for folder in ("demo", "bench", "examples", "tools", "tests")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ),
]

MOST_LINES_IN_MODULE = 600
MOST_LINES_IN_FUNCTION = 80
MOST_PARAMETERS = 8
MOST_LINES_IN_DOCSTRING = 5

EMPTY_NAMES = {"utils", "util", "helpers", "common", "base", "core", "misc"}
# "Services" is what the field calls the opened objects that a program works with; one "...Service" says nothing.
EMPTY_WORDS = re.compile(r"(manager|handler|helper|processor|engine)s?|service(?!s)", re.IGNORECASE)
# A library's own base class or argument may carry such a word; ours may not.
ONLY_HERE = {
    "httpx": ("guardian/fetch/",),
    "torch": ("guardian/matching/features/embedding.py",),
    "open_clip": ("guardian/matching/features/embedding.py",),
    "sqlalchemy": ("guardian/store/",),
    "alembic": ("guardian/store/",),
    "sqlite3": ("guardian/store/",),
}
# Words that a sentence about a thing begins with. A function does something: "Return the host", not "The host".
NO_VERBS = {
    "a", "about", "all", "an", "another", "any", "as", "at", "both", "by", "each", "every", "everything", "for", "from",
    "how", "if", "in", "like", "many", "no", "nothing", "of", "on", "one", "only", "several", "so", "some", "that",
    "the", "there", "these", "this", "those", "to", "what", "whatever", "when", "where", "whether", "which", "who",
    "whoever", "why", "with",
}  # fmt: skip
HEAVY = {
    "alembic", "apscheduler", "cv2", "guardian.scan.pipeline", "guardian.matching.matcher", "httpx", "imagehash",
    "numba", "numpy", "open_clip", "PIL", "scipy", "selectolax", "sqlalchemy", "starlette", "torch", "usearch",
    "uvicorn",
}  # fmt: skip


def named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(file: Path) -> set[str]:
    """The top-level names of everything a module imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("file", OUR_CODE, ids=named)
def test_module_is_not_too_long(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES_IN_MODULE, f"{named(file)} has {lines} lines: split it by what its parts know"


def test_no_function_is_too_long_or_takes_too_much() -> None:
    found = []
    for file in OUR_CODE:
        for function in functions(file):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            given = function.args
            several = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            parameters = len([one for one in several if one.arg not in ("self", "cls")])
            if lines > MOST_LINES_IN_FUNCTION:
                found.append(f"{named(file)}:{function.lineno} {function.name} has {lines} lines")
            # A test names the fixtures it needs: those are not parameters that anybody passes.
            if parameters > MOST_PARAMETERS and not named(file).startswith("tests/"):
                found.append(f"{named(file)}:{function.lineno} {function.name} has {parameters} parameters")
    assert not found, "\n".join(found)


def test_every_module_says_what_it_is_for() -> None:
    found = []
    for file in MODULES:
        text = ast.get_docstring(tree_of(file))
        if text is None and file.read_text(encoding="utf-8").strip():
            found.append(f"{named(file)} has no docstring")
        # errors.py draws its tree, which is the point of it.
        elif text and len(text.splitlines()) > MOST_LINES_IN_DOCSTRING and file.name != "errors.py":
            found.append(f"{named(file)} opens with {len(text.splitlines())} lines")
    assert not found, "\n".join(found)


def test_docstrings_of_functions_begin_with_a_verb() -> None:
    """ruff's D401 finds verbs in another mood; this finds what is no verb at all.

    Properties are things. The docstring of a click command is its help.
    """
    found = []
    for file in MODULES:
        if any(fnmatch(named(file), pattern) for pattern in _not_yet_imperative()):
            continue

        for function in functions(file):
            text = ast.get_docstring(function) or ""
            if not text or _decorators(function) & {"property", "cached_property", "command", "group"}:
                continue

            first = text.split()[0]
            if not first.isalpha() or first.lower() in NO_VERBS:
                found.append(f"{named(file)}:{function.lineno} {function.name}: {text.splitlines()[0]}")
    assert not found, "\n".join(found)


def _not_yet_imperative() -> list[str]:
    """The files of the package that pyproject.toml excuses from D401."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    excused = config["tool"]["ruff"]["lint"]["per-file-ignores"]
    return [pattern for pattern, rules in excused.items() if pattern.startswith("guardian/") and "D401" in rules]


def _decorators(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The last names of a function's decorators: `command` for `@click.command(...)`."""
    calls = [one.func if isinstance(one, ast.Call) else one for one in function.decorator_list]
    return {
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in calls
        if isinstance(one, ast.Attribute | ast.Name)
    }


def test_names_say_something() -> None:
    found = []
    for file in MODULES:
        if file.stem in EMPTY_NAMES or EMPTY_WORDS.search(file.stem):
            found.append(named(file))
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.ClassDef) and EMPTY_WORDS.search(node.name):
                found.append(f"{named(file)}:{node.lineno} class {node.name}")
    found += [named(folder) for folder in PACKAGE.rglob("*") if folder.is_dir() and folder.name in EMPTY_NAMES]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("library", sorted(ONLY_HERE))
def test_library_lives_in_its_room_alone(library: str) -> None:
    strangers = [
        named(file)
        for file in MODULES
        if library in imported(file) and not any(named(file).startswith(room) for room in ONLY_HERE[library])
    ]
    assert not strangers, f"{library} belongs to {ONLY_HERE[library]}"


def test_no_room_reads_the_environment() -> None:
    """Rooms get what they need passed in; app.py and the commands, which open them, hand the environment on.

    embedding.py asks where the model hub's own cache lies, which only that variable says.
    """
    allowed = ("guardian/app.py", "guardian/cli/", "guardian/matching/features/embedding.py")
    found = []
    for file in MODULES:
        nodes = list(ast.walk(tree_of(file)))
        # Telling a library something through the environment is not reading it.
        written = {
            id(node.value) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        }
        found += [
            f"{named(file)}:{node.lineno}"
            for node in nodes
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and id(node) not in written
        ]
    assert not [place for place in found if not place.startswith(allowed)], found


def test_broad_excepts_stand_only_at_supervision_points_and_log_the_traceback() -> None:
    found = []
    for file in MODULES:
        for node in ast.walk(tree_of(file)):
            broad = isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            )
            if broad:
                told = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                raised = any(isinstance(part, ast.Raise) for part in ast.walk(node))
                if not raised and not told & {"exception", "print_exc", "format_exc"}:
                    found.append(f"{named(file)}:{node.lineno}")
    assert not found, "these swallow an error without its traceback: " + ", ".join(found)


def test_command_line_starts_without_heavy_libraries() -> None:
    program = "import sys, json, guardian.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "guardian.cli" in loaded
    assert not loaded & HEAVY


def test_committed_files_name_no_package_host_and_no_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    hosts = re.compile(r"files\.pythonhosted\.org|/simple/?\b|--(extra-)?index-url|/root/|find-links")
    found = [
        f"{name}: {match.group()}"
        for name in listed.stdout.split()
        if name != "tests/test_house.py"
        and (ROOT / name).suffix in {".py", ".toml", ".txt", ".md", ".yaml", ".cfg", ""}
        for match in [hosts.search((ROOT / name).read_text(encoding="utf-8", errors="ignore"))]
        if match and (ROOT / name).is_file()
    ]
    assert not found, "\n".join(found)
