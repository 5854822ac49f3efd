"""Reads and checks rule files. Failing examples and rules that can never fire are errors, as typing mistakes are."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from guardian.errors import ConfigError
from guardian.model import NO_RULE, Action, Severity
from guardian.rules.rules import Condition, Rule, Rules, decision_of
from guardian.rules.use import CLOSED_WORDS, RANGES, WORDS, Fact
from guardian.strict_yaml import Positions, load_with_mistakes, load_with_positions
from guardian.urls.addresses import host_name

# Strict: YAML's `true` must not count as 1, nor a quoted "0.9" as a number.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Bounds(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _NumberBounds(_Bounds):
    at_least: Number | None = None
    at_most: Number | None = None

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
    """The conditions of a rule, by fact; all must hold. The names are those of `facts_of` in use.py."""

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
    label: _WordBounds | None = None
    sibling: _WordBounds | None = None
    host: _WordBounds | None = None
    place: _WordBounds | None = None
    source: _WordBounds | None = None

    @model_validator(mode="after")
    def _can_hold(self) -> "_When":
        for fact in _NUMBERS:
            bounds: _NumberBounds | None = getattr(self, fact)
            if bounds is not None:
                _refuse_out_of_range(fact, bounds)
        return self

    @model_validator(mode="after")
    def _known_words(self) -> "_When":
        for fact in WORDS:
            bounds: _WordBounds | None = getattr(self, fact)
            if bounds is None:
                continue
            if fact != "host" and bounds.is_under is not None:
                raise ValueError(f"is_under is for host only; use any_of for {fact}")
            for word in (*(bounds.any_of or ()), *(bounds.is_under or ())):
                _refuse_unknown_word(fact, word)

        return self

    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions that were written, in the order of the facts: numbers first, then words."""
        conditions: list[Condition] = []
        for fact in _NUMBERS:
            number: _NumberBounds | None = getattr(self, fact)
            if number is not None:
                conditions.append(Condition(fact, at_least=number.at_least, at_most=number.at_most))

        for fact in WORDS:
            word: _WordBounds | None = getattr(self, fact)
            if word is not None:
                any_of, is_under = _canonical(fact, word.any_of), _canonical(fact, word.is_under)
                conditions.append(Condition(fact, any_of=any_of, is_under=is_under))

        return tuple(conditions)


_NUMBERS = tuple(fact for fact in RANGES if fact in _When.model_fields)
"""The numeric facts that conditions may name."""


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
            if fact not in (*_NUMBERS, *WORDS):
                raise ValueError(f"there is no fact {fact!r}; facts are {', '.join((*_NUMBERS, *WORDS))}")
            if value is not None and (fact in _NUMBERS) != isinstance(value, float | int):
                raise ValueError(f"{fact} is a {'number' if fact in _NUMBERS else 'word'}, not {value!r}")
            for word in _words(value):
                _refuse_unknown_word(fact, word)

        return self

    def facts(self) -> dict[str, Fact]:
        """Return the facts of the example by name, as `facts_of` returns measured ones.

        Unless the example says otherwise, it is a use on a foreign host without a licence.
        """
        facts: dict[str, Fact] = {"place": "elsewhere", "licence": "none", "host": "stranger.example", **self.given}

        # Rules compare host names in canonical form (lower case, IDNA), however a person writes them.
        host = facts["host"]
        return facts | {"host": host_name(host) if isinstance(host, str) else host}


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
        if self.then is Action.IGNORE and self.deliver_to:
            raise ValueError("nobody is told of what is ignored; remove deliver_to, or let it alert or review")
        return self


class _RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[_RuleEntry, ...] = ()
    examples: tuple[_Example, ...] = ()


def load(folder: Path, destinations: Collection[str] | None = None) -> Rules:
    """Return the rules of all files of a folder, in the order of their names, once their examples have passed.

    `folder` may be one file. `destinations` are the configured names that `deliver_to` may use; None skips that check.
    Raises ConfigError with file and line for the first mistake.
    """
    rules, mistakes = read(folder, destinations)
    if mistakes:
        raise mistakes[0]
    return rules


