"""The page says what the answers say: found above every stranger, alerted by the rules, weak, mixed up, loud."""

from pathlib import Path

import numpy as np
import pytest

from guardian.evaluation.answering import Answer, Found, Look
from guardian.evaluation.attacks import EDITS
from guardian.evaluation.comparison import compared_results
from guardian.evaluation.edit_words import WORDS, edit_words
from guardian.evaluation.plots import edit_bars, probability_plot
from guardian.evaluation.questions import Kind, Question
from guardian.evaluation.report_html import page, pictured
from guardian.evaluation.report_json import results_json
from guardian.evaluation.results import Judge, Results, results
from guardian.model import Action, Decision
from guardian.rules import Condition, Rule, Rules
from tests.evaluation.test_questions import asset

ONE, OTHER, VERSION = asset(1), asset(2), asset(3, "work_1")
RULES = Rules(
    (
        Rule("copy", "sure", (Condition("probability", at_least=0.97),), Decision(Action.ALERT, "copy"), "here:1"),
        Rule("likely", "look", (Condition("probability", at_least=0.6),), Decision(Action.REVIEW, "likely"), "here:2"),
    )
)
NOTHING = np.zeros((0, 0), np.float32)


def copy(edit: str, of: str = ONE.id) -> Question:
    return Question(Kind.COPY, f"/{of}", edit, of, 1)


def stranger(name: str) -> Question:
    return Question(Kind.STRANGER, f"/{name}.jpg", None, None, 0)


def said(question: Question, look: Look | None = None, **probabilities: float) -> Answer:
    by_name = {"one": ONE.id, "other": OTHER.id, "version": VERSION.id, "gone": "asset_gone"}
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    found = tuple(Found(by_name[name], {"probability": probability}) for name, probability in ranked)
    return Answer(question.id, None, found, (), NOTHING, look)


def made(*answers: tuple[Question, Answer]) -> Results:
    questions = [question for question, _ in answers]
    given = {answer.question: answer for _, answer in answers}
    return results(questions, given, Judge(RULES, [ONE, OTHER, VERSION]), works=2)


def asked(question: Question, look: Look | None = None, **probabilities: float) -> tuple[Question, Answer]:
    return question, said(question, look, **probabilities)


def test_a_copy_is_found_when_it_stands_first_and_above_every_stranger() -> None:
    page = made(
        asked(copy("crop10"), one=0.99),
        asked(copy("negative"), one=0.5, other=0.6),
        asked(copy("ninth"), one=0.3),
        asked(copy("slide")),
        asked(stranger("loud"), other=0.4),
    )
    assert (page.found, page.alerted, page.copies) == (1, 1, 4)
    assert page.loudest == 0.4
    assert {one.edit: one.found for one in page.edits} == {"crop10": 1, "negative": 0, "ninth": 0, "slide": 0}
    assert [one.family for one in page.edits] == ["hard", "wild", "wild", "wild"]


def test_another_version_of_the_work_is_the_work() -> None:
    page = made(asked(copy("crop10"), version=0.98, one=0.7), asked(copy("ninth"), gone=0.99, one=0.98))
    assert (page.found, page.alerted, page.mistaken) == (2, 2, 0)
    assert not page.pairs


def test_an_alert_that_names_another_work_is_mistaken() -> None:
    page = made(asked(copy("crop10"), one=0.99, other=0.98), asked(copy("ninth"), other=0.7))
    assert (page.found, page.mistaken) == (1, 1)
    (pair,) = page.pairs
    assert (pair.shown, pair.taken_for, pair.probability, pair.action, pair.times) == (ONE, OTHER, 0.98, "alert", 2)


def test_thresholds_cost_misses_and_false_alarms() -> None:
    page = made(
        asked(copy("crop10"), one=0.99), asked(copy("ninth"), one=0.65), asked(copy("slide")),
        asked(stranger("a"), one=0.7), asked(stranger("b")),
    )  # fmt: skip
    costs = {cost.threshold: (cost.missed, cost.false_alarms) for cost in page.thresholds}
    assert costs[0.6] == (1, 1)
    assert costs[0.7] == (2, 1)
    assert costs[0.97] == (2, 0)
    assert costs[0.999] == (3, 0)
    assert page.accused == 0
    assert [one.question.path for one in page.loud] == ["/a.jpg"]


def test_a_weak_work_has_its_reasons() -> None:
    original = Question(Kind.ORIGINAL, f"/{OTHER.id}", None, OTHER.id, 0)
    edits = ("crop10", "ninth", "slide", "negative")
    page = made(
        asked(original, Look(900, 120, 41, False), other=1.0, one=0.2),
        *(asked(copy(edit), one=0.99) for edit in edits),
        *(asked(copy(edit, OTHER.id)) for edit in edits),
    )
    (weak,) = page.weak
    assert (weak.asset, weak.asked, weak.found) == (OTHER, 4, 0)
    assert weak.reasons == (
        "small: 900 x 120 pixels", "few keypoints: 41", "plain: hardly any structure",
        "long: 7.5 times as long as wide", "resembles Title 1",
    )  # fmt: skip
    assert weak.question.edit is None


def test_what_could_not_be_asked_is_counted_by_reason() -> None:
    question = copy("ninth")
    page = made(asked(copy("crop10"), one=0.99), (question, Answer.failed(question.id, "shows too little")))
    assert page.left_out == {"shows too little": 1}
    assert page.copies == 1


