"""Rules: `load` reads the rule files, `Rules.decide` turns the measured facts of one use into a decision."""

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
