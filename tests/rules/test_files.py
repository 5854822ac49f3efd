"""Rule files: read in order, refused with file and line when a person is mistaken."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from guardian import rules
from guardian.errors import ConfigError
from guardian.model import Action, Decision, LicenceStatus, Severity
from guardian.rules import Rules, Use

SHIPPED = Path(__file__).resolve().parent.parent.parent / "rules"
Written = Callable[..., Rules]
MakeUse = Callable[..., Use]


def test_files_are_read_in_the_order_of_their_names(written: Written) -> None:
    found = written(
        "rules: [{name: first, when: {source: {any_of: [a]}}, then: ignore}]\n",
        "rules: [{name: second, why: all else, when: {}, then: alert, severity: critical, deliver_to: [legal]}]\n",
        destinations=["legal", "ops"],
    )
    assert [rule.name for rule in found.rules] == ["first", "second"]
    assert found.rules[0].decision == Decision(Action.IGNORE, "first", record=False)
    assert found.rules[1].decision == Decision(Action.ALERT, "second", Severity.CRITICAL, ("legal",), record=True)
    assert found.rules[1].why == "all else"
    assert found.rules[1].where.endswith("10-rules.yaml:1:10")


def test_shipped_rules_load_and_do_what_they_say(use: MakeUse) -> None:
    shipped = rules.load(SHIPPED, [])
    copy = {"probability": 0.995, "aligned_similarity": 0.8}
    assert shipped.decide(use(**copy)).action is Action.ALERT
    assert shipped.decide(use(**copy, place="own")).action is Action.IGNORE
    licensed = shipped.decide(use(**copy, licence_status=LicenceStatus.LICENSED))
    assert (licensed.action, licensed.record) == (Action.IGNORE, True)
    assert shipped.decide(use(**copy, licence_status=LicenceStatus.LAPSED)).rule == "copy-after-licence"
    assert shipped.decide(use(probability=0.995)).action is Action.REVIEW
    assert shipped.decide(use(probability=0.3, aligned_similarity=0.9)).action is Action.IGNORE
    assert rules.count_examples(SHIPPED) >= 10


def test_a_rule_of_ones_own_goes_between_the_shipped_ones(tmp_path: Path, use: MakeUse) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(SHIPPED, folder)
    (folder / "15-mine.yaml").write_text(
        "rules:\n- {name: partner, when: {host: {is_under: [Partner.example]}}, then: ignore, record: true}\n"
        "examples:\n- {given: {probability: 1, host: www.PARTNER.example}, expect: {rule: partner}}\n"
    )
    mine = rules.load(folder, [])
    copy = {"probability": 0.995, "aligned_similarity": 0.8}
    assert mine.decide(use(**copy, host="shop.partner.example")).rule == "partner"
    assert mine.decide(use(**copy)).rule == "certain-copy"


def test_a_file_is_tried_as_if_it_lay_among_the_others(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "rules")
    added = tmp_path / "15-mine.yaml"
    added.write_text("rules: [{name: mine, when: {collection: {any_of: [press]}}, then: ignore}]\n")
    names = [rule.name for rule in rules.load_with(tmp_path / "rules", added).rules]
    shipped = [rule.name for rule in rules.load(tmp_path / "rules").rules]
    assert names == [*shipped[:2], "mine", *shipped[2:]]

    # Of the same name it stands in the place of that file, with its examples.
    again = tmp_path / "20-copies.yaml"
    again.write_text("rules: [{name: all, when: {}, then: alert, severity: high}]\n")
    assert [rule.name for rule in rules.load_with(tmp_path / "rules", again).rules] == [*shipped[:2], "all"]
    again.write_text("rules: [{name: all, when: {}, then: no}]\n")
    with pytest.raises(ConfigError, match=r"20-copies.yaml:1:"):
        rules.load_with(tmp_path / "rules", again)
    with pytest.raises(ConfigError, match=r"rename it to 30-mine.yaml"):
        rules.load_with(tmp_path / "rules", added.rename(tmp_path / "30-mine.yml"))


def test_every_condition_can_be_written(written: Written, use: MakeUse) -> None:
    numbers = "".join(f"    {fact}: {{at_least: 0, at_most: 1}}\n" for fact in rules.use.RANGES)
    found = written(
        "rules:\n- name: all\n  then: review\n  when:\n" + numbers + "    mirrored: {any_of: ['yes', 'no']}\n"
        "    licence: {any_of: [none, out_of_scope]}\n    collection: {any_of: [press]}\n"
        "    asset_tag: {any_of: [unreleased]}\n    label: {any_of: [dunes]}\n"
        "    sibling: {any_of: ['no']}\n    host: {is_under: [thief.example], any_of: [www.thief.example]}\n"
        "    place: {any_of: [elsewhere]}\n    source: {any_of: [web]}\n"
        "examples:\n- given: {probability: 1, hash_distance: 1, keypoint_inliers: 1, asset_coverage: 1,\n"
        "    candidate_coverage: 1, aligned_similarity: 1, embedding_similarity: 1, region_embedding_similarity: 1,\n"
        "    scale: 1, mirrored: 'no', collection: press, asset_tag: [cover, unreleased],\n"
        "    label: [dunes, desert], sibling: 'no', host: www.thief.example,\n"
        "    source: web}\n  expect: {rule: all, then: review}\n"
    )
    assert len(found.rules[0].conditions) == len(rules.use.RANGES) + len(rules.use.WORDS)
    assert found.decide(use()).action is Action.IGNORE, "most of it was not measured"


@pytest.mark.parametrize("word", ["yes", "Yes", "'yes'", "no", "off"])
def test_plain_yes_and_no_are_words_in_rule_files(word: str, written: Written) -> None:
    rule = f"rules:\n- {{name: mirrored, when: {{collection: {{any_of: [{word}]}}}}, then: ignore, record: no}}\n"
    (found,) = written(rule).rules
    assert found.conditions[0].any_of == (word.strip("'"),)
    assert found.decision.record is False


def test_every_mistake_of_all_files_is_found(written: Written, tmp_path: Path) -> None:
    assert written("rules:\n- {name: one, when: {probability: {at_least: 0.5}}, then: review}\n").rules
    (tmp_path / "20-more.yaml").write_text(
        "rules:\n- {name: one, when: {probability: {at_least: 97}}, then: review}\n"
        "- {name: two, when: {}, than: ignore}\n"
    )
    (tmp_path / "30-last.yaml").write_text("rules:\n- {name: one, when: {scale: {at_most: 1}}, then: review}\n")
    _, mistakes = rules.read(tmp_path)
    assert [(error.file.name if error.file else None, error.line) for error in mistakes] == [
        ("20-more.yaml", 3),
        ("20-more.yaml", 2),
        ("30-last.yaml", 2),
    ]


def test_names_that_nothing_has_are_told_with_their_line(written: Written, tmp_path: Path) -> None:
    written(
        "rules:\n- name: one\n  then: review\n  when:\n    collection: {any_of: [press, pres]}\n"
        "    asset_tag: {any_of: [cover]}\n    source: {any_of: [web]}\n"
    )
    known = {"collection": {"press"}, "asset_tag": set[str](), "source": {"gallery", "news"}}
    said = [str(error).removeprefix(f"{tmp_path}/") for error in rules.unknown_names(tmp_path, known)]
    assert [line.partition(": ")[2] for line in said] == [
        "rule 'one' names the collection 'pres', in which no image is protected; did you mean 'press'?",
        "rule 'one' names the tag 'cover', which no protected image has; there are none",
        "rule 'one' names the source 'web', which is not configured; there are: gallery, news",
    ]
    assert [line.split(":")[1] for line in said] == ["5", "6", "7"]


MISTAKES = {
    "failing example": (
        "rules: [{name: a, when: {probability: {at_least: 0.9}}, then: alert}]\n"
        "examples:\n- given: {probability: 0.8}\n  expect: {then: alert}\n",
        ":3:3: this example gives ignore (no rule matched), expected alert",
    ),
    "example of another rule": (
        "rules:\n- {name: a, when: {probability: {at_least: 0.9}}, then: alert}\n- {name: b, when: {}, then: alert}\n"
        "examples:\n- {given: {probability: 0.8}, expect: {rule: a}}\n",
        ":5:3: this example gives alert (rule 'b'), expected 'a': not probability at least 0.9",
    ),
    "example of no rule": (
        "rules: []\nexamples: [{given: {probability: 1}, expect: {rule: certain}}]\n",
        "there is no rule 'certain' to expect",
    ),
    "example of an unknown fact": (
        "examples: [{given: {probabilty: 1}, expect: {then: alert}}]\n",
        "there is no fact 'probabilty'; facts are probability,",
    ),
    "example of an unknown word": (
        "examples: [{given: {licence: expired}, expect: {then: alert}}]\n",
        "licence is never 'expired'; it is one of licensed, lapsed",
    ),
    "example of a word for a number": (
        "examples: [{given: {probability: high}, expect: {then: alert}}]\n",
        "probability is a number, not 'high'",
    ),
    "example that expects nothing": ("examples: [{given: {}, expect: {}}]\n", "`rule:` or `then:`"),
    "shadowed": (
        "rules:\n- {name: wide, when: {probability: {at_least: 0.5}}, then: review}\n"
        "- {name: narrow, when: {probability: {at_least: 0.9}, licence: {any_of: [none]}}, then: alert}\n",
        ":3:4: rule 'narrow' can never fire: 'wide' at ",
    ),
    "after a rule for everything": (
        "rules: [{name: all, when: {}, then: review}, {name: b, when: {scale: {at_most: 1}}, then: alert}]\n",
        "rule 'b' can never fire",
    ),
    "two of one name": (
        "rules: [{name: a, when: {scale: {at_most: 1}}, then: alert}, {name: a, when: {}, then: alert}]\n",
        "two rules are named 'a', the other at ",
    ),
    "a condition without bounds": (
        "rules: [{name: a, when: {probability: {}}, then: alert}]\n",
        "say at_least, at_most or both",
    ),
    "bounds the wrong way round": (
        "rules: [{name: a, when: {scale: {at_least: 2, at_most: 1}}, then: alert}]\n",
        "at_least is larger than at_most",
    ),
    "an empty list of words": (
        "rules: [{name: a, when: {source: {any_of: []}}, then: alert}]\n",
        "with at least one word",
    ),
    "a percentage": (
        "rules: [{name: a, when: {probability: {at_least: 97}}, then: alert}]\n",
        "probability is never 97: it lies between 0 and 1; write 0.97 for 97 %",
    ),
    "not a number": ("rules: [{name: a, when: {scale: {at_least: .nan}}, then: alert}]\n", "finite number"),
    "a truth for a number": ("rules: [{name: a, when: {scale: {at_least: true}}, then: alert}]\n", "valid number"),
    "an unknown condition": (
        "rules: [{name: a, when: {probabilty: {at_least: 1}}, then: alert}]\n",
        "did you mean 'probability'?",
    ),
    "an unknown bound": (
        "rules: [{name: a, when: {probability: {at_leest: 1}}, then: alert}]\n",
        "did you mean 'at_least'?",
    ),
    "an unknown word": (
        "rules: [{name: a, when: {licence: {any_of: [licenced]}}, then: alert}]\n",
        "licence is never 'licenced'; it is one of licensed,",
    ),
    "is_under for a word": (
        "rules: [{name: a, when: {collection: {is_under: [press]}}, then: alert}]\n",
        "is_under is for host only; use any_of for collection",
    ),
    "an address for a host": (
        "rules: [{name: a, when: {host: {is_under: ['https://shop.example/']}}, then: alert}]\n",
        "is not a host alone (its subdomains are meant anyway); write shop.example",
    ),
    "an unknown action": ("rules: [{name: a, when: {}, then: delete}]\n", "'alert', 'review' or 'ignore'"),
    "an unrecorded alert": (
        "rules: [{name: a, when: {}, then: alert, record: false}]\n",
        "alerts and reviews are always recorded",
    ),
    "telling of what is ignored": (
        "rules: [{name: a, when: {}, then: ignore, deliver_to: [legal]}]\n",
        "nobody is told of what is ignored",
    ),
    "an unknown destination": (
        "rules:\n- name: a\n  when: {}\n  then: alert\n  deliver_to: [legl]\n",
        ":5:3: there is no destination 'legl'; configured are: legal",
    ),
    "no when": ("rules: [{name: a, then: alert}]\n", "rules.0.when is missing"),
    "an empty when": ("rules:\n- name: a\n  when:\n  then: alert\n", ":3:3: rules.0.when is empty"),
}


@pytest.mark.parametrize(("content", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_refuse_the_start(written: Written, content: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(content, destinations=["legal"])
    assert said in str(caught.value)
    assert caught.value.file.name == "00-rules.yaml"
    assert caught.value.line is not None


def test_examples_run_against_the_rules_of_all_files(written: Written) -> None:
    with pytest.raises(ConfigError, match=r"10-rules\.yaml:2:12: this example gives ignore \(rule 'own'\)"):
        written(
            "rules: [{name: own, when: {place: {any_of: [own]}}, then: ignore}]\n",
            "rules: [{name: copy, when: {probability: {at_least: 0.9}}, then: alert}]\n"
            "examples: [{given: {probability: 1, place: own}, expect: {rule: copy}}]\n",
        )


def test_shadows_are_found_across_files(written: Written) -> None:
    with pytest.raises(
        ConfigError, match=r"10-rules\.yaml:1:10: rule 'b' can never fire: 'a' at .*00-rules\.yaml:1:10"
    ):
        written("rules: [{name: a, when: {}, then: ignore}]\n", "rules: [{name: b, when: {}, then: alert}]\n")


def test_destinations_are_checked_only_when_they_are_known(written: Written) -> None:
    content = "rules: [{name: a, when: {}, then: alert, deliver_to: [legal]}]\n"
    assert written(content).rules[0].decision.deliver_to == ("legal",)
    with pytest.raises(ConfigError, match="configured are: none"):
        written(content, destinations=[])


def test_a_folder_without_rules_and_files_of_another_ending(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rule file"):
        rules.load(tmp_path, [])
    with pytest.raises(ConfigError, match="no rule file"):
        rules.load(tmp_path / "missing", [])
    (tmp_path / "10-mine.yaml").write_text("rules: []\n")
    (tmp_path / ".10-mine.yaml").write_text("left by an editor: [\n")
    assert rules.load(tmp_path, []).rules == ()
    (tmp_path / "20-more.yml").write_text("rules: []\n")
    with pytest.raises(ConfigError, match=r"20-more\.yml: rule files end in \.yaml; rename it to 20-more\.yaml"):
        rules.load(tmp_path, [])
