"""Which rule fires, on what, and the account of it."""

from collections.abc import Callable
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.model import NO_RULE, Action, Decision, Severity, Transform
from guardian.rules import Condition, Fact, Rule, Rules, Use
from guardian.rules.use import RANGES, WORDS, facts_of


def rule(name: str, *conditions: Condition, then: Action = Action.ALERT) -> Rule:
    return Rule(name, "", conditions, Decision(then, name, Severity.HIGH), f"rules.yaml:{name}")


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (Condition("scale", at_least=0.5), 0.5, True),
        (Condition("scale", at_least=0.5), 0.4999, False),
        (Condition("scale", at_most=0.5), 0.5, True),
        (Condition("scale", at_most=0.5), 0.5001, False),
        (Condition("scale", at_least=0.2, at_most=0.5), 0.3, True),
        (Condition("scale", at_least=0.2, at_most=0.5), 0.6, False),
        (Condition("keypoint_inliers", at_least=0), 0, True),
        (Condition("licence", any_of=("lapsed", "not_yet")), "not_yet", True),
        (Condition("licence", any_of=("lapsed", "not_yet")), "none", False),
        (Condition("asset_tag", any_of=("cover",)), ("press", "cover"), True),
        (Condition("asset_tag", any_of=("cover",)), (), False),
        (Condition("host", is_under=("shop.example",)), "shop.example", True),
        (Condition("host", is_under=("shop.example",)), "www.shop.example", True),
        (Condition("host", is_under=("shop.example",)), "notshop.example", False),
        (Condition("host", is_under=("shop.example", "b.example")), "x.b.example", True),
        (Condition("host", any_of=("shop.example",)), "www.shop.example", False),
        (Condition("host", any_of=("a.example", "x.a.example"), is_under=("x.a.example",)), "a.example", False),
        (Condition("host", is_under=("shop.example",)), "", False),
    ],
)
def test_conditions(condition: Condition, value: Fact, holds: bool) -> None:
    assert condition.holds(value) is holds


@pytest.mark.parametrize("fact", [*RANGES, *WORDS])
def test_what_was_not_measured_satisfies_nothing(fact: str) -> None:
    bounds = (
        [Condition(fact, at_least=-1e9), Condition(fact, at_most=1e9)]
        if fact in RANGES
        else [Condition(fact, any_of=("yes", "no", "none", "")), Condition(fact, is_under=("",))]
    )
    for condition in bounds:
        assert condition.holds(None) is False


def test_an_unmeasured_value_of_a_real_use_keeps_a_rule_from_firing(use: Callable[..., Use]) -> None:
    rules = Rules((rule("pixels", Condition("aligned_similarity", at_least=0)),))
    assert rules.decide(use(aligned_similarity=0.0)).rule == "pixels"
    assert rules.decide(use(aligned_similarity=None)) == Decision(Action.IGNORE, NO_RULE)


def test_facts_of_a_use(use: Callable[..., Use]) -> None:
    placed = Transform((-0.5, 0, 400, 0, 0.5, 0), True, 0.0, 0.5, (0, 0, 1, 1), (0, 0, 1, 1))
    facts = facts_of(use(transform=placed, hash_distance=12))
    assert set(facts) == {*RANGES, *WORDS}
    assert (facts["mirrored"], facts["scale"], facts["hash_distance"]) == ("yes", 0.5, 12)
    assert (facts["asset_tag"], facts["host"], facts["licence"]) == (
        ("cover", "unreleased"),
        "www.thief.example",
        "none",
    )
    unplaced = facts_of(use())
    assert [name for name, value in unplaced.items() if value is None] == [
        "hash_distance",
        "keypoint_inliers",
        "asset_coverage",
        "candidate_coverage",
        "aligned_similarity",
        "embedding_similarity",
        "region_embedding_similarity",
        "scale",
        "mirrored",
    ]


def test_the_first_rule_that_fires_decides(use: Callable[..., Use]) -> None:
    sure, likely = Condition("probability", at_least=0.9), Condition("probability", at_least=0.5)
    press = Condition("collection", any_of=("press",))
    rules = Rules((rule("sure-shop", sure, Condition("collection", any_of=("shop",))), rule("sure", sure, press),
                   rule("likely", likely, then=Action.REVIEW)))  # fmt: skip
    assert rules.decide(use(probability=0.95)).rule == "sure"
    assert rules.decide(use(probability=0.6)) == Decision(Action.REVIEW, "likely", Severity.HIGH)
    assert rules.decide(use(probability=0.1)) == Decision(Action.IGNORE, NO_RULE)
    assert Rules(()).decide(use()).action is Action.IGNORE


def test_a_rule_without_conditions_always_fires(use: Callable[..., Use]) -> None:
    assert Rules((rule("all"),)).decide(use(probability=0.0)).rule == "all"


