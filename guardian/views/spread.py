"""How the copies of a work hang together: JSON, words, a graph (DOT) and a time line (SVG)."""

import base64
from datetime import UTC, datetime
from html import escape
from typing import Any

from guardian.model import LicenceStatus, Spread, SpreadPlace, SpreadVersion
from guardian.views.counting import counted
from guardian.views.plain_text import printable
from guardian.views.timestamps import json_timestamp

_PLACES_SHOWN = 4


def spread_json(spread: Spread) -> dict[str, Any]:
    """Return the spread of a work: who had it first, its versions, and every place in the order of time."""
    places = _in_time(spread)
    return {
        "asset": {"id": spread.asset_id, "title": spread.title},
        "first": _place_json(*places[0]) if places else None,
        "versions": [
            {
                "sha256": one.sha256,
                "width": one.width,
                "height": one.height,
                "probability": one.comparison.probability,
                "description": one.comparison.description,
                "parent": one.parent,
                "how": one.how,
                "first_seen": json_timestamp(one.first_seen_at),
                "last_seen": json_timestamp(one.last_seen_at),
                "operators": list(dict.fromkeys(place.operator for place in one.places)),
            }
            for one in spread.versions
        ],
        "timeline": [_place_json(place, one) for place, one in places],
        "without_preview": spread.without_preview,
        "not_compared": spread.not_compared,
    }


def spread_lines(spread: Spread) -> list[str]:
    """Return the spread of a work for people: the tree of its versions, each with its first places."""
    if not spread.versions:
        return [printable(f"“{spread.title}” was not seen anywhere so far")]

    first, _ = _in_time(spread)[0]
    operators = {place.operator for one in spread.versions for place in one.places}
    summary = f"{counted(len(spread.versions), 'version')} at {counted(len(operators), 'operator')}"
    lines = [f"“{spread.title}”: {summary}; first seen at {first.operator} on {first.first_seen_at:%Y-%m-%d}"]
    children: dict[str | None, list[SpreadVersion]] = {}
    for one in spread.versions:
        children.setdefault(one.parent, []).append(one)

    def add(parent: str | None, depth: int) -> None:
        for one in children.get(parent, ()):
            indent = "  " * (depth + 1)
            lines.append(f"{indent}{one.sha256[:8]}  {one.how}")
            shown = one.places[:_PLACES_SHOWN]
            lines.extend(f"{indent}  {_place_text(place)}" for place in shown)
            if len(one.places) > len(shown):
                lines.append(f"{indent}  ... and {counted(len(one.places) - len(shown), 'place')} more")
            add(one.sha256, depth + 1)

    add(None, 0)
    if spread.not_compared:
        lines.append(f"Which copy was made of which is not known: they could not be compared ({spread.not_compared}).")
    elif spread.without_preview:
        lines.append(
            f"Of {counted(spread.without_preview, 'version')} no preview is kept: which copy was made of which is told "
            "there by the cuts alone."
        )
    return [printable(line) for line in lines]


def spread_dot(spread: Spread) -> str:
    """Return the graph of versions in DOT, the language of Graphviz: from what something was made of to what was."""
    lines = [
        "digraph spread {",
        "  rankdir=LR;",
        "  node [shape=box, fontname=sans];",
        f'  work [label="{_dot(spread.title)}", style=bold];',
    ]
    for one in spread.versions:
        operators = list(dict.fromkeys(place.operator for place in one.places))[:_PLACES_SHOWN]
        label = "\n".join([f"{one.first_seen_at:%Y-%m-%d}", *operators])
        lines.append(f'  "{one.sha256[:12]}" [label="{_dot(label)}", tooltip="{one.sha256}"];')
    for one in spread.versions:
        parent = f'"{one.parent[:12]}"' if one.parent is not None else "work"
        lines.append(f'  {parent} -> "{one.sha256[:12]}" [label="{_dot(one.how)}"];')
    return "\n".join([*lines, "}", ""])


def _dot(text: str) -> str:
    lines = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return "\\n".join(lines)


