"""Rule files -> Rules; decide(...) -> Decision. Judges what others measured and cannot measure itself."""

from guardian.rules.files import count_examples, load
from guardian.rules.rules import Account, Condition, Rule, Rules, Tried
from guardian.rules.use import Fact, Ownership, Use, ownership_of

__all__ = [
    "Account",
    "Condition",
    "Fact",
    "Ownership",
    "Rule",
    "Rules",
    "Tried",
    "Use",
    "count_examples",
    "load",
    "ownership_of",
]
