"""The owner's vocabulary: phrasings in any language, what is a kind of what, and mistakes with their lines."""

from pathlib import Path

import pytest

from guardian.errors import ConfigError
from guardian.search.vocabulary import PhraseFinder, Vocabulary, VocabularyTerm, read_vocabulary
from guardian.views.word_tokens import kept


def _read(tmp_path: Path, text: str) -> Vocabulary:
    file = tmp_path / "labels.yaml"
    file.write_text(text, encoding="utf-8")
    return read_vocabulary(file)


def test_terms_know_their_phrasings_and_what_they_are_kinds_of(tmp_path: Path) -> None:
    read = _read(
        tmp_path,
        """
labels:
  - {term: dunes, phrasings: [sand dunes, 沙丘, Dünen], under: desert}
  - {term: desert, under: landscape}
  - {term: landscape}
""",
    )
    assert read.terms["dunes"].phrasings == ("dunes", "sand dunes", "沙丘", "Dünen")
    assert read.terms["dunes"].above == ("desert", "landscape")
    assert read.with_above(["dunes"]) == ("desert", "dunes", "landscape")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labels:\n  - {term: a}\n  - {term: a}\n", r"labels.yaml:3.*'a' stands twice"),
        ("labels:\n  - {term: a, under: b}\n", r"labels.yaml:2.*no term 'b'"),
        ("labels:\n  - {term: a, under: b}\n  - {term: b, under: a}\n", r"labels.yaml:2.*kind of itself"),
        ("labels:\n  - {term: a, under: a}\n", r"labels.yaml:2.*kind of itself"),
        ("labels:\n  - {term: a, phrasings: ['--']}\n", r"labels.yaml:2.*no word in '--'"),
        ("labels:\n  - {name: a}\n", r"labels.yaml:2"),
        ("terms: []\n", r"labels.yaml:1"),
    ],
)
def test_mistakes_are_said_with_their_lines(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _read(tmp_path, text)


def test_phrasings_are_found_as_the_index_finds_them() -> None:
    finder = PhraseFinder(
        Vocabulary(
            {
                "dunes": VocabularyTerm("dunes", ("dunes", "sand dune", "沙丘", "Wüste")),
                "sea": VocabularyTerm("sea", ("sea", 'a "calm" sea')),
            }
        )
    )
    assert finder.terms_in([kept(["A SAND  dune"]), ""]) == {"dunes"}
    assert finder.terms_in([kept(["dune", "sand"])]) == set(), "not in this order"
    assert finder.terms_in([kept(["sand"]), kept(["dune"])]) == set(), "nor over two fields"
    assert finder.terms_in([kept(["黄沙丘陵"])]) == {"dunes"}
    assert finder.terms_in([kept(["seat", "undersea"])]) == set()
    assert finder.terms_in([kept(["WUSTE by the sea"])]) == {"dunes", "sea"}
