"""`guardian evidence recompute FILE.zip`: computes the comparisons of a bundle again, on any machine."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardian.cli.evidence_bundle import INCOMPLETE
from guardian.cli.screen import Screen, echo
from guardian.cli.showing import json_line
from guardian.errors import UsageError
from guardian.views.plain_text import cleaned

if TYPE_CHECKING:
    from guardian.evidence.recompute import Number, Recomputed


@click.command("recompute")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--original", type=click.Path(path_type=Path), help="Your picture, if the bundle was made without it.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line for each comparison.")
def command(file: Path, original: Path | None, as_lines: bool) -> None:
    """Compute the comparisons in an evidence bundle again, and say whether their numbers hold.

    Works on any machine: it needs no configuration, no database and no network. The exit code is 0 when all numbers
    hold, 1 when one does not or a file was changed, 2 when FILE is no bundle or your picture is needed, 3 when a file
    that is needed was lost before the bundle was made, or nothing was measured that could be computed again.
    """
    from guardian.evidence.recompute import recompute
    from guardian.evidence.verifying import NotABundle

    try:
        found = asyncio.run(recompute(file, original))
    except NotABundle as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    if as_lines:
        echo(json_line(_json(one)) for one in found)
    else:
        screen = Screen.of_output()
        for one in found:
            echo(lines_of(one, screen))
    raise SystemExit(exit_code_of(found))


def exit_code_of(found: Sequence["Recomputed"]) -> int:
    """Return the exit code for all comparisons of a bundle; the help of the command says what each means."""
    if any(not one.holds and one.lost is None for one in found):
        return 1
    is_any_computed = any(one.numbers for one in found)
    return 0 if is_any_computed and all(one.holds for one in found) else INCOMPLETE


def _json(one: "Recomputed") -> dict[str, Any]:
    numbers = [asdict(number) | {"verdict": number.verdict.value} for number in one.numbers]
    return {
        "capture": one.where,
        "holds": one.holds,
        "sentence": one.sentence,
        "numbers": numbers,
        "faults": list(one.faults),
        "remarks": list(one.remarks),
        "lost": one.lost,
    }


def lines_of(one: "Recomputed", screen: Screen) -> list[str]:
    """Return what people read of a comparison that was computed again."""
    lines = [cleaned(one.where)]
    if one.sentence:
        lines += screen.wrapped(cleaned(one.sentence)[:1000], 2)
    for fault in one.faults:
        lines += screen.wrapped(f"does not hold: {fault}", 2)
    lines += _table(one.numbers)
    for remark in one.remarks:
        lines += screen.wrapped(remark, 2)
    if one.lost is not None:
        lines += screen.wrapped(f"CANNOT BE COMPUTED AGAIN: {one.lost}", 2)
    if one.numbers or one.faults:
        lines.append("  all numbers hold" if one.holds else "  IT DOES NOT HOLD")
    return lines


def _table(numbers: Sequence["Number"]) -> list[str]:
    rows = [
        (number.name.replace("_", " "), _text(number.recorded), _text(number.computed), number.verdict.value)
        for number in numbers
    ]
    head = ("number", "recorded", "computed now", "")
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(3)]
    if not rows:
        return []
    return [
        f"  {name:<{widths[0]}}  {recorded:>{widths[1]}}  {computed:>{widths[2]}}  {verdict}".rstrip()
        for name, recorded, computed, verdict in (head, *rows)
    ]


def _text(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.6g}"
