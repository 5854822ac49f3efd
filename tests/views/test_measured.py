"""A new measured fact costs a field with its row, the file that measures it, and the condition: nothing else."""

import dataclasses
import json
import math
import re
from importlib.resources import files
from pathlib import Path

import guardian
from guardian.model import MEASURED_FACTS, Comparison, Transform
from guardian.rules.use import RANGES, facts_of
from guardian.views.comparisons import comparison_json, recorded_comparison_json
from guardian.views.messages import measured_schema
from tests.rules.conftest import ASSET

PACKAGE = Path(guardian.__file__).parent
NAMES = [fact.name for fact in MEASURED_FACTS]
# Where it was seen is said in numbers, too, but measures nothing.
NOT_NUMBERS = {"transform", "description", "frame", "asset_frame"}
TRANSFORM = Transform((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), False, 0.0, 1.0, (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0))
MEASURED = Comparison(0.9, 12, 80, 0.6, 0.64, TRANSFORM, 0.87, 0.5, 0.25, "the whole image")


def test_every_number_of_a_comparison_has_one_row_in_the_same_order() -> None:
    fields = [field.name for field in dataclasses.fields(Comparison) if field.name not in NOT_NUMBERS]
    assert fields == NAMES


def test_every_row_says_its_range_and_what_it_means() -> None:
    for fact in MEASURED_FACTS:
        assert fact.least < fact.greatest
        assert fact.unit
        assert fact.meaning.endswith(".")
        value = MEASURED.measured[fact.name]
        assert value is not None
        assert fact.least <= value <= fact.greatest


def test_what_was_measured_is_the_same_for_rules_messages_and_commands() -> None:
    shown, recorded = comparison_json(MEASURED), recorded_comparison_json(MEASURED)
    assert {name: recorded[name] for name in NAMES} == MEASURED.measured
    assert {name: shown[name] for name in NAMES[1:]} == {name: MEASURED.measured[name] for name in NAMES[1:]}
    assert "probability" not in shown
    assert shown["transform"]["matrix"] == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert recorded["transform"]["matrix"] == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def test_what_was_not_measured_is_none_everywhere() -> None:
    nothing = Comparison(0.5)
    assert [name for name, value in nothing.measured.items() if value is not None] == ["probability"]
    assert [name for name, value in comparison_json(nothing).items() if value is not None] == ["description"]


def test_rules_know_the_range_of_each() -> None:
    for fact in MEASURED_FACTS:
        assert RANGES[fact.name] == (fact.least, fact.greatest)
    assert set(RANGES) - set(NAMES) == {"scale"}


def test_rules_see_each_under_its_name() -> None:
    from guardian.model import LicenceStatus
    from guardian.rules import Use

    facts = facts_of(Use(MEASURED, ASSET, LicenceStatus.NONE, "elsewhere", "thief.example", "web"))
    assert {name: facts[name] for name in NAMES} == MEASURED.measured


def test_the_published_schema_is_made_from_the_table() -> None:
    schema = json.loads(files("guardian.cases").joinpath("message.schema.json").read_text(encoding="utf-8"))
    written = schema["properties"]["data"]["properties"]["measured"]
    assert written == measured_schema(), "run tools/message_schema.py"
    properties = written["properties"]
    assert properties["hash_distance"]["type"] == ["integer", "null"]
    assert properties["probability"]["type"] == "number"
    for fact in MEASURED_FACTS:
        assert properties[fact.name].get("maximum", math.inf) == fact.greatest


def test_a_fact_is_named_only_where_it_is_kept_measured_and_judged() -> None:
    """The three places: its field and row, matching (and what measures how well matching does), the condition."""
    # Migrations read what an earlier version stored, by the names that it had then.
    # The memory measures pairs of its own kind, and the desk draws what two pictures share. Evidence compares numbers
    # with those computed again, and names the few that a court reads.
    allowed = (
        *("model/matches.py", "matching/", "evaluation/", "rules/files.py", "store/migrations/"),
        *("memory/copies.py", "views/overlap.py"),
        *("evidence/recompute.py", "evidence/case_members.py", "evidence/report/chapters.py"),
    )
    # A probability is also what people read first of an answer, so views and commands speak of it by name.
    words = re.compile(r"\b(" + "|".join(NAMES[1:]) + r")\b")
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if words.search(file.read_text(encoding="utf-8"))
    }
    assert {"model/matches.py", "rules/files.py"} <= found
    assert not [name for name in found if not name.startswith(allowed)]
