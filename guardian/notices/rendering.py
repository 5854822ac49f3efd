"""Renders templates of notices: Jinja2 in its sandbox, the user's own files first, then those that are shipped.

The first line of a template is `Subject: ...`; what follows is the text. `form` templates have no subject.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from guardian.errors import ConfigError, UsageError
from guardian.model.notices import NoticeKind, NoticeLanguage
from guardian.notices.elements import call_of, elements_of
from guardian.notices.facts import ItemFacts, NoticeFacts, OwnerFacts, PlaceFacts, day_text

SHIPPED = Path(__file__).resolve().parent / "templates"
SCHEDULE, FORM = "schedule", "form"
_SUBJECT = "Subject:"
_GIVEN = frozenset({*NoticeFacts.__dataclass_fields__, "element", "kind"})
_LONGEST_TEXT = 2_000_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered notice. `elements` are the words of each element by its key; `sha256` is the template's digest."""

    subject: str
    text: str
    form: str
    elements: Mapping[str, str]
    sha256: str


def template_name(what: str, language: NoticeLanguage) -> str:
    """Return the file name of a template: "dmca.en.txt"; `what` is a kind of notice, "schedule" or "form"."""
    return f"{what}.{language.value}.txt"


def template_names() -> list[str]:
    """Return the file names of all templates."""
    kinds = [*(kind.value for kind in NoticeKind), SCHEDULE, FORM]
    return [template_name(kind, language) for language in NoticeLanguage for kind in kinds]


def render(facts: NoticeFacts, kind: NoticeKind, language: NoticeLanguage, folder: Path | None) -> Rendered:
    """Return a notice made by its templates; `folder` has the user's own, None for those that are shipped.

    Raises ConfigError with file and line of a mistake in a template.
    """
    environment = _environment(language, folder)
    elements: dict[str, str] = {}

    def element(key: str, caller: Any) -> str:
        words = str(caller())
        elements[key] = words
        return words

    values = facts.by_name() | {"element": element, "kind": kind.value}
    name = template_name(kind.value, language)
    written = _rendered(environment, name, values, folder)
    head, _, text = written.lstrip().partition("\n")
    if not head.startswith(_SUBJECT):
        raise ConfigError(f"the first line must be `{_SUBJECT} ...`", file=file_of(name, folder), line=1)

    form = _rendered(environment, template_name(FORM, language), values, folder)
    source = file_of(name, folder).read_bytes()
    return Rendered(
        subject=head.removeprefix(_SUBJECT).strip(),
        text=_spaced(text),
        form=_spaced(form),
        elements=elements,
        sha256=hashlib.sha256(source).hexdigest(),
    )


def _spaced(text: str) -> str:
    """Return a text with at most one empty line in a row: templates cannot tell how many their parts leave."""
    return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", text.strip()) + "\n"


def file_of(name: str, folder: Path | None) -> Path:
    """Return where a template lies: in the user's folder if it is there, else among those that are shipped."""
    own = folder / name if folder is not None else None
    return own if own is not None and own.is_file() else SHIPPED / name


def check_template(file: Path) -> Iterator[ConfigError]:
    """Yield what is wrong with a template, with file and line: syntax, unknown names, elements without words.

    The name of the file says what it is for. Raises UsageError for a file that cannot be read or has another name.
    """
    names = template_names()
    if file.name not in names:
        raise UsageError(f"{file} is no template: its name must be one of {', '.join(sorted(names))}")
    about, language = file.name.split(".")[0], NoticeLanguage(file.name.split(".")[1])
    environment = _environment(language, file.parent)
    try:
        source, tree = _parsed(file, environment)
    except ConfigError as error:
        yield error
        return

    unknown = sorted(meta.find_undeclared_variables(tree) - _GIVEN - environment.globals.keys())
    for name in unknown:
        yield ConfigError(f"there is no {name}; see docs/notices.md", file=file, line=_line_of(tree, name))

    is_notice = about in list(NoticeKind)
    if is_notice:
        yield from _lacking(file, source, tree, NoticeKind(about), language)
    if unknown or (is_notice and not source.lstrip().startswith(_SUBJECT)):
        return

    # The other templates are parts of notices of every kind.
    try:
        for kind in [NoticeKind(about)] if is_notice else NoticeKind:
            render(_SAMPLE, kind, language, file.parent)
    except ConfigError as error:
        yield error


