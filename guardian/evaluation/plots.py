"""Plots of an evaluation as SVG, without a library: bars of edits, and what thresholds cost."""

import math
from collections.abc import Callable, Sequence
from html import escape

from guardian.evaluation.edit_words import edit_words
from guardian.evaluation.results import EditResult, Results

_WIDTH, _ROW, _LABEL = 760, 18, 160
_BLUE, _GREY, _RED = "#2a6fbb", "#e3e7ec", "#b3261e"


def edit_bars(edits: Sequence[EditResult]) -> str:
    """Return a row for each edit: the share found (light) above that alerted (dark); either may be the larger."""
    height = _ROW * len(edits) + 34
    reach = _WIDTH - _LABEL - 110
    half = (_ROW - 5) / 2
    rows = []
    for number, one in enumerate(edits):
        y = number * _ROW + 6
        rows.append(
            f'<text x="{_LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(edit_words(one.edit))}</text>'
            f'<rect x="{_LABEL}" y="{y}" width="{reach}" height="{_ROW - 5}" fill="{_GREY}"/>'
            f'<rect x="{_LABEL}" y="{y}" width="{reach * one.found_share:.1f}" height="{half}" fill="{_BLUE}" '
            f'fill-opacity="0.45"><title>found {one.found} of {one.asked}</title></rect>'
            f'<rect x="{_LABEL}" y="{y + half}" width="{reach * one.alerted_share:.1f}" height="{half}" '
            f'fill="{_BLUE}">'
            f"<title>alerted {one.alerted} of {one.asked}</title></rect>"
            f'<text x="{_LABEL + reach + 8}" y="{y + 12}">{one.found_share:.2f} / {one.alerted_share:.2f}</text>'
        )
    legend = f'<text x="{_LABEL}" y="{height - 6}" fill="#666">above, light: found; below, dark: alerted</text>'
    return _svg(_WIDTH, height, [*rows, legend])


def probability_plot(results: Results) -> str:
    """Return how many copies and strangers stand at or above each probability, on a logarithmic scale near 1.

    The axis is the odds, so that 0.97, 0.99 and 0.999 are told apart.
    """
    width, height, left, bottom = 520, 300, 60, 44
    marks = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999)

    def x(probability: float) -> float:
        odds = math.log(max(1e-3, probability) / max(1e-4, 1 - probability))
        low, high = math.log(0.01 / 0.99), math.log(0.9995 / 0.0005)
        return left + (width - left - 20) * min(1.0, max(0.0, (odds - low) / (high - low)))

    def y(share: float) -> float:
        return height - bottom - (height - bottom - 14) * share

    parts = []
    for mark in marks:
        parts.append(
            f'<line x1="{x(mark):.1f}" y1="{y(0):.1f}" x2="{x(mark):.1f}" y2="{y(1):.1f}" stroke="#eee"/>'
            f'<text x="{x(mark):.1f}" y="{height - bottom + 16}" text-anchor="middle" font-size="10">{mark:g}</text>'
        )
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<text x="{left - 6}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    for probabilities, colour in ((results.own_probabilities, _BLUE), (results.stranger_probabilities, _RED)):
        if probabilities:
            parts.append(_curve(probabilities, x, y, colour))
    parts.append(
        f'<text x="{(left + width) / 2}" y="{height - 8}" text-anchor="middle">alert from this probability on</text>'
        # Between the curves: copies begin near 100 %, strangers near 0 %.
        f'<text x="{left + 12}" y="{y(0.55):.1f}" fill="{_BLUE}">copies found</text>'
        f'<text x="{left + 12}" y="{y(0.45):.1f}" fill="{_RED}">strangers accused</text>'
    )
    return _svg(width, height, parts)


def _curve(
    probabilities: Sequence[float], x: Callable[[float], float], y: Callable[[float], float], colour: str
) -> str:
    ordered = sorted(probabilities)
    count = len(ordered)
    points = [f"{x(0.01):.1f},{y(sum(one >= 0.01 for one in ordered) / count):.1f}"]
    for place, probability in enumerate(ordered):
        if probability >= 0.01:
            points.append(f"{x(probability):.1f},{y((count - place) / count):.1f}")
    points.append(f"{x(1.0):.1f},{y(0):.1f}")
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" fill="#333" role="img">'
    )
    return "\n".join([head, *parts, "</svg>"])
