"""Puts the characters of a line in the order in which they are seen: Arabic and Hebrew run from right to left.

The implicit rules of the Unicode Bidirectional Algorithm (UAX #9). Characters that override the direction are no part
of it: they are shown by their number before this, since strangers use them to make a text look like another.
"""

import unicodedata

_MIRRORED = dict(zip("()[]{}<>«»‹›", ")(][}{><»«›‹", strict=True))
_OPENING, _CLOSING = "([{", ")]}"
_RIGHT_TO_LEFT = ("R", "AL")
_NUMBERS = ("EN", "AN")
_SEPARATORS = {"EN": ("ES", "CS"), "AN": ("CS",)}
"""What may stand within a number of either kind."""


def is_right_to_left(text: str) -> bool:
    """Return whether anything in a text runs from right to left."""
    return any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in text)


def begins_right_to_left(text: str) -> bool:
    """Return whether a paragraph runs from right to left: whether its first letter does (rules P2 and P3)."""
    for sign in text:
        direction = unicodedata.bidirectional(sign)
        if direction in ("L", *_RIGHT_TO_LEFT):
            return direction != "L"
    return False


def in_seen_order(line: str, base_level: int) -> str:
    """Return the characters of a line from left to right. `base_level`: 1 for a paragraph that runs left."""
    units = _with_their_marks(line)
    types = _weak([unicodedata.bidirectional(unit[0]) for unit in units], "R" if base_level else "L")
    _resolve_brackets([unit[0] for unit in units], types, "R" if base_level else "L")
    levels = _levels(types, base_level)

    shown = [_mirrored(unit) if level % 2 else unit for unit, level in zip(units, levels, strict=True)]
    # Rule L2: from the highest level down, everything at that level or above it is turned round.
    for level in range(max(levels, default=0), 0, -1):
        start = 0
        while start < len(shown):
            if levels[start] < level:
                start += 1
                continue
            end = start
            while end < len(shown) and levels[end] >= level:
                end += 1
            shown[start:end] = reversed(shown[start:end])
            levels[start:end] = reversed(levels[start:end])
            start = end
    return "".join(shown)


def _with_their_marks(line: str) -> list[str]:
    """Return the characters of a line, each with the marks that stand on it (rules W1 and L3)."""
    units: list[str] = []
    for sign in line:
        if units and unicodedata.bidirectional(sign) == "NSM":
            units[-1] += sign
        else:
            units.append(sign)
    return units


def _mirrored(unit: str) -> str:
    return _MIRRORED.get(unit[0], unit[0]) + unit[1:]


def _levels(types: list[str], base_level: int) -> list[int]:
    """Return the level of each character: even from left to right, odd from right to left (rules N1 to L1)."""
    base = "R" if base_level else "L"
    levels = []
    for place, kind in enumerate(types):
        if kind not in ("L", "R", *_NUMBERS):
            # Rules N1 and N2: what has no direction takes that of both its neighbours, or that of the paragraph.
            before, after = _neighbour(types, place, -1, base), _neighbour(types, place, 1, base)
            kind = before if before == after else base
        if base_level:
            levels.append(2 if kind in ("L", *_NUMBERS) else 1)
        else:
            levels.append({"L": 0, "R": 1}.get(kind, 2))

    # Rule L1: blanks at the end of a line belong to the paragraph.
    for place in range(len(types) - 1, -1, -1):
        if types[place] not in ("WS", "S", "B"):
            break
        levels[place] = base_level
    return levels


def _weak(types: list[str], base: str) -> list[str]:
    """Return the types after the rules about numbers and what stands between them (W2 to W7)."""
    # Rule W2: digits behind an Arabic letter are Arabic.
    resolved, strong = [], base
    for kind in types:
        if kind in ("L", *_RIGHT_TO_LEFT):
            strong = kind
        if kind == "EN" and strong == "AL":
            kind = "AN"
        resolved.append(kind)

    # Rules W4 and W5: a separator between two numbers, and a sign such as % beside one, belong to the number.
    for place in range(1, len(resolved) - 1):
        before, kind, after = resolved[place - 1 : place + 2]
        if before == after and kind in _SEPARATORS.get(before, ()):
            resolved[place] = before
    for place, kind in enumerate(resolved):
        beside = resolved[place - 1 : place] + resolved[place + 1 : place + 2]
        if kind == "ET" and "EN" in beside:
            resolved[place] = "EN"

    # Rules W3 and W7: Arabic letters are like others that run left; digits behind a letter that runs right are like it.
    strong = base
    for place, kind in enumerate(resolved):
        if kind in ("L", *_RIGHT_TO_LEFT):
            strong = "R" if kind == "AL" else kind
            resolved[place] = strong
        elif kind == "EN" and strong == "L":
            resolved[place] = "L"
    return resolved


def _resolve_brackets(signs: list[str], types: list[str], base: str) -> None:
    """Give both brackets of a pair the same direction (rule N0), so that what they enclose stays between them."""
    opened: list[int] = []
    for place, sign in enumerate(signs):
        if sign in _OPENING:
            opened.append(place)
            continue
        if sign not in _CLOSING or not any(_MIRRORED[signs[one]] == sign for one in opened):
            continue
        while _MIRRORED[signs[start := opened.pop()]] != sign:
            pass

        inside = {"L" if kind == "L" else "R" for kind in types[start + 1 : place] if kind in ("L", "R", *_NUMBERS)}
        if not inside:
            continue
        direction = base if base in inside or _neighbour(types, start, -1, base) == base else inside.pop()
        types[start] = types[place] = direction


def _neighbour(types: list[str], place: int, step: int, base: str) -> str:
    """Return the direction of the next character that has one, on one side; numbers count as from right to left."""
    place += step
    while 0 <= place < len(types):
        if types[place] == "L":
            return "L"
        if types[place] in ("R", *_NUMBERS):
            return "R"
        place += step
    return base