def _parsed(file: Path, environment: ImmutableSandboxedEnvironment) -> tuple[str, nodes.Template]:
    """Return the text of a template and its syntax tree.

    Raises UsageError for a file that cannot be read, ConfigError for what is no template.
    """
    try:
        source = file.read_text(encoding="utf-8")
        tree = environment.parse(source, file.name, str(file))
        # Some mistakes, such as unknown filters, are found only when it is compiled.
        environment.from_string(source)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", file=file, line=1) from error
    except TemplateSyntaxError as error:
        raise ConfigError(str(error.message), file=file, line=error.lineno) from error
    except TemplateError as error:
        raise ConfigError(str(error.message), file=file, line=1) from error
    return source, tree


def _lacking(
    file: Path, source: str, tree: nodes.Template, kind: NoticeKind, language: NoticeLanguage
) -> Iterator[ConfigError]:
    if not source.lstrip().startswith(_SUBJECT):
        yield ConfigError(f"the first line must be `{_SUBJECT} ...`", file=file, line=1)
    called = set()
    for call in tree.find_all(nodes.Call):
        first = call.args[0] if call.args else None
        if isinstance(call.node, nodes.Name) and call.node.name == "element" and isinstance(first, nodes.Const):
            called.add(first.value)
    wanted = elements_of(kind, language)
    for one in wanted:
        if one.key not in called:
            yield ConfigError(f"{one.law} asks for {one.words}: write {call_of(one)}", file=file)
    for key in sorted(called - {one.key for one in wanted}):
        yield ConfigError(f"there is no element {key!r} of such a notice", file=file)


@lru_cache(maxsize=16)
def _environment(language: NoticeLanguage, folder: Path | None) -> ImmutableSandboxedEnvironment:
    folders = [str(one) for one in (folder, SHIPPED) if one is not None]
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        # The result is plain text: nothing in it is read as HTML.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def day(on: date) -> str:
        return day_text(on, language)

    environment.filters["day"] = day
    environment.globals["day"] = day
    return environment


def _rendered(
    environment: ImmutableSandboxedEnvironment, name: str, values: Mapping[str, object], folder: Path | None
) -> str:
    try:
        text = environment.get_template(name).render(values)
    except TemplateSyntaxError as error:
        file = Path(error.filename) if error.filename else file_of(error.name or name, folder)
        raise ConfigError(str(error.message), file=file, line=error.lineno) from error
    except TemplateNotFound as error:
        file, line = _failing_line(error) or (file_of(name, folder), None)
        raise ConfigError(f"there is no template {error.name}", file=file, line=line) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # What a template computes is the template's mistake.
        file, line = _failing_line(error) or (file_of(name, folder), None)
        raise ConfigError(str(error), file=file, line=line) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=file_of(name, folder)) from error
    if len(text) > _LONGEST_TEXT:
        raise ConfigError(f"makes a text of more than {_LONGEST_TEXT} characters", file=file_of(name, folder))
    return text


def _failing_line(error: BaseException) -> tuple[Path, int] | None:
    """Return the template and line in which an error arose: Jinja2 gives its frames the names and lines of those."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.name in template_names():
            found = file, trace.tb_lineno
        trace = trace.tb_next
    return found


def _line_of(tree: nodes.Template, name: str) -> int | None:
    return next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), None)


_DAY = date(2026, 11, 24)
_SAMPLE = NoticeFacts(
    owner=OwnerFacts(
        name="Ada Example",
        address="1 High Street\nExample Town",
        email="ada@example.com",
        phone="+1 555 0100",
        signs_as="Ada Example",
        website="https://example.com/",
        is_agent=False,
        unset=frozenset(),
    ),
    items=tuple(
        ItemFacts(
            number=number,
            title=f"Picture {number}",
            creator="Ada Example",
            copyright_notice="(c) Ada Example",
            registration="VA 1-234-567",
            published_at="https://example.com/picture",
            places=(PlaceFacts(1, "https://copy.example/page", "https://copy.example/a.jpg", _DAY, _DAY, 64),),
        )
        for number in (1, 2)
    ),
    operator="copy.example",
    recipient="abuse@copy.example",
    reference="notice_00000000",
    date=_DAY,
    answer_by=_DAY,
    fee="250 EUR",
    remark="A remark.",
)
"""What `check_template` tries a template with."""