def test_rules_speak_of_collections_and_tags() -> None:
    only_press = Rule(
        "press", "x", (Condition("collection", any_of=("press",)),), Decision(Action.ALERT, "press"), "h:1"
    )
    judge = Judge(Rules((only_press,)), [ONE])
    assert judge.action(Found(ONE.id, {"probability": 0.1})) is Action.ALERT


@pytest.fixture
def whole() -> Results:
    return made(
        asked(copy("crop10"), one=0.99, other=0.3), asked(copy("ninth")), asked(stranger("<b>"), one=0.7),
    )  # fmt: skip


def test_nothing_was_measured_without_strangers() -> None:
    said = results_json(made(asked(copy("crop10"), one=0.99)))
    assert said["strangers_alerted"] is None
    assert said["loudest_stranger"] is None
    assert all(cost["false_alarms"] is None for cost in said["thresholds"])
    assert said["found"] == 1.0


def test_the_page_shows_pictures_and_escapes_names(whole: Results) -> None:
    jpeg = b"\xff\xd8 a picture"
    shown = {question.id: jpeg for question in pictured(whole)}
    text = page(whole, "Works & more", ["a <note>"], shown)
    assert "Works &amp; more" in text
    assert "a &lt;note&gt;" in text
    assert "1 of 1" in text[text.index("<h2>Not alerted</h2>") :]
    assert "no stranger" not in text, "what is for a person to look at accuses nobody"
    assert "/&lt;b&gt;.jpg" in text
    assert "<b>.jpg" not in text
    assert text.count("data:image/jpeg;base64,") == len(shown)


def test_a_stranger_that_is_alerted_is_to_be_looked_at_before_anything_is_believed() -> None:
    loud = made(asked(copy("crop10"), one=0.98), asked(copy("ninth"), one=0.7), asked(stranger("copied"), one=0.99))
    (alerted, reviewed) = loud.edits
    assert (alerted.found, alerted.not_alerted) == (0, ())
    assert (reviewed.reviewed, len(reviewed.not_alerted)) == (1, 1)

    text = page(loud, "Works", [], {})
    assert loud.advice_on_strangers is not None
    assert loud.advice_on_strangers.startswith("1 stranger is alerted. ")
    assert "above 0.990." in loud.advice_on_strangers
    assert loud.advice_on_strangers in text
    assert "1 of 1, 1 of them for a person to look at" in text


def test_another_way_of_answering_is_shown_beside_it(whole: Results) -> None:
    better = made(asked(copy("crop10"), one=0.99), asked(copy("ninth"), one=0.98), asked(stranger("<b>"), one=0.99))
    comparison = compared_results("With <more>", ("as configured", "more"), whole, better)
    numbers = {line.what: (line.now, line.other) for line in comparison.lines}
    assert numbers["copies alerted"] == (0.5, 1.0)
    assert numbers["hard edits found"] == (1.0, 0.0), "a louder stranger stands above it"
    assert numbers["wild edits alerted"] == (0.0, 1.0)
    assert numbers["strangers alerted"] == (0, 1)

    text = page(whole, "Works", [], {}, [comparison])
    assert "<h2>With &lt;more&gt;</h2>" in text
    assert "<tr><td>copies alerted</td><td>0.500</td><td>1.000</td><td>+0.500</td></tr>" in text
    (said,) = results_json(whole, [comparison])["comparisons"]
    assert said["columns"] == ["as configured", "more"]
    assert {"what": "strangers alerted", "values": [0, 1]} in said["lines"]


def test_plots_are_drawn_of_anything(whole: Results) -> None:
    bars = edit_bars(whole.edits)
    assert bars.count("<title>found") == 2
    assert "found 1 of 1" in bars
    assert probability_plot(whole).count("<polyline") == 2
    assert probability_plot(made(asked(copy("crop10")))).count("<polyline") == 1


def test_an_answer_survives_the_journal(tmp_path: Path) -> None:
    from guardian.evaluation.journal import Journal

    features = np.arange(6, dtype=np.float32).reshape(2, 3)
    given = Answer(
        "q", None, (Found(ONE.id, {"probability": 0.5, "mirrored": None}),), ("a", "b"), features, Look(3, 4, 5, True)
    )
    journal = Journal(tmp_path, "key")
    journal.note(given)
    journal.note(Answer.failed("other", "why"))
    journal.close()
    journal.path.write_bytes(journal.path.read_bytes() + b'{"question": "cut')
    known = Journal(tmp_path, "key").known()
    assert set(known) == {"q", "other"}
    assert np.array_equal(known["q"].features, features)
    assert (known["q"].found, known["q"].look, known["other"].problem) == (given.found, given.look, "why")

    # What is noted next begins a line of its own.
    later = Journal(tmp_path, "key")
    later.note(Answer.failed("third", "x"))
    later.close()
    assert set(later.known()) == {"q", "other", "third"}
    Journal(tmp_path, "else").forget_others()
    assert not later.path.exists()


def test_every_edit_has_words_that_fit_beside_its_bar() -> None:
    assert list(WORDS) == list(EDITS)
    assert len(set(WORDS.values())) == len(WORDS)
    assert max(map(len, WORDS.values())) <= 26
    assert (edit_words(None), edit_words("hflip"), edit_words("of a later version")) == (
        "as it is",
        "mirrored",
        "of a later version",
    )
