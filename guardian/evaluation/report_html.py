"""The page of an evaluation as one HTML file that needs no network: numbers, plots, and pictures of what went wrong."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from guardian.evaluation.comparison import Comparison, line_words
from guardian.evaluation.edit_words import edit_words
from guardian.evaluation.plots import edit_bars, probability_plot
from guardian.evaluation.questions import Question
from guardian.evaluation.results import ConfusablePair, EditResult, LoudStranger, Results, WeakWork
from guardian.views.counting import counted

MOST_SHOWN = 12
"""How many weak works, pairs and strangers are shown with their pictures."""

_MISSES_SHOWN = 4

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 960px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2.2em; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; } th, td { text-align: right; padding: .15em .9em .15em 0; vertical-align: top; }
th:first-child, td:first-child, .text { text-align: left; } th { color: #666; font-weight: normal; }
.cards { display: flex; flex-wrap: wrap; gap: 14px; } figure { margin: 0; width: 220px; }
figure.pair { width: 454px; } figure img { max-width: 220px; max-height: 180px; background: #eee; }
figcaption { font-size: .85em; color: #444; overflow-wrap: anywhere; } .note { color: #666; }
.figures { display: flex; gap: 2.5em; flex-wrap: wrap; } .figures b { font-size: 1.7em; display: block; }
.bad { color: #b3261e; } svg { max-width: 100%; height: auto; }
"""


def pictured(results: Results) -> list[Question]:
    """Return the questions whose pictures the page shows."""
    weak = [work.question for work in results.weak[:MOST_SHOWN]]
    pairs = [pair.question for pair in results.pairs[:MOST_SHOWN]]
    strangers = [one.question for one in results.loud[:MOST_SHOWN]]
    missed = [question for one in results.edits for question in one.not_alerted[:_MISSES_SHOWN]]
    return [*weak, *pairs, *strangers, *missed]


def page(
    results: Results,
    title: str,
    notes: Sequence[str],
    pictures: Mapping[str, bytes],
    comparisons: Sequence[Comparison] = (),
) -> str:
    """Return the page. `pictures` are JPEGs by the ids of questions, and of assets by theirs; any may be missing."""
    body = [
        f"<h1>{escape(title)}</h1>",
        *(f'<p class="note">{escape(note)}</p>' for note in notes),
        _figures(results),
        f'<p class="bad">{escape(results.advice_on_strangers)}</p>' if results.advice_on_strangers else "",
        *(_comparison(one) for one in comparisons),
        "<h2>Which edits are found</h2>",
        "<p>Found: your work is ranked first, above every stranger. Alerted: your rules would tell you.</p>",
        *_families(results.edits),
        "<h2>What a threshold costs</h2>",
        probability_plot(results),
        _thresholds(results),
        "<h2>Weak works</h2>",
        _section(
            [_weak(work, pictures) for work in results.weak[:MOST_SHOWN]], "No work is much weaker than the others."
        ),
        _more(len(results.weak)),
        "<h2>Works that resemble one another</h2>",
        _section(
            [_pair(pair, pictures) for pair in results.pairs[:MOST_SHOWN]], "None of your works resembles another."
        ),
        _more(len(results.pairs)),
        "<h2>Strangers that resemble your works</h2>",
        _section(
            [_stranger(one, pictures) for one in results.loud[:MOST_SHOWN]],
            "None." if results.strangers else "Not measured: no strangers were given (--strangers FOLDER).",
        ),
        "<h2>Not alerted</h2>",
        *_not_alerted(results.edits, pictures),
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return "\n".join([head, *body, "</html>\n"])


def _figures(results: Results) -> str:
    copies = max(1, results.copies)
    alarms = f"{results.accused} of {results.strangers}" if results.strangers else "not measured"
    loudest = "-" if results.loudest is None else f"{results.loudest:.3f}"
    figures = [
        (f"{results.works} of {results.works_of_catalogue}", "works edited"),
        (f"{results.copies}", "copies asked"),
        (f"{results.found / copies:.3f}", "found"),
        (f"{results.alerted / copies:.3f}", "alerted"),
        (alarms, "strangers alerted"),
        (loudest, "loudest stranger"),
        (f"{results.mistaken}", "alerts that name another work"),
    ]
    return '<div class="figures">' + "".join(f"<p><b>{escape(b)}</b>{escape(t)}</p>" for b, t in figures) + "</div>"


def _comparison(one: Comparison) -> str:
    names = ("", one.now_name, one.other_name, "change")
    head = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in names)}</tr>"
    rows = [
        f"<tr><td>{escape(line.what)}</td>{''.join(f'<td>{words}</td>' for words in line_words(line))}</tr>"
        for line in one.lines
    ]
    return f"<h2>{escape(one.title)}</h2><table>{head}{''.join(rows)}</table>"


