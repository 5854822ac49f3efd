"""The reliability diagram: what the confidence states against how often it was right, as an SVG without a library."""

from collections.abc import Sequence

Band = dict[str, float]
"""One step of stated probability: from, to, pairs, stated (mean), right (share of copies)."""

_SIDE, _MARGIN = 320, 46


def drawn(bands: Sequence[Band]) -> str:
    """Return SVG text: a circle for each band, larger with more pairs, on the diagonal when it states the truth."""
    most = max((band["pairs"] for band in bands), default=1.0)
    circles = [
        f'<circle cx="{_x(band["stated"]):.1f}" cy="{_y(band["right"]):.1f}" '
        f'r="{3 + 11 * (band["pairs"] / most) ** 0.25:.1f}" fill="#2a6fbb" fill-opacity="0.55">'
        f"<title>stated {band['stated']:.4f}, right {band['right']:.4f}, {band['pairs']:.0f} pairs</title></circle>"
        for band in bands
    ]

    ticks = [
        f'<text x="{_x(at):.0f}" y="{_y(0) + 20:.0f}" text-anchor="middle">{at:g}</text>'
        f'<text x="{_x(0) - 10:.0f}" y="{_y(at) + 4:.0f}" text-anchor="end">{at:g}</text>'
        for at in (0, 0.25, 0.5, 0.75, 1)
    ]

    size = _SIDE + 2 * _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" viewBox="0 0 {size} {size}" '
            'font-family="sans-serif" font-size="12" fill="#333">',
            f'<rect width="{size}" height="{size}" fill="#fff"/>',
            f'<rect x="{_x(0)}" y="{_y(1)}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
            f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999" stroke-dasharray="4 4"/>',
            *circles,
            *ticks,
            f'<text x="{size / 2}" y="{size - 8}" text-anchor="middle">stated probability</text>',
            f'<text x="14" y="{size / 2}" text-anchor="middle" transform="rotate(-90 14 {size / 2})">'
            "share of copies</text>",
            "</svg>\n",
        ]
    )


def _x(value: float) -> float:
    return _MARGIN + value * _SIDE


def _y(value: float) -> float:
    return _MARGIN + (1 - value) * _SIDE