_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 1100, 92, 150, 40, 60
_PICTURE = 76
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the time of a work that was never seen."""


def spread_svg(spread: Spread) -> str:
    """Return a time line as SVG: a row for each version: its preview, a dot for each place, dashes to its parent."""
    times = [place.first_seen_at for one in spread.versions for place in one.places]
    begin, end = min(times, default=_LONG_AGO), max(times, default=_LONG_AGO)
    seconds = max(1.0, (end - begin).total_seconds())
    rows = {one.sha256: row for row, one in enumerate(spread.versions)}

    def x(at: datetime) -> float:
        return _LEFT + (at - begin).total_seconds() / seconds * (_WIDTH - _LEFT - _RIGHT)

    def y(row: int) -> float:
        return _TOP + row * _ROW + _ROW / 2

    height = _TOP + _ROW * max(1, len(spread.versions)) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="16">{_xml(spread.title)}</text>',
    ]
    if times:
        ends = ((begin, "start"), (end, "end")) if end > begin else ((begin, "start"),)
        parts += [
            f'<text x="{x(at):.0f}" y="{_TOP - 12}" text-anchor="{anchor}" fill="#555555">{at:%Y-%m-%d}</text>'
            for at, anchor in ends
        ]
    for one in spread.versions:
        if one.parent is not None:
            above, below = y(rows[one.parent]), y(rows[one.sha256])
            at = x(one.first_seen_at)
            parts.append(
                f'<path d="M {at:.1f} {above:.1f} L {at:.1f} {below:.1f}" stroke="#888888" fill="none" '
                'stroke-dasharray="4 3"/>'
            )
    for one in spread.versions:
        parts += _svg_row(one, y(rows[one.sha256]), [(x(place.first_seen_at), place) for place in one.places])
    return "\n".join([*parts, "</svg>", ""])


def _svg_row(version: SpreadVersion, middle: float, places: list[tuple[float, SpreadPlace]]) -> list[str]:
    """Return the row of one version: its preview, what was done, its places."""
    parts = []
    if version.preview:
        picture = base64.b64encode(version.preview).decode("ascii")
        parts.append(
            f'<image x="16" y="{middle - _PICTURE / 2:.1f}" width="{_LEFT - 40}" height="{_PICTURE}" '
            f'preserveAspectRatio="xMinYMid meet" href="data:image/jpeg;base64,{picture}"/>'
        )
    begin, end = places[0][0], places[-1][0]
    parts.append(
        f'<line x1="{begin:.1f}" y1="{middle:.1f}" x2="{end:.1f}" y2="{middle:.1f}" stroke="#bbbbbb" stroke-width="2"/>'
    )
    # Near the right edge words stand to the left of their dot.
    anchor = "end" if begin > _WIDTH * 0.6 else "start"
    parts.append(
        f'<text x="{begin:.1f}" y="{middle + 26:.1f}" text-anchor="{anchor}" fill="#333333">{_xml(version.how)}</text>'
    )
    told: set[str] = set()
    for at, place in places:
        parts.append(
            f'<circle cx="{at:.1f}" cy="{middle:.1f}" r="5" fill="{_colour(place)}">'
            f"<title>{_xml(_place_text(place))}</title></circle>"
        )
        if place.operator not in told and len(told) < _PLACES_SHOWN:
            parts.append(
                f'<text x="{at:.1f}" y="{middle - 10 - 13 * (len(told) % 2):.1f}" text-anchor="{anchor}">'
                f"{_xml(place.operator)}</text>"
            )
        told.add(place.operator)
    return parts


def _colour(place: SpreadPlace) -> str:
    if place.is_own:
        return "#3b6fb5"
    return "#3a9a5b" if place.licence is LicenceStatus.LICENSED else "#c0392b"


def _xml(text: str) -> str:
    return escape(printable(text))


def _in_time(spread: Spread) -> list[tuple[SpreadPlace, SpreadVersion]]:
    """Return every place with its version, the first seen first."""
    pairs = [(place, one) for one in spread.versions for place in one.places]
    return sorted(pairs, key=lambda pair: (pair[0].first_seen_at, pair[0].operator))


def _place_json(place: SpreadPlace, version: SpreadVersion) -> dict[str, Any]:
    return {
        "at": json_timestamp(place.first_seen_at),
        "last_seen": json_timestamp(place.last_seen_at),
        "operator": place.operator,
        "page_url": place.page_url,
        "image_url": place.image_url,
        "licence": place.licence.value,
        "own": place.is_own,
        "version": version.sha256,
    }


def _place_text(place: SpreadPlace) -> str:
    """Return one place for people: since when, where, and whose it is."""
    whose = " (yours)" if place.is_own else " (licensed)" if place.licence is LicenceStatus.LICENSED else ""
    return f"{place.first_seen_at:%Y-%m-%d}  {place.page_url or place.image_url or place.operator}{whose}"
