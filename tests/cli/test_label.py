"""`guardian label`: the vocabulary read, applied, listed, shown with assets, and used to choose results."""

import json

from tests.cli.home import Home

_LABELS = """
labels:
  - {term: spacemen, phrasings: [astronaut, 宇航员], under: people}
  - {term: people}
"""


def test_terms_are_applied_listed_and_chosen_by(protected: Home) -> None:
    assert "there is no vocabulary" in protected.guardian("label", "list", code=2).stderr
    (protected.folder / "labels.yaml").write_text(_LABELS, encoding="utf-8")
    assert protected.guardian("label", "check").stdout == "2 terms in 4 phrasings\n"
    assert "still to be labelled: 2 assets, 0 remembered pictures" in protected.guardian("label", "list").stdout

    applied = json.loads(protected.guardian("label", "apply", "--json").stdout)
    assert applied["terms"]["spacemen"] == applied["terms"]["people"] == {"words": 1, "meaning": 0, "neighbours": 0}
    assert (applied["assets"], applied["assets_without"]) == (2, 1), "coffee is neither"
    assert applied["seen_lacking_parts"] == 0, "nothing was remembered by an earlier version"
    first, _ = map(json.loads, protected.guardian("label", "list", "--json").stdout.splitlines())
    assert (first["term"], first["above"], first["assets"], first["seen"]) == ("spacemen", ["people"], 1, 0)

    found = protected.guardian("search", "--text", "astronaut coffee", "--filter", "label=people", "--facets", "--json")
    result, facets = map(json.loads, found.stdout.splitlines())
    assert result["labels"][1] == {"term": "spacemen", "source": "words", "share": 1.0}
    assert facets["facets"]["label"] == {"people": 1, "spacemen": 1}
    assert list(facets["facets"]["colour"].values()) == [1]
    shown = json.loads(protected.guardian("asset", "show", result["asset"]["id"]).stdout)
    assert [label["term"] for label in shown["labels"]] == ["people", "spacemen"]
    assert shown["shoot"] is None
    undeclared = protected.guardian("asset", "siblings", "--undeclare", result["asset"]["id"]).stdout
    assert undeclared == "1 asset without declared siblings now\n"
