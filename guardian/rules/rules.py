"""Rules in memory: which one fires first for the facts of a use, and a trace of why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guardian.model import ACTIONS_BY_STRENGTH, NO_RULE, SEVERITIES_BY_STRENGTH, Action, Decision, Severity
from guardian.rules.use import Fact, Use, facts_of
from guardian.urls.addresses import domain_is_under, host_is_under


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one fact; every bound that is set must hold. A fact of None satisfies nothing."""

    fact: str
    at_least: float | None = None
    at_most: float | None = None
    any_of: tuple[str, ...] | None = None
    is_under: tuple[str, ...] | None = None

    def holds(self, value: Fact) -> bool:
        """Return whether the fact's value satisfies this condition; of several words, one is enough."""
        if value is None:
            return False
        if isinstance(value, int | float):
            return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

        words = (value,) if isinstance(value, str) else value
        if self.any_of is not None and not any(word in self.any_of for word in words):
            return False
        if self.is_under is None:
            return True
        return any(host_is_under(word, host) for word in words for host in self.is_under)

    def implies(self, other: "Condition") -> bool:
        """Return whether every value that satisfies this also satisfies `other`, a condition on the same fact.

        May be False in doubt, never True in doubt: a rule that can fire must not be refused as one that cannot.
        """
        # For each bound: the other has none, or this one has a bound that is at least as narrow.
        low = other.at_least is None or (self.at_least is not None and self.at_least >= other.at_least)
        high = other.at_most is None or (self.at_most is not None and self.at_most <= other.at_most)
        words = other.any_of is None or (self.any_of is not None and set(self.any_of) <= set(other.any_of))
        return low and high and words and (other.is_under is None or self._is_under(other.is_under))

    def _is_under(self, hosts: tuple[str, ...]) -> bool:
        # Hosts that are listed one by one lie under a domain as well as those of a subdomain do.
        if self.is_under:
            return all(any(domain_is_under(domain, outer) for outer in hosts) for domain in self.is_under)
        mine = self.any_of or ()
        return bool(mine) and all(any(host_is_under(host, outer) for outer in hosts) for host in mine)

    def __str__(self) -> str:
        bounds = {
            "at least": None if self.at_least is None else f"{self.at_least:g}",
            "at most": None if self.at_most is None else f"{self.at_most:g}",
            "any of": self.any_of and ", ".join(self.any_of),
            "is under": self.is_under and " or ".join(self.is_under),
        }
        return f"{self.fact} " + " and ".join(f"{name} {value}" for name, value in bounds.items() if value is not None)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: when all conditions hold, `decision` is what is done. `where` is its file and line."""

    name: str
    why: str
    conditions: tuple[Condition, ...]
    decision: Decision
    where: str

    def fires(self, facts: Mapping[str, Fact]) -> bool:
        """Return whether all conditions hold."""
        return all(condition.holds(facts.get(condition.fact)) for condition in self.conditions)

    def shadows(self, later: "Rule") -> bool:
        """Return whether this rule fires on everything that `later` could fire on, which then never decides."""
        theirs: dict[str, list[Condition]] = {}
        for condition in later.conditions:
            theirs.setdefault(condition.fact, []).append(condition)
        return all(any(other.implies(mine) for other in theirs.get(mine.fact, ())) for mine in self.conditions)


@dataclass(frozen=True, slots=True)
class ConditionTrace:
    """A condition applied to one use: the fact's value (None: not measured), and whether the condition holds."""

    condition: Condition
    value: Fact
    holds: bool


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What one rule says about one use. `fires`: all conditions hold; `decides`: no earlier rule fires."""

    rule: Rule
    tried: tuple[ConditionTrace, ...]
    fires: bool
    decides: bool


class Rules:
    """A checked list of rules, in the order in which they are tried."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules

    def decide(self, use: Use) -> Decision:
        """Return the decision of the first rule that fires; when none does, ignore by NO_RULE."""
        return self.decide_facts(facts_of(use))

    def decide_versions(self, versions: Sequence[Use]) -> tuple[Use, Decision]:
        """Return the strongest decision about versions of one work, and the first version that it is about.

        What a rule says of a collection or a tag, it says of the picture, in whichever version it is used.
        """
        decided = [(use, self.decide(use)) for use in versions]
        return max(decided, key=lambda one: strength(one[1]))

    def decide_facts(self, facts: Mapping[str, Fact]) -> Decision:
        """Return the decision on facts by name; see `decide`."""
        first = next((rule for rule in self.rules if rule.fires(facts)), None)
        return first.decision if first else Decision(Action.IGNORE, NO_RULE)

    def explain(self, use: Use) -> tuple[RuleTrace, ...]:
        """Return what every rule says about a use, in order, whether or not an earlier one has decided."""
        return self.explain_facts(facts_of(use))

    def explain_facts(self, facts: Mapping[str, Fact]) -> tuple[RuleTrace, ...]:
        """Return what every rule says about facts by name; see `explain`."""
        is_decided, traces = False, []
        for rule in self.rules:
            values = [(condition, facts.get(condition.fact)) for condition in rule.conditions]
            tried = tuple(ConditionTrace(condition, value, condition.holds(value)) for condition, value in values)
            fires = rule.fires(facts)
            traces.append(RuleTrace(rule, tried, fires, decides=fires and not is_decided))
            is_decided = is_decided or fires

        return tuple(traces)


def strength(decision: Decision) -> tuple[int, bool, int]:
    """Return what orders decisions: by action, then what is recorded above what is not, then by severity."""
    severity = SEVERITIES_BY_STRENGTH.index(decision.severity)
    return ACTIONS_BY_STRENGTH.index(decision.action), decision.record, severity


def decision_of(
    name: str, then: Action, severity: Severity | None, deliver_to: tuple[str, ...], record: bool | None
) -> Decision:
    """Return the decision that a rule makes. Alerts and reviews are always recorded: `record` is for ignored uses."""
    is_recorded = then is not Action.IGNORE if record is None else record
    return Decision(then, name, severity, deliver_to, is_recorded)