def load_with(folder: Path, added: Path, destinations: Collection[str] | None = None) -> Rules:
    """Return the rules of a folder as `load` does, as if one more file lay in it, in place of one of the same name."""
    rules, mistakes = _read(files_with(folder, added), destinations)
    if mistakes:
        raise mistakes[0]
    return rules


def files_with(folder: Path, added: Path) -> list[Path]:
    """Return the rule files that `load_with` reads, in its order. Raises ConfigError for one that ends in .yml."""
    _refuse_other_ending(added)
    others = [file for file in _rule_files(folder) if file.name != added.name]
    return sorted([*others, added], key=lambda file: file.name)


def read(folder: Path, destinations: Collection[str] | None = None) -> tuple[Rules, list[ConfigError]]:
    """Return the rules of a folder as `load` does, and all mistakes, in the order in which `load` would meet them."""
    try:
        files = _rule_files(folder)
    except ConfigError as error:
        return Rules(()), [error]
    if not files:
        return Rules(()), [ConfigError("no rule file (*.yaml) here; `guardian init` writes working ones", file=folder)]
    return _read(files, destinations)


def _read(files: Sequence[Path], destinations: Collection[str] | None) -> tuple[Rules, list[ConfigError]]:
    """Return the rules of some files in this order, and all mistakes."""
    contents: list[tuple[_RuleFile, Positions]] = []
    mistakes: list[ConfigError] = []
    for file in files:
        content, positions, wrong = load_with_mistakes(file, _RuleFile, words_are_text=True)
        mistakes += wrong
        if content is not None:
            contents.append((content, positions))

    rules: list[Rule] = []
    for content, positions in contents:
        for index, entry in enumerate(content.rules):
            # Each rule is checked against those before it, of earlier files too.
            rule, wrong = _rule(entry, index, positions, rules, destinations)
            mistakes += wrong
            rules.append(rule)

    # An example states the outcome of all rules together: it means nothing while some of them are wrong.
    checked = Rules(tuple(rules))
    for content, positions in contents if not mistakes else ():
        for index, example in enumerate(content.examples):
            mistakes += _failures(example, index, positions, checked)
    return checked, mistakes


def unknown_names(folder: Path, known: Mapping[str, Collection[str]]) -> list[ConfigError]:
    """Return an error, with file and line, for each word of a condition that is none of the known ones.

    `known` gives the words by fact: collection, asset_tag, source. Nothing is wrong with such a rule, but it does not
    fire while that is so. The files must have been read without a mistake.
    """
    found: list[ConfigError] = []
    for file in _rule_files(folder):
        content, positions = load_with_positions(file, _RuleFile, words_are_text=True)
        for rule, fact, word, path in _words_in(content, known):
            if word not in known[fact]:
                what = f"{_UNKNOWN[fact].format(repr(word))}{_near(word, known[fact])}"
                found.append(positions.error(f"rule {rule!r} names {what}", path))
    return found


def _words_in(content: _RuleFile, facts: Iterable[str]) -> Iterator[tuple[str, str, str, tuple[str | int, ...]]]:
    """Yield the words that conditions about these facts name: the rule, the fact, the word, and where it stands."""
    for index, entry in enumerate(content.rules):
        for fact in facts:
            bounds: _WordBounds | None = getattr(entry.when, fact)
            for place, word in enumerate((bounds and bounds.any_of) or ()):
                yield entry.name, fact, word, ("rules", index, "when", fact, "any_of", place)


_UNKNOWN = {
    "collection": "the collection {}, in which no image is protected",
    "asset_tag": "the tag {}, which no protected image has",
    "label": "the label {}, which no protected image carries",
    "source": "the source {}, which is not configured",
}


def _near(word: str, words: Collection[str]) -> str:
    """Return which known word may be meant, or which there are, as the end of a message."""
    near = difflib.get_close_matches(word, words, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(words)[:10])}" if words else "; there are none"


def count_examples(folder: Path) -> int:
    """Return how many examples the files of a folder hold."""
    return sum(
        len(load_with_positions(file, _RuleFile, words_are_text=True)[0].examples) for file in _rule_files(folder)
    )


def _rule_files(folder: Path) -> list[Path]:
    """Return the rule files of a folder by name, or the one file that it is.

    Hidden files, which editors and file managers leave behind, are left out. Raises ConfigError for a file that would
    be overlooked because it ends in .yml.
    """
    if folder.is_file():
        return [folder]
    files = [file for file in sorted(folder.glob("*.y*ml")) if not file.name.startswith(".")]
    for file in files:
        _refuse_other_ending(file)
    return files


