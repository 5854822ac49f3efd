"""What the answers say together: edits that are found, works that are weak and why, confusable works, thresholds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from guardian.evaluation.answering import Answer, Found, Look
from guardian.evaluation.attacks import HARD, STANDARD, WILD
from guardian.evaluation.questions import Kind, Question
from guardian.model import Action, Asset, LicenceStatus
from guardian.rules import Rules
from guardian.views.counting import counted

THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
CONFUSABLE_FROM = 0.05
"""From this probability on another work is worth showing beside the right one."""

_WEAK_BELOW = 0.75
_FEW_KEYPOINTS, _SMALL_SIDE = 300, 240

Rate = tuple[int, int]
"""how many, of how many"""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer beside its question, in the light of the rules.

    `own` is the match of the asset's own work, `other` the strongest match of another work (of any work, for a
    stranger). `is_alerted`: the rules alert about `own`; `is_accused`: about `other`, which is a false alarm.
    `is_first`: no match of another work is stronger than `own`.
    """

    question: Question
    own: Found | None
    other: Found | None
    is_first: bool
    is_alerted: bool
    is_reviewed: bool
    is_accused: bool
    is_other_reviewed: bool


@dataclass(frozen=True, slots=True)
class EditResult:
    """What became of one edit over all works of the sample.

    `not_alerted`: the questions that the rules do not alert about.
    """

    family: str
    edit: str
    asked: int
    found: int
    alerted: int
    reviewed: int
    not_alerted: tuple[Question, ...]

    @property
    def found_share(self) -> float:
        """Share (0-1) that is found: at rank one, above every stranger."""
        return self.found / self.asked

    @property
    def alerted_share(self) -> float:
        """Share (0-1) that the rules alert about."""
        return self.alerted / self.asked


@dataclass(frozen=True, slots=True)
class WeakWork:
    """A work of which fewer edits are found than of others, and the reasons that can be named."""

    asset: Asset
    question: Question
    asked: int
    found: int
    alerted: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfusablePair:
    """Two works of which one was taken for the other: shown was `shown`, and `taken_for` matched."""

    shown: Asset
    taken_for: Asset
    question: Question
    probability: float
    action: str
    times: int


@dataclass(frozen=True, slots=True)
class ThresholdCost:
    """What alerting from a probability on would cost. `false_alarms` count pictures of strangers."""

    threshold: float
    missed: int
    false_alarms: int
    mistaken: int


@dataclass(frozen=True, slots=True)
class LoudStranger:
    """A stranger that resembles a work."""

    question: Question
    asset: Asset
    probability: float
    action: str


@dataclass(frozen=True, slots=True)
class Results:
    """The page that people read. `left_out` counts, by reason, what could not be asked.

    `strangers` is 0 when none were given: then false alarms were not measured.
    """

    works: int
    works_of_catalogue: int
    copies: int
    strangers: int
    found: int
    alerted: int
    accused: int
    mistaken: int
    loudest: float | None
    edits: tuple[EditResult, ...]
    weak: tuple[WeakWork, ...]
    pairs: tuple[ConfusablePair, ...]
    thresholds: tuple[ThresholdCost, ...]
    loud: tuple[LoudStranger, ...]
    left_out: Mapping[str, int]
    own_probabilities: tuple[float, ...]
    stranger_probabilities: tuple[float, ...]

    @property
    def advice_on_strangers(self) -> str | None:
        """What to do about strangers that are alerted, in words; None where none is."""
        if not self.accused or self.loudest is None:
            return None
        return (
            f"{counted(self.accused, 'stranger is', 'strangers are')} alerted. Look at them first: a picture that "
            "shows one of your works is no stranger. As long as it is among them, no copy counts as found that "
            f"does not stand above {self.loudest:.3f}."
        )

    def share_found(self, family: str) -> float:
        """Return the share (0-1) that is found of a family of edits."""
        edits = [one for one in self.edits if one.family == family]
        return sum(one.found for one in edits) / max(1, sum(one.asked for one in edits))

    def share_alerted(self, family: str) -> float:
        """Return the share (0-1) of a family of edits that the rules alert about."""
        edits = [one for one in self.edits if one.family == family]
        return sum(one.alerted for one in edits) / max(1, sum(one.asked for one in edits))


