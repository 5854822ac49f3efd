"""Says in a line why a picture stands where it does: what it shares with the one asked with, and what not."""

from collections.abc import Sequence

from guardian.search.aspects import Aspect, projections
from guardian.search.question import By, CopyFact, Found, WantedColour
from guardian.views.comparisons import share_text

_PROBABLE, _POSSIBLE = 0.5, 0.05

_WORDS = {Aspect.COLOUR: "colours", Aspect.SHAPE: "composition", Aspect.TEXTURE: "texture"}


def why(found: Found, by: By, colours: Sequence[WantedColour] = ()) -> str:
    """Return why a picture was found, in words: "same composition, other colours", "copy: crop of 40 %".

    `colours`: those that were asked for.
    """
    reasons = []
    if found.copy is not None and (found.copy.probability >= _PROBABLE or by is By.COPY):
        reasons.append(_copied(found.copy))
    elif found.described is not None and by is By.LOOK:
        # The descriptor decides here, and what colours and shapes share says little of that.
        reasons.append("alike by the descriptor")
    elif found.alike:
        reasons.append(_shared(found.alike))
    if found.colour_shares:
        shares = zip(colours, found.colour_shares, strict=True)
        reasons.append(_joined([f"{share_text(share)} {colour.name}" for colour, share in shares]))
    return "; ".join(reasons)


def _copied(copy: CopyFact) -> str:
    """Return whether a picture is a copy, and how; nothing is said of what chance has laid on each other."""
    sure = f"({share_text(copy.probability)} sure)"
    if copy.probability < _POSSIBLE:
        return f"hardly a copy {sure}"
    word = "copy" if copy.probability >= _PROBABLE else f"perhaps a copy {sure}"
    return f"{word}: {copy.words}" if copy.words else word


def _shared(alike: dict[Aspect, float]) -> str:
    """Return which aspects two pictures share; where they share none, whether the look finds them alike."""
    same, other, similar = list[str](), list[str](), list[str]()
    for aspect, word in _WORDS.items():
        if aspect not in alike:
            continue
        fitted = projections()[aspect]
        if alike[aspect] >= fitted.much_alike:
            same.append(word)
        elif alike[aspect] >= fitted.alike:
            similar.append(word)
        else:
            other.append(word)

    if len(same) == len(_WORDS):
        return "alike in colours, composition and texture"
    parts = [f"same {_joined(same)}"] if same else []
    if similar:
        parts.append(f"similar {_joined(similar)}")
    if parts and other:
        parts.append(f"other {_joined(other)}")
    if parts:
        return ", ".join(parts)
    is_alike = alike.get(Aspect.LOOK, 0.0) >= projections()[Aspect.LOOK].alike
    return "alike as a whole, with other colours, composition and texture" if is_alike else "little in common"


def _joined(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