def _refuse_other_ending(file: Path) -> None:
    if file.suffix != ".yaml":
        raise ConfigError(f"rule files end in .yaml; rename it to {file.stem}.yaml", file=file)


def _refuse_out_of_range(fact: str, bounds: _NumberBounds) -> None:
    least, greatest = RANGES[fact]
    hint = "; write 0.97 for 97 %" if greatest == 1 else ""
    for bound in (bounds.at_least, bounds.at_most):
        if bound is not None and not least <= bound <= greatest:
            raise ValueError(f"{fact} is never {bound:g}: it lies between {least} and {greatest}{hint}")


def _refuse_unknown_word(fact: str, word: str) -> None:
    if word not in CLOSED_WORDS.get(fact, (word,)):
        raise ValueError(f"{fact} is never {word!r}; it is one of {', '.join(CLOSED_WORDS[fact])}")
    if fact == "host":
        host_name(word)


def _canonical(fact: str, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Return the words of a condition, host names in canonical form."""
    if fact != "host" or words is None:
        return words
    return tuple(host_name(word) for word in words)


def _words(value: Fact) -> tuple[str, ...]:
    """Return the words of a fact; none for a number or a fact that was not measured."""
    if isinstance(value, str):
        return (value,)
    return value if isinstance(value, tuple) else ()


def _rule(
    entry: _RuleEntry, index: int, positions: Positions, before: list[Rule], destinations: Collection[str] | None
) -> tuple[Rule, list[ConfigError]]:
    """Return the rule of an entry, and its mistakes: unknown destinations, clashes with the rules `before`."""
    path = ("rules", index, "name")
    mistakes: list[ConfigError] = []
    if destinations is not None:
        for name in entry.deliver_to:
            if name not in destinations:
                known = ", ".join(sorted(destinations)) or "none"
                message = f"there is no destination {name!r}; configured are: {known}"
                mistakes.append(positions.error(message, ("rules", index, "deliver_to")))

    # An error begins with file and line; alone, that is where the rule stands.
    where = str(positions.error("", path)).removesuffix(": ")
    decision = decision_of(entry.name, entry.then, entry.severity, entry.deliver_to, entry.record)
    rule = Rule(entry.name, entry.why, entry.when.conditions(), decision, where)
    for earlier in before:
        if earlier.name == rule.name:
            mistakes.append(positions.error(f"two rules are named {rule.name!r}, the other at {earlier.where}", path))
        elif earlier.shadows(rule):
            message = (
                f"rule {rule.name!r} can never fire: {earlier.name!r} at {earlier.where} fires on "
                "everything before it; move it up, or narrow the other"
            )
            mistakes.append(positions.error(message, path))

    return rule, mistakes


def _failures(example: _Example, index: int, positions: Positions, rules: Rules) -> Iterator[ConfigError]:
    """Yield an error at the example's line when the rules decide otherwise than it expects."""
    expected, path = example.expect, ("examples", index)
    if expected.rule is not None and expected.rule not in {rule.name for rule in rules.rules}:
        yield positions.error(f"there is no rule {expected.rule!r} to expect", (*path, "expect", "rule"))
        return

    decision = rules.decide_facts(example.facts())
    wrong_rule = expected.rule is not None and decision.rule != expected.rule
    wrong_action = expected.then is not None and decision.action is not expected.then
    if wrong_rule or wrong_action:
        by = decision.rule if decision.rule == NO_RULE else f"rule {decision.rule!r}"
        wanted = " by ".join(str(part) for part in (expected.then, expected.rule and repr(expected.rule)) if part)
        message = f"this example gives {decision.action} ({by}), expected {wanted}{_why_not(example, rules)}"
        yield positions.error(message, path)


def _why_not(example: _Example, rules: Rules) -> str:
    """Return which condition keeps the expected rule from firing, as the end of a message; "" when none does."""
    for trace in rules.explain_facts(example.facts()):
        failing = [str(one.condition) for one in trace.tried if not one.holds]
        if trace.rule.name == example.expect.rule and failing:
            return f": not {failing[0]}"
    return ""