class Judge:
    """Decides by rules what an answer's matches mean, as if each picture were met on a host that is nobody's."""

    def __init__(self, rules: Rules, assets: Iterable[Asset]) -> None:
        self._rules = rules
        self.assets = {asset.id: asset for asset in assets}

    def action(self, found: Found) -> Action:
        """Return what the rules say of a match that no licence covers."""
        asset = self.assets[found.asset]
        facts = {
            **found.facts,
            "licence": LicenceStatus.NONE.value,
            "collection": asset.collection,
            "asset_tag": asset.tags,
            "label": asset.terms,
            "sibling": "no" if asset.shoot is None else "yes",
            "host": "example.com",
            "place": "elsewhere",
            "source": "evaluation",
        }
        return self._rules.decide_facts(facts).action

    def judged(self, question: Question, answer: Answer) -> Judged:
        """Return the answer in the light of the rules."""
        known = [found for found in answer.found if found.asset in self.assets]
        work = self.assets[question.asset].work_id if question.asset else None
        mine = [found for found in known if self.assets[found.asset].work_id == work]
        others = [found for found in known if self.assets[found.asset].work_id != work]

        # The report begins with the most probable match.
        own, other = next(iter(mine), None), next(iter(others), None)
        own_actions, other_actions = ({self.action(found) for found in group} for group in (mine, others))
        return Judged(
            question=question,
            own=own,
            other=other,
            is_first=own is not None and (other is None or own.probability > other.probability),
            is_alerted=Action.ALERT in own_actions,
            is_reviewed=Action.REVIEW in own_actions and Action.ALERT not in own_actions,
            is_accused=Action.ALERT in other_actions,
            is_other_reviewed=Action.REVIEW in other_actions and Action.ALERT not in other_actions,
        )


def results(questions: Sequence[Question], answers: Mapping[str, Answer], judge: Judge, works: int) -> Results:
    """Return what the answers say together. `works`: how many the catalogue holds."""
    asked = [(question, answers[question.id]) for question in questions if question.id in answers]
    left_out = Counter(answer.problem for _, answer in asked if answer.problem is not None)
    judged = [judge.judged(question, answer) for question, answer in asked if answer.problem is None]
    copies = [one for one in judged if one.question.kind is Kind.COPY]
    strangers = [one for one in judged if one.question.kind is Kind.STRANGER]
    looks = {question.asset: answer.look for question, answer in asked if answer.look is not None}

    loudest = max((one.other.probability for one in strangers if one.other), default=0.0) if strangers else None
    is_found = _found_above(loudest or 0.0)
    pairs = _confusable(judged, judge)
    return Results(
        works=len({one.question.asset for one in judged if one.question.asset}),
        works_of_catalogue=works,
        copies=len(copies),
        strangers=len(strangers),
        found=sum(map(is_found, copies)),
        alerted=sum(one.is_alerted for one in copies),
        accused=sum(one.is_accused for one in strangers),
        mistaken=sum(one.is_accused for one in copies),
        loudest=loudest,
        edits=_by_edit(copies, is_found),
        weak=_weak(copies, is_found, looks, judge, pairs),
        pairs=pairs,
        thresholds=tuple(_cost(threshold, copies, strangers) for threshold in THRESHOLDS),
        loud=_loud(strangers, judge),
        left_out=dict(sorted((reason, count) for reason, count in left_out.items() if reason)),
        own_probabilities=tuple(one.own.probability if one.own else 0.0 for one in copies),
        stranger_probabilities=tuple(one.other.probability if one.other else 0.0 for one in strangers),
    )


def _found_above(loudest: float) -> Callable[[Judged], bool]:
    def is_found(one: Judged) -> bool:
        return one.own is not None and one.is_first and one.own.probability > loudest

    return is_found


def _by_edit(copies: Sequence[Judged], is_found: Callable[[Judged], bool]) -> tuple[EditResult, ...]:
    """Return the edits in the order of their families, the worst of each first."""
    by_edit: dict[str, list[Judged]] = defaultdict(list)
    for one in copies:
        by_edit[one.question.edit or ""].append(one)

    made = [
        EditResult(
            family=_family(edit),
            edit=edit,
            asked=len(judged),
            found=sum(map(is_found, judged)),
            alerted=sum(one.is_alerted for one in judged),
            reviewed=sum(one.is_reviewed for one in judged),
            not_alerted=tuple(one.question for one in judged if not one.is_alerted),
        )
        for edit, judged in by_edit.items()
    ]
    families = ("standard", "hard", "wild")
    return tuple(
        sorted(made, key=lambda one: (families.index(one.family), one.found_share, one.alerted_share, one.edit))
    )


