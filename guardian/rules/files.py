"""Rule files: their form, and the checks that refuse the start: examples that fail, rules that never fire."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from guardian.errors import ConfigError
from guardian.model import Action, Severity
from guardian.rules.rules import NO_RULE, Condition, Rule, Rules, decision_of
from guardian.rules.use import CLOSED_WORDS, NUMBERS, WORDS
from guardian.strict_yaml import Positions, load_with_positions


class _Bounds(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _NumberBounds(_Bounds):
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "_NumberBounds":
        if self.at_least is None and self.at_most is None:
            raise ValueError("say at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is larger than at_most, so this can never hold")
        return self


class _WordBounds(_Bounds):
    any_of: tuple[str, ...] | None = None
    is_under: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "_WordBounds":
        if not self.any_of and not self.is_under:
            raise ValueError("say any_of: [...] or (for hosts) is_under: [...], with at least one word")
        return self


class _When(BaseModel):
    """Conditions by fact; all must hold. The closed list of facts is what use.py names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    probability: _NumberBounds | None = None
    hash_distance: _NumberBounds | None = None
    keypoint_inliers: _NumberBounds | None = None
    asset_coverage: _NumberBounds | None = None
    candidate_coverage: _NumberBounds | None = None
    aligned_similarity: _NumberBounds | None = None
    embedding_similarity: _NumberBounds | None = None
    region_embedding_similarity: _NumberBounds | None = None
    scale: _NumberBounds | None = None
    mirrored: _WordBounds | None = None
    licence: _WordBounds | None = None
    collection: _WordBounds | None = None
    asset_tag: _WordBounds | None = None
    host: _WordBounds | None = None
    place: _WordBounds | None = None
    source: _WordBounds | None = None

    @model_validator(mode="after")
    def _known_words(self) -> "_When":
        for fact, allowed in CLOSED_WORDS.items():
            bounds: _WordBounds | None = getattr(self, fact)
            unknown = [word for word in (bounds.any_of or ()) if word not in allowed] if bounds else []
            if unknown:
                raise ValueError(f"{fact} is never {unknown[0]!r}; it is one of {', '.join(allowed)}")
        for fact in WORDS:
            bounds = getattr(self, fact)
            if fact != "host" and bounds is not None and bounds.is_under is not None:
                raise ValueError(f"is_under is for host only; use any_of for {fact}")
        return self

    def conditions(self) -> tuple[Condition, ...]:
        """As conditions, in the order of the facts."""
        written = ((fact, getattr(self, fact)) for fact in (*NUMBERS, *WORDS))
        return tuple(Condition(fact, **bounds.model_dump()) for fact, bounds in written if bounds is not None)


class _Expectation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str | None = None
    then: Action | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "_Expectation":
        if self.rule is None and self.then is None:
            raise ValueError("say which rule decides, or what is done: `rule:` or `then:`")
        return self


class _Example(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    given: dict[str, float | str | tuple[str, ...] | None]
    expect: _Expectation

    @model_validator(mode="after")
    def _known_facts(self) -> "_Example":
        for fact, value in self.given.items():
            if fact not in (*NUMBERS, *WORDS):
                raise ValueError(f"there is no fact {fact!r}; facts are {', '.join((*NUMBERS, *WORDS))}")
            if value is not None and (fact in NUMBERS) != isinstance(value, float | int):
                raise ValueError(f"{fact} is a {'number' if fact in NUMBERS else 'word'}, not {value!r}")
        return self


class _RuleEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    why: str = ""
    when: _When
    then: Action
    severity: Severity | None = None
    deliver_to: tuple[str, ...] = ()
    record: bool | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "_RuleEntry":
        if self.then is not Action.IGNORE and self.record is False:
            raise ValueError("alerts and reviews are always recorded; remove `record: false`")
        return self


class _RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[_RuleEntry, ...] = ()
    examples: tuple[_Example, ...] = ()


def load(folder: Path, destinations: Collection[str] | None = None) -> Rules:
    """Read all rule files of a folder (by name), check them and run their examples.

    `destinations` are the configured names that `deliver_to` may use; None skips that check. Raises
    ConfigError with file and line for the first mistake.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise ConfigError("no rule file (*.yaml) here; `guardian init` writes working ones", file=folder)
    read = [load_with_positions(file, _RuleFile) for file in files]
    rules: list[Rule] = []
    for content, positions in read:
        for index, entry in enumerate(content.rules):
            rules.append(_rule(entry, index, positions, rules, destinations))
    checked = Rules(tuple(rules))
    for content, positions in read:
        for index, example in enumerate(content.examples):
            _run(example, index, positions, checked)
    return checked


def count_examples(folder: Path) -> int:
    """How many examples the files of a folder hold."""
    return sum(len(load_with_positions(file, _RuleFile)[0].examples) for file in sorted(folder.glob("*.yaml")))


def _rule(
    entry: _RuleEntry, index: int, positions: Positions, before: list[Rule], destinations: Collection[str] | None
) -> Rule:
    path = ("rules", index, "name")
    for name in entry.deliver_to if destinations is not None else ():
        if name not in (destinations or ()):
            known = ", ".join(sorted(destinations or ())) or "none"
            raise positions.error(f"there is no destination {name!r}; configured are: {known}", ("rules", index))
    where = str(positions.error("", path)).removesuffix(": ")
    decision = decision_of(entry.name, entry.then, entry.severity, entry.deliver_to, entry.record)
    rule = Rule(entry.name, entry.why, entry.when.conditions(), decision, where)
    for earlier in before:
        if earlier.name == rule.name:
            raise positions.error(f"two rules are named {rule.name!r}, the other at {earlier.where}", path)
        if earlier.shadows(rule):
            raise positions.error(
                f"rule {rule.name!r} can never fire: {earlier.name!r} at {earlier.where} fires on "
                "everything before it; move it up, or narrow the other",
                path,
            )
    return rule


def _run(example: _Example, index: int, positions: Positions, rules: Rules) -> None:
    given: dict[str, Any] = {"place": "elsewhere", "licence": "none", "host": "stranger.example", **example.given}
    decision = rules.decide_facts(given)
    expected = example.expect
    wrong_rule = expected.rule is not None and decision.rule != expected.rule
    wrong_action = expected.then is not None and decision.action is not expected.then
    if wrong_rule or wrong_action:
        by = decision.rule if decision.rule == NO_RULE else f"rule {decision.rule!r}"
        wanted = " by ".join(str(part) for part in (expected.then, expected.rule and repr(expected.rule)) if part)
        raise positions.error(f"this example gives {decision.action} ({by}), expected {wanted}", ("examples", index))