def _families(edits: Sequence[EditResult]) -> Iterable[str]:
    for family in dict.fromkeys(one.family for one in edits):
        of_family = [one for one in edits if one.family == family]
        asked = sum(one.asked for one in of_family)
        found, alerted = sum(one.found for one in of_family), sum(one.alerted for one in of_family)
        yield f"<h3>{family}: found {found / asked:.3f}, alerted {alerted / asked:.3f} of {asked}</h3>"
        yield edit_bars(of_family)


def _thresholds(results: Results) -> str:
    rows = [
        f"<tr><td>{cost.threshold:g}</td><td>{cost.missed}</td><td>{cost.missed / max(1, results.copies):.1%}</td>"
        f"<td>{cost.false_alarms if results.strangers else '-'}</td><td>{cost.mistaken}</td></tr>"
        for cost in results.thresholds
    ]
    names = ("alert from", "missed", "of all", "strangers accused", "another work named")
    head = f"<tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>"
    return f"<table>{head}{''.join(rows)}</table>"


def _weak(work: WeakWork, pictures: Mapping[str, bytes]) -> str:
    reasons = "; ".join(work.reasons) or "no reason that can be named"
    words = f"{work.asset.title}: found {work.found}, alerted {work.alerted} of {work.asked}. {reasons}"
    return f"<figure>{_image(pictures.get(work.question.id))}<figcaption>{escape(words)}</figcaption></figure>"


def _pair(pair: ConfusablePair, pictures: Mapping[str, bytes]) -> str:
    how = edit_words(pair.question.edit)
    words = (
        f"{pair.shown.title} ({how}) resembles {pair.taken_for.title}: {pair.probability:.3f}, {pair.action}, "
        f"{counted(pair.times, 'time')}"
    )
    images = _image(pictures.get(pair.question.id)) + " " + _image(pictures.get(pair.taken_for.id))
    return f'<figure class="pair">{images}<figcaption>{escape(words)}</figcaption></figure>'


def _stranger(one: LoudStranger, pictures: Mapping[str, bytes]) -> str:
    how = edit_words(one.question.edit)
    words = f"{one.question.path} ({how}) resembles {one.asset.title}: {one.probability:.3f}, {one.action}"
    images = _image(pictures.get(one.question.id)) + " " + _image(pictures.get(one.asset.id))
    return f'<figure class="pair">{images}<figcaption>{escape(words)}</figcaption></figure>'


def _not_alerted(edits: Sequence[EditResult], pictures: Mapping[str, bytes]) -> Iterable[str]:
    missed = [one for one in edits if one.not_alerted]
    if not missed:
        yield "<p>Nothing.</p>"
    for one in missed:
        review = f", {one.reviewed} of them for a person to look at" if one.reviewed else ""
        yield f"<h3>{escape(edit_words(one.edit))}: {len(one.not_alerted)} of {one.asked}{review}</h3>"
        questions = one.not_alerted[:_MISSES_SHOWN]
        shown = [f"<figure>{_image(pictures.get(question.id))}</figure>" for question in questions]
        yield f'<div class="cards">{"".join(shown)}</div>'


def _section(cards: Sequence[str], when_empty: str) -> str:
    return f'<div class="cards">{"".join(cards)}</div>' if cards else f"<p>{escape(when_empty)}</p>"


def _more(count: int) -> str:
    return f'<p class="note">and {count - MOST_SHOWN} more</p>' if count > MOST_SHOWN else ""


def _image(jpeg: bytes | None) -> str:
    if not jpeg:
        return ""
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'
