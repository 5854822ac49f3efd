"""Templates: every kind in every language has all elements; a mistake of a user's template is named with its line."""

from dataclasses import replace
from pathlib import Path

import pytest

from guardian.errors import ConfigError, UsageError
from guardian.model.notices import NoticeKind, NoticeLanguage
from guardian.notices.elements import elements_of, missing_elements
from guardian.notices.facts import owner_facts
from guardian.notices.rendering import _SAMPLE as SAMPLE
from guardian.notices.rendering import SHIPPED, check_template, render, template_names
from guardian.notices.settings import OwnerSettings

EVERY = [(kind, language) for kind in NoticeKind for language in NoticeLanguage]


def test_shipped_templates_have_no_mistakes_and_nothing_else_is_shipped() -> None:
    assert [str(mistake) for name in template_names() for mistake in check_template(SHIPPED / name)] == []
    assert sorted(file.name for file in SHIPPED.iterdir()) == sorted(template_names())


@pytest.mark.parametrize(("kind", "language"), EVERY, ids=lambda one: one.value)
def test_each_kind_has_every_element_in_every_language(kind: NoticeKind, language: NoticeLanguage) -> None:
    rendered = render(SAMPLE, kind, language, None)
    assert missing_elements(SAMPLE, kind, language, rendered.elements) == ()
    for item in SAMPLE.items:
        assert item.title in rendered.text
        assert item.places[0].page in rendered.text
        assert item.places[0].image in rendered.form
    assert SAMPLE.operator in rendered.subject
    assert "{" not in rendered.text + rendered.form
    assert "\n\n\n" not in rendered.text


def test_what_is_not_configured_is_named_element_by_element() -> None:
    facts = replace(SAMPLE, owner=owner_facts(OwnerSettings(name="Ada")))
    rendered = render(facts, NoticeKind.DMCA, NoticeLanguage.ENGLISH, None)
    signature, contact = missing_elements(facts, NoticeKind.DMCA, NoticeLanguage.ENGLISH, rendered.elements)
    assert signature.startswith("17 U.S.C. 512(c)(3)(A)(i): ")
    assert "owner.signs_as" in signature
    assert contact.startswith("17 U.S.C. 512(c)(3)(A)(iv): ")
    assert "owner.address and owner.phone and owner.email" in contact
    assert "[owner.phone is missing]" in rendered.text


def test_an_offer_without_a_fee_lacks_its_terms() -> None:
    facts = replace(SAMPLE, fee="")
    rendered = render(facts, NoticeKind.LICENCE_OFFER, NoticeLanguage.FRENCH, None)
    (terms,) = missing_elements(facts, NoticeKind.LICENCE_OFFER, NoticeLanguage.FRENCH, rendered.elements)
    assert "say what the licence costs" in terms
    assert "[fee is missing]" in rendered.text


def test_a_german_warning_letter_has_what_97a_asks_for() -> None:
    keys = {element.key for element in elements_of(NoticeKind.CEASE, NoticeLanguage.GERMAN)}
    assert {"claims", "extent"} <= keys
    assert "claims" not in {element.key for element in elements_of(NoticeKind.CEASE, NoticeLanguage.ENGLISH)}


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("Subject: x\n{% if %}\n", 2, "Expected an expression"),
        ("Subject: x\n\n{{ ownr.name }}\n", 3, "there is no ownr"),
        ("Subject: x\n\n\n{{ owner.fon }}\n", 4, "fon"),
        ("Subject: x\n{{ owner.__class__.__mro__ }}\n", 2, "unsafe"),
        ("Subject: x\n{{ (1).__class__.__bases__ }}\n", 2, "unsafe"),
        ("Subject: x\n{{ 1 / 0 }}\n", 2, "division by zero"),
        ('Subject: x\n{% include "other.txt" %}\n', 2, "there is no template other.txt"),
        ("No subject\n", 1, "first line must be `Subject:"),
        ('Subject: x\n{% call element("colour") %}red{% endcall %}\n', None, "no element 'colour'"),
        ("Subject: x\n", None, "17 U.S.C. 512(c)(3)(A)(v) asks for"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, written: str, line: int | None, said: str) -> None:
    file = tmp_path / "dmca.en.txt"
    file.write_text(written)
    mistakes = [mistake for mistake in check_template(file) if said in str(mistake)]
    assert [mistake.line for mistake in mistakes] == [line], [str(one) for one in check_template(file)]
    assert str(mistakes[0]).startswith(str(file))


def test_a_mistake_in_the_schedule_is_found_where_it_is(tmp_path: Path) -> None:
    text = (SHIPPED / "schedule.de.txt").read_text(encoding="utf-8").replace("{{ item.creator }}", "{{ item.artist }}")
    (tmp_path / "schedule.de.txt").write_text(text, encoding="utf-8")
    (mistake,) = {str(one) for one in check_template(tmp_path / "schedule.de.txt")}
    assert mistake.startswith(f"{tmp_path / 'schedule.de.txt'}:4")
    assert "artist" in mistake


def test_a_file_of_another_name_is_no_template(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Subject: x\n")
    with pytest.raises(UsageError, match=r"dmca\.en\.txt"):
        list(check_template(tmp_path / "letter.txt"))


def test_the_users_template_goes_first_and_others_are_shipped(tmp_path: Path) -> None:
    text = (SHIPPED / "dsa.en.txt").read_text(encoding="utf-8").replace("Yours faithfully", "With kind regards")
    (tmp_path / "dsa.en.txt").write_text(text, encoding="utf-8")
    own = render(SAMPLE, NoticeKind.DSA, NoticeLanguage.ENGLISH, tmp_path)
    assert "With kind regards" in own.text
    assert own.sha256 != render(SAMPLE, NoticeKind.DSA, NoticeLanguage.ENGLISH, None).sha256
    assert "Mit freundlichen" in render(SAMPLE, NoticeKind.DSA, NoticeLanguage.GERMAN, tmp_path).text


def test_values_are_never_read_as_templates() -> None:
    facts = replace(SAMPLE, operator="{{ owner.phone }}", remark="{% raw %}")
    rendered = render(facts, NoticeKind.CEASE, NoticeLanguage.ENGLISH, None)
    assert "{{ owner.phone }}" in rendered.subject
    assert "{% raw %}" in rendered.text


def test_an_endless_template_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "dmca.en.txt").write_text("Subject: x\n{% for n in range(1000000000) %}x{% endfor %}\n")
    with pytest.raises(ConfigError, match="Range too big"):
        render(SAMPLE, NoticeKind.DMCA, NoticeLanguage.ENGLISH, tmp_path)


@pytest.mark.parametrize("language", NoticeLanguage, ids=lambda one: one.value)
def test_the_blocks_of_a_form_swear_where_the_law_asks_for_it_and_claim_nothing_unknown(
    language: NoticeLanguage,
) -> None:
    unpublished = replace(SAMPLE, items=tuple(replace(item, published_at="") for item in SAMPLE.items))
    perjury = "penalty of perjury"
    assert perjury in render(unpublished, NoticeKind.DMCA, language, None).form
    form = render(unpublished, NoticeKind.DSA, language, None).form
    assert perjury not in form
    # Whether a work was ever published is not known here.
    assert not any(word in form.lower() for word in ("not published", "nicht im netz", "non publiée", "no publicada"))


def test_french_signs_never_stand_alone_on_a_line() -> None:
    french = [render(SAMPLE, kind, NoticeLanguage.FRENCH, None) for kind in NoticeKind]
    assert not any(sign in one.text + one.form for one in french for sign in (" :", " ;", "« ", " »"))
