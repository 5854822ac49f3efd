"""Formats answers for a terminal, and works out the exit code that goes with them."""

import codecs
import json
import sys

import click

from guardian.cli.screen import Cut, Screen
from guardian.model import (
    Action,
    Answer,
    JudgedMatch,
    NotSeen,
    Outcome,
    ScanCounts,
    SkipReason,
    label_of,
    read_reason,
)
from guardian.views.answers import outcomes_text
from guardian.views.comparisons import description_text, percent_text
from guardian.views.counting import counted
from guardian.views.decisions import action_text, decided_by_text
from guardian.views.licences import USE_TEXTS

COLOURS = {
    Outcome.COPY: "red",
    Outcome.REVIEW: "yellow",
    Outcome.LICENSED: "cyan",
    Outcome.CLEAR: "green",
    Outcome.PARTIAL: "magenta",
    Outcome.UNMATCHABLE: "magenta",
    Outcome.ERROR: "magenta",
}
_INDENT = " " * 12
NOT_ALL_SEEN = 3
"""The exit code when something could not be looked at: not fetched, not decoded, left out, or only in part."""

_REASONS_SHOWN = 4


def describe(answer: Answer, screen: Screen, *, every_match: bool = False) -> str:
    """Return a few lines for people: the outcome, the matched assets, what was done to them, and the decision.

    `every_match` also shows compared assets that the rules ignore. The address of what matched stays whole, so that
    it can be copied; others are cut to the screen.
    """
    shown = [match for match in answer.judged if every_match or match.kept]
    cut = Cut.NEVER if any(match.kept for match in shown) else Cut.MIDDLE
    word = f"{answer.outcome.value.upper():<11} "
    image = answer.sighting.image_url or "(image inside the page)"
    is_file = image.startswith("file:")

    first = screen.fitted(answer.target, cut, word).removeprefix(word)
    lines = [click.style(word, fg=COLOURS[answer.outcome], bold=True) + first]
    if image != answer.target and not is_file:
        lines.append(screen.fitted(image, cut, f"{_INDENT}image "))
    notes = ["on one of your own hosts"] if answer.own else []
    if answer.problem is not None:
        notes.append(answer.problem.detail or answer.problem.word)

    on_a_site = answer.sighting.page_url is not None or not is_file
    for match in shown:
        notes += _match_lines(match, screen, on_a_site=on_a_site)
    if answer.also_at:
        more = counted(len(answer.also_at), "more address", "more addresses")
        notes.append(f"the same picture also at {more}")
    if answer.status is not None and answer.status >= 400:
        notes.append(f"the site sent this picture with status {answer.status}")
    if answer.incomplete is not None and answer.problem is None:
        notes.append(f"partial: only a part of the picture is there: {answer.incomplete}")
    if answer.report is not None:
        notes += [f"partial: {part.detail}" for part in answer.report.not_compared]
    if answer.report is not None and answer.report.partial:
        notes.append("partial: some of the index could not be searched")
    return "\n".join([*lines, *(line for note in notes for line in screen.wrapped(note, len(_INDENT)))])


def describe_not_seen(not_seen: NotSeen, screen: Screen) -> str:
    """Return a few lines for people: what was left out, and why."""
    skipped = not_seen.skipped
    word = f"{'NOT SEEN':<11} "
    first = screen.fitted(skipped.url, Cut.MIDDLE, word).removeprefix(word)
    why = f"{label_of(skipped.word)}: {skipped.detail}" if skipped.detail else label_of(skipped.word)
    return "\n".join([click.style(word, fg="magenta", bold=True) + first, *screen.wrapped(why, len(_INDENT))])


def _match_lines(match: JudgedMatch, screen: Screen, *, on_a_site: bool) -> list[str]:
    asset, comparison, decision = match.asset, match.comparison, match.decision
    versions = f"; one of {len(match.versions) + 1} versions" if match.versions else ""
    place = f"{asset.collection}/{screen.short_id(asset.id)}"
    lines = [
        f"“{asset.title}”  {place}  {percent_text(comparison.probability)} sure",
        f"{description_text(comparison)}{versions}",
    ]
    done = "ignored" if decision.action is Action.IGNORE else action_text(decision)
    # Licences are given to hosts, and a file on this machine has none.
    licence = f"; {USE_TEXTS[match.licence_status]}" if on_a_site else ""
    return [*lines, f"{done} {decided_by_text(decision)}{licence}"]


def json_line(facts: object, *, indent: int | None = None) -> str:
    """Return JSON for standard output: readable where its encoding is UTF-8, escaped where it is not.

    What cannot be printed is escaped in any case: control characters, changes of the writing direction, and the
    lone surrogates of a file name that is not text.
    """
    is_utf8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    line = json.dumps(facts, ensure_ascii=not is_utf8, indent=indent)
    if line.isprintable():
        return line
    return "".join(sign if sign.isprintable() or sign == "\n" else _escaped(sign) for sign in line)


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else json.dumps(sign)[1:-1]


def summary(counts: ScanCounts, assets: int | None = None) -> str:
    """Return one line: how many images there were, with how many assets they were compared, and the outcomes."""
    parts = [outcomes_text(counts.outcomes)]
    if counts.skipped:
        reasons = [f"{label_of(word)} {number}" for word, number in counts.skipped.most_common(_REASONS_SHOWN)]
        more = ["..."] if len(counts.skipped) > _REASONS_SHOWN else []
        parts.append(f"{counts.skipped.total()} left out ({'; '.join([*reasons, *more])})")
    pages = f"{counted(counts.pages, 'page')}, " if counts.pages else ""
    against = "" if assets is None else f", compared with {counted(assets, 'protected asset')}"
    advice = "; nothing is protected yet: `guardian asset add PATH --collection NAME`" if assets == 0 else ""
    result = ", ".join(part for part in parts if part) or "nothing found"
    return f"{pages}{counted(counts.images, 'image')}{against}: {result}{advice}"


def exit_code(counts: ScanCounts) -> int:
    """Return the exit code: 4 internal fault, else 1 copy or review, else 3 an image was not wholly seen, else 0.

    What was left out before it became an image to answer is the caller's to judge.
    """
    if counts.problems[SkipReason.INTERNAL]:
        return 4
    if counts.outcomes[Outcome.COPY] or counts.outcomes[Outcome.REVIEW]:
        return 1
    if counts.outcomes[Outcome.ERROR] or counts.outcomes[Outcome.PARTIAL]:
        return NOT_ALL_SEEN
    if any(read_reason(word)[0].may_hide_a_copy for word in counts.problems):
        return NOT_ALL_SEEN
    return 0
