"""Rules: `load` reads the rule files, `Rules.decide` turns the measured facts of one use into a decision."""

from guardian.rules.files import count_examples, files_with, load, load_with, read, unknown_names
from guardian.rules.rules import Condition, ConditionTrace, Rule, Rules, RuleTrace, strength
from guardian.rules.use import Fact, Ownership, Use, is_at_own_host, ownership_of, uses_of

__all__ = [
    "Condition",
    "ConditionTrace",
    "Fact",
    "Ownership",
    "Rule",
    "RuleTrace",
    "Rules",
    "Use",
    "count_examples",
    "files_with",
    "is_at_own_host",
    "load",
    "load_with",
    "ownership_of",
    "read",
    "strength",
    "unknown_names",
    "uses_of",
]