def _family(edit: str) -> str:
    return next(name for name, family in (("standard", STANDARD), ("hard", HARD), ("wild", WILD)) if edit in family)


def _weak(
    copies: Sequence[Judged],
    is_found: Callable[[Judged], bool],
    looks: Mapping[str | None, Look],
    judge: Judge,
    pairs: Sequence[ConfusablePair],
) -> tuple[WeakWork, ...]:
    """Return the works of which less is found than of the others, the weakest first."""
    by_asset: dict[str, list[Judged]] = defaultdict(list)
    for one in copies:
        by_asset[one.question.asset or ""].append(one)
    usual = sum(map(is_found, copies)) / max(1, len(copies))

    weak = []
    for asset_id, judged in by_asset.items():
        found = sum(map(is_found, judged))
        if found / len(judged) >= min(_WEAK_BELOW, usual):
            continue
        reasons = tuple(_reasons(looks.get(asset_id), judge.assets[asset_id], pairs))
        question = replace(judged[0].question, kind=Kind.ORIGINAL, edit=None, seed=0)
        alerted = sum(one.is_alerted for one in judged)
        weak.append(WeakWork(judge.assets[asset_id], question, len(judged), found, alerted, reasons))
    return tuple(sorted(weak, key=lambda work: (work.found / work.asked, work.asset.id)))


def _reasons(look: Look | None, asset: Asset, pairs: Sequence[ConfusablePair]) -> Iterable[str]:
    """Yield what can be named of an asset that makes it hard to find."""
    if look is not None:
        if min(look.width, look.height) < _SMALL_SIDE:
            yield f"small: {look.width} x {look.height} pixels"
        if look.keypoints < _FEW_KEYPOINTS:
            yield f"few keypoints: {look.keypoints}"
        if not look.is_recognisable:
            yield "plain: hardly any structure"
        longer, shorter = max(look.width, look.height), min(look.width, look.height)
        if longer > 3 * shorter:
            yield f"long: {longer / shorter:.1f} times as long as wide"
    for pair in pairs:
        if asset.id == pair.shown.id:
            yield f"resembles {pair.taken_for.title}"
            break


def _confusable(judged: Sequence[Judged], judge: Judge) -> tuple[ConfusablePair, ...]:
    """Return the pairs of works of which one matched when the other was shown, the most probable first."""
    best: dict[tuple[str, str], ConfusablePair] = {}
    times = Counter[tuple[str, str]]()
    for one in judged:
        if one.question.asset is None or one.other is None or one.other.probability < CONFUSABLE_FROM:
            continue
        shown, other = judge.assets[one.question.asset], judge.assets[one.other.asset]
        key = (shown.work_id, other.work_id)
        times[key] += 1
        action = judge.action(one.other).value
        pair = ConfusablePair(shown, other, one.question, one.other.probability, action, times[key])
        known = best.get(key)
        best[key] = replace(max(pair, known or pair, key=lambda found: found.probability), times=times[key])
    return tuple(sorted(best.values(), key=lambda pair: (-pair.probability, pair.shown.id, pair.taken_for.id)))


def _cost(threshold: float, copies: Sequence[Judged], strangers: Sequence[Judged]) -> ThresholdCost:
    return ThresholdCost(
        threshold=threshold,
        missed=sum(one.own is None or one.own.probability < threshold for one in copies),
        false_alarms=sum(one.other is not None and one.other.probability >= threshold for one in strangers),
        mistaken=sum(one.other is not None and one.other.probability >= threshold for one in copies),
    )


def _loud(strangers: Sequence[Judged], judge: Judge) -> tuple[LoudStranger, ...]:
    """Return the strangers that resemble a work most, the loudest first."""
    loud = [
        LoudStranger(one.question, judge.assets[one.other.asset], one.other.probability, judge.action(one.other).value)
        for one in strangers
        if one.other is not None and one.other.probability >= CONFUSABLE_FROM
    ]
    return tuple(sorted(loud, key=lambda one: (-one.probability, one.question.id)))