def test_an_account_of_every_rule_and_condition(use: Callable[..., Use]) -> None:
    pixels, sure = Condition("aligned_similarity", at_least=0.35), Condition("probability", at_least=0.9)
    accounts = Rules((rule("both", sure, pixels), rule("sure", sure), rule("rest"))).explain(use(probability=0.95))
    assert [(one.rule.name, one.fires, one.decides) for one in accounts] == [
        ("both", False, False),
        ("sure", True, True),
        ("rest", True, False),
    ]
    assert [(one.condition, one.value, one.holds) for one in accounts[0].tried] == [
        (sure, 0.95, True),
        (pixels, None, False),
    ]
    assert accounts[2].tried == ()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("probability", at_least=0.97), "probability at least 0.97"),
        (Condition("scale", at_least=0.1, at_most=2), "scale at least 0.1 and at most 2"),
        (Condition("licence", any_of=("lapsed", "not_yet")), "licence any of lapsed, not_yet"),
        (Condition("host", is_under=("a.example", "b.example")), "host is under a.example or b.example"),
    ],
)
def test_conditions_in_words(condition: Condition, words: str) -> None:
    assert str(condition) == words


@pytest.mark.parametrize(
    ("earlier", "later", "shadowed"),
    [
        ((), (Condition("scale", at_most=1),), True),
        ((Condition("scale", at_most=1),), (), False),
        ((Condition("scale", at_most=1),), (Condition("scale", at_most=0.5),), True),
        ((Condition("scale", at_most=0.5),), (Condition("scale", at_most=1),), False),
        ((Condition("scale", at_most=1),), (Condition("scale", at_least=0.5),), False),
        ((Condition("scale", at_most=1),), (Condition("probability", at_least=1),), False),
        ((Condition("source", any_of=("a", "b")),), (Condition("source", any_of=("a",)),), True),
        ((Condition("source", any_of=("a",)),), (Condition("source", any_of=("a", "b")),), False),
        ((Condition("host", is_under=("a.example",)),), (Condition("host", is_under=("www.a.example",)),), True),
        ((Condition("host", is_under=("a.example",)),), (Condition("host", any_of=("www.a.example",)),), True),
        ((Condition("host", any_of=("a.example",)),), (Condition("host", is_under=("a.example",)),), False),
        ((Condition("host", is_under=("a.example",)),), (Condition("host", is_under=("xa.example",)),), False),
        ((Condition("host", is_under=("www.a.example",)),), (Condition("host", any_of=("a.example",)),), True),
        ((Condition("host", is_under=("www.a.example",)),), (Condition("host", is_under=("a.example",)),), False),
        (
            (Condition("probability", at_least=0.5),),
            (Condition("probability", at_least=0.6), Condition("place", any_of=("own",))),
            True,
        ),
    ],
)
def test_what_shadows_what(earlier: tuple[Condition, ...], later: tuple[Condition, ...], shadowed: bool) -> None:
    assert rule("earlier", *earlier).shadows(rule("later", *later)) is shadowed


SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
TAGS, HOSTS = ("a", "b", "c"), ("a.example", "www.a.example", "b.example", "example", "xa.example")
VALUES: dict[str, tuple[Fact, ...]] = {
    "probability": SHARES,
    "scale": (None, *SHARES),
    "asset_tag": tuple(tags for size in range(4) for tags in combinations(TAGS, size)),
    "host": (*HOSTS, "shop.a.example", "a.b.example", "www.xa.example", ""),
}
"""Facts, and values that tell all conditions below apart."""


def some(words: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=3).map(tuple)


def condition_on(fact: str) -> st.SearchStrategy[Condition]:
    if fact == "asset_tag":
        return st.builds(Condition, st.just(fact), any_of=some(TAGS))
    if fact == "host":
        return st.builds(Condition, st.just(fact), any_of=st.none() | some(HOSTS), is_under=st.none() | some(HOSTS))
    shares = st.none() | st.sampled_from(SHARES)
    return st.builds(Condition, st.just(fact), at_least=shares, at_most=shares)


some_facts = st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2, unique=True)
some_conditions = some_facts.flatmap(lambda facts: st.tuples(*map(condition_on, facts)))


def all_facts(*rules: Rule) -> list[dict[str, Fact]]:
    """Every combination of the values of the facts that these rules speak about."""
    names = sorted({condition.fact for rule in rules for condition in rule.conditions})
    return [dict(zip(names, values, strict=True)) for values in product(*(VALUES[name] for name in names))]


@settings(max_examples=400)
@given(some_conditions, some_conditions)
def test_a_rule_called_shadowed_is_never_reached(earlier: tuple[Condition, ...], later: tuple[Condition, ...]) -> None:
    first, second = rule("earlier", *earlier), rule("later", *later)
    reached = {Rules((first, second)).decide_facts(facts).rule for facts in all_facts(first, second)}
    assert not (first.shadows(second) and "later" in reached)


@given(some_conditions, some_conditions)
def test_account_and_decision_agree(earlier: tuple[Condition, ...], later: tuple[Condition, ...]) -> None:
    first, second = rule("earlier", *earlier), rule("later", *later)
    rules = Rules((first, second))
    for facts in all_facts(first, second)[::7]:
        deciding = [account.rule.decision for account in rules.explain_facts(facts) if account.decides]
        assert (deciding or [Decision(Action.IGNORE, NO_RULE)]) == [rules.decide_facts(facts)]
