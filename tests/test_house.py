"""The house rules that no linter knows: sizes, names, who may load what, and how fast the command line starts."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, lru_cache
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
    "open_clip": ("guardian/matching/features/embedding.py", "guardian/matching/features/weights.py"),
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


@dataclass(frozen=True, slots=True)
class Function:
    """What the rules ask of one function."""

    line: int
    name: str
    lines: int
    parameters: int
    docstring: str
    decorators: frozenset[str]


@dataclass(frozen=True, slots=True)
class Source:
    """What the rules ask of one file. Kept in place of its tree, of which those of all files take gigabytes."""

    lines: int
    docstring: str | None
    functions: tuple[Function, ...]
    classes: tuple[tuple[int, str], ...]
    imported: frozenset[str]
    """The top-level names of everything that it imports, inside functions too."""

    environment: tuple[int, ...]
    """Lines that read the process's environment."""

    silent_excepts: tuple[int, ...]
    """Lines of broad `except`s that neither raise nor log the traceback."""


@cache
def read(file: Path) -> Source:
    """Parse a file, once for all rules."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(file))
    nodes = list(ast.walk(tree))
    return Source(
        lines=len(text.splitlines()),
        docstring=ast.get_docstring(tree),
        functions=tuple(_function(node) for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)),
        classes=tuple((node.lineno, node.name) for node in nodes if isinstance(node, ast.ClassDef)),
        imported=frozenset(_imported(nodes)),
        environment=tuple(_environment(nodes)),
        silent_excepts=tuple(node.lineno for node in nodes if isinstance(node, ast.ExceptHandler) and _is_silent(node)),
    )


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    given = node.args
    several = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    calls = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return Function(
        line=node.lineno,
        name=node.name,
        lines=(node.end_lineno or node.lineno) - node.lineno + 1,
        parameters=len([one for one in several if one.arg not in ("self", "cls")]),
        docstring=ast.get_docstring(node) or "",
        # The last names: `command` for `@click.command(...)`.
        decorators=frozenset(
            one.attr if isinstance(one, ast.Attribute) else one.id
            for one in calls
            if isinstance(one, ast.Attribute | ast.Name)
        ),
    )


def _imported(nodes: list[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def _environment(nodes: list[ast.AST]) -> list[int]:
    # Telling a library something through the environment is not reading it.
    written = {id(node.value) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)}
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and id(node) not in written
    ]


def _is_silent(node: ast.ExceptHandler) -> bool:
    caught = node.type
    if not (caught is None or (isinstance(caught, ast.Name) and caught.id in ("Exception", "BaseException"))):
        return False
    told = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    raised = any(isinstance(part, ast.Raise) for part in ast.walk(node))
    return not raised and not told & {"exception", "print_exc", "format_exc"}


def test_no_module_is_too_long() -> None:
    long = {named(file): read(file).lines for file in OUR_CODE if read(file).lines > MOST_LINES_IN_MODULE}
    assert not long, "split these by what their parts know"


def test_no_function_is_too_long_or_takes_too_much() -> None:
    found = []
    for file in OUR_CODE:
        for function in read(file).functions:
            if function.lines > MOST_LINES_IN_FUNCTION:
                found.append(f"{named(file)}:{function.line} {function.name} has {function.lines} lines")
            # A test names the fixtures it needs: those are not parameters that anybody passes.
            if function.parameters > MOST_PARAMETERS and not named(file).startswith("tests/"):
                found.append(f"{named(file)}:{function.line} {function.name} has {function.parameters} parameters")
    assert not found, "\n".join(found)


def test_every_module_says_what_it_is_for() -> None:
    found = []
    for file in MODULES:
        text = read(file).docstring
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

        for function in read(file).functions:
            text = function.docstring
            if not text or function.decorators & {"property", "cached_property", "command", "group"}:
                continue

            first = text.split()[0]
            if not first.isalpha() or first.lower() in NO_VERBS:
                found.append(f"{named(file)}:{function.line} {function.name}: {text.splitlines()[0]}")
    assert not found, "\n".join(found)


@lru_cache(maxsize=1)
def _not_yet_imperative() -> list[str]:
    """The files of the package that pyproject.toml excuses from D401."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    excused = config["tool"]["ruff"]["lint"]["per-file-ignores"]
    return [pattern for pattern, rules in excused.items() if pattern.startswith("guardian/") and "D401" in rules]


def test_names_say_something() -> None:
    found = []
    for file in MODULES:
        if file.stem in EMPTY_NAMES or EMPTY_WORDS.search(file.stem):
            found.append(named(file))
        found += [f"{named(file)}:{line} class {name}" for line, name in read(file).classes if EMPTY_WORDS.search(name)]
    found += [named(folder) for folder in PACKAGE.rglob("*") if folder.is_dir() and folder.name in EMPTY_NAMES]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("library", sorted(ONLY_HERE))
def test_library_lives_in_its_room_alone(library: str) -> None:
    strangers = [
        named(file)
        for file in MODULES
        if library in read(file).imported and not any(named(file).startswith(room) for room in ONLY_HERE[library])
    ]
    assert not strangers, f"{library} belongs to {ONLY_HERE[library]}"


def test_no_room_reads_the_environment() -> None:
    """Rooms get what they need passed in; app.py and the commands, which open them, hand the environment on.

    weights.py asks where the model hub's own cache lies, which only that variable says.
    """
    allowed = ("guardian/app.py", "guardian/cli/", "guardian/matching/features/weights.py")
    found = [f"{named(file)}:{line}" for file in MODULES for line in read(file).environment]
    assert not [place for place in found if not place.startswith(allowed)], found


def test_broad_excepts_stand_only_at_supervision_points_and_log_the_traceback() -> None:
    found = [f"{named(file)}:{line}" for file in MODULES for line in read(file).silent_excepts]
    assert not found, "these swallow an error without its traceback: " + ", ".join(found)


def test_no_event_loop_waits_for_the_database() -> None:
    """A database that is busy would stop all scans and pages of a daemon. A command has nothing else to do."""
    slow = [
        f"{named(file)}:{line}"
        for file in MODULES
        if not named(file).startswith("guardian/cli/")
        for line in _transactions_on_the_loop(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not slow, f"call these in a thread (asyncio.to_thread): {slow}"


def _transactions_on_the_loop(tree: ast.AST, *, on_loop: bool = False) -> list[int]:
    """Lines on which the body of an async function itself opens a transaction."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if on_loop and isinstance(node, ast.With):
            opened = [ast.unparse(item.context_expr) for item in node.items]
            found += [node.lineno for one in opened if re.search(r"store\.(read|begin)\(\)$", one)]
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        inside = isinstance(node, ast.AsyncFunctionDef) if is_function else on_loop
        found += _transactions_on_the_loop(node, on_loop=inside)
    return found


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
