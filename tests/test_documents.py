"""What the documents show is true: recipes load, links lead somewhere, the example configuration is the defaults."""

import re
import shutil
from pathlib import Path

import pytest

from guardian import rules
from guardian.config import Config, example_text, load_config

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


RECIPES = [block for block in blocks(ROOT / "README.md", "yaml") if block.startswith("rules:")]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.split("name: ")[1].split("\n")[0])
def test_recipes_of_the_cookbook_load_beside_the_shipped_rules(recipe: str, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", folder)
    shipped = rules.load(folder, ["legal"])
    (folder / "15-mine.yaml").write_text(recipe, encoding="utf-8")
    assert len(rules.load(folder, ["legal"]).rules) == len(shipped.rules) + 1


def test_the_cookbook_has_recipes() -> None:
    assert len(RECIPES) >= 4


README = (ROOT / "README.md").read_text(encoding="utf-8")
CONDITIONS = re.findall(r"^\| ((?:`(?:at_least|at_most|any_of|is_under)`(?:, )?)+) \| (.*) \|$", README, re.MULTILINE)
FACTS = [
    (bounds, fact, words)
    for bounds, facts in CONDITIONS
    for fact, words in re.findall(r"`(\w+)`(?: \(([^)]*)\))?", facts)
]


@pytest.mark.parametrize(("bounds", "fact", "words"), FACTS, ids=lambda part: part)
def test_each_condition_of_the_table_works_as_written(bounds: str, fact: str, words: str, tmp_path: Path) -> None:
    for bound in re.findall(r"\w+", bounds):
        values = words.split(", ") if words else ["press.example"]
        for value in (
            ["0.5"] if bound.startswith("at_") else [f"[{', '.join(values)}]", *(f"[{one}]" for one in values)]
        ):
            rule = f"rules:\n  - name: mine\n    when:\n      {fact}: {{{bound}: {value}}}\n    then: review\n"
            (tmp_path / "10-mine.yaml").write_text(rule, encoding="utf-8")
            (loaded,) = rules.load(tmp_path).rules
            assert str(loaded.conditions[0]).startswith(fact)

    if words:
        for word in words.split(", "):
            example = f"rules:\n  - {{name: mine, when: {{{fact}: {{any_of: [{word}]}}}}, then: review}}\n"
            example += f"examples:\n  - {{given: {{{fact}: {word}}}, expect: {{rule: mine}}}}\n"
            (tmp_path / "10-mine.yaml").write_text(example, encoding="utf-8")
            assert rules.load(tmp_path).rules


def test_the_table_names_every_fact_that_rules_may_ask_for() -> None:
    assert {fact for _, fact, _ in FACTS} == {*rules.use.RANGES, *rules.use.WORDS}
    assert {words for _, fact, words in FACTS if fact == "mirrored"} == {"yes, no"}


def test_configuration_of_the_walkthrough_loads(tmp_path: Path) -> None:
    (written,) = [block for block in blocks(ROOT / "README.md", "yaml") if "sources:" in block]
    lines = [line.removeprefix("   ") for line in written.splitlines()]
    (tmp_path / "config.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = load_config(tmp_path / "config.yaml")
    assert [source.name for source in config.sources] == ["gallery"]
    assert [destination.name for destination in config.destinations] == ["legal"]


def test_example_configuration_is_the_defaults(tmp_path: Path) -> None:
    committed = ROOT / "config.example.yaml"
    assert committed.read_text(encoding="utf-8") == example_text(), "write it anew from guardian.config.example_text()"
    shutil.copyfile(committed, tmp_path / "config.yaml")
    loaded = load_config(tmp_path / "config.yaml")
    defaults = Config()
    assert loaded.data_dir == tmp_path / defaults.data_dir
    assert loaded.model_dump(exclude={"data_dir", "rules_dir", "labels"}) == defaults.model_dump(
        exclude={"data_dir", "rules_dir", "labels"}
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MODULES = [path.relative_to(ROOT / "guardian").as_posix() for path in (ROOT / "guardian").rglob("*.py")]


def test_the_architecture_names_every_package_and_module_at_the_top() -> None:
    tops = {name.split("/")[0] + "/" * ("/" in name) for name in MODULES} - {"__init__.py"}
    described = {line.split(" ")[0] for line in ARCHITECTURE.splitlines()}
    # Small modules share a line, after a semicolon.
    described |= set(re.findall(r"; (\w+\.py): ", ARCHITECTURE))
    assert tops <= described


def test_the_architecture_names_no_module_that_is_not_there() -> None:
    """Names are given as in the tree: alone below their package, or as a path."""
    elsewhere = {path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("tests/*.py"), *ROOT.glob("tools/*.py"))}
    named = (
        set(re.findall(r"(?<![\w/*])[\w/]+\.py\b", ARCHITECTURE)) - elsewhere - {"guardian/x/y.py", "tests/x/test_y.py"}
    )
    there = [f"/guardian/{name}" for name in MODULES]
    missing = [name for name in named if not any(one.endswith(f"/{name}") for one in there)]
    assert not missing
