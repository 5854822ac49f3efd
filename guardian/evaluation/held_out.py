"""How a confidence does on candidates made of pictures that it was not fitted on, by what was done to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.evaluation.attacks import HARD, STANDARD, WILD
from guardian.evaluation.measured import Measured
from guardian.model import Action
from guardian.rules import load
from guardian.shipped import rules_folder


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of candidates: how many, and how many of them do what.

    `found`: a copied picture is ranked first, above all distractors but the loudest. `alerted`: it is stated at the
    probability from which the shipped rules alert. `others_alerted`: so is one that is not copied; `others_looked_at`:
    one that is not copied is at least shown to a person.
    """

    kind: str
    candidates: int
    found: int
    alerted: int
    others_alerted: int
    others_looked_at: int


def rows_of(measured: Sequence[Measured], stated: NDArray[np.float64], *, by_edit: bool = False) -> list[Row]:
    """Return a row for each family of edits and look-alikes, or for each edit.

    `stated` are the probabilities (0-1) of all pairs, in their order.
    """
    edits = [edit for seed in measured for edit in seed.edits]
    first = np.cumsum([0] + [len(seed.edits) for seed in measured])
    of_pair = np.array(
        [start + pair.query for start, seed in zip(first, measured, strict=False) for pair in seed.pairs]
    )
    is_copy = np.array([pair.is_copy for seed in measured for pair in seed.pairs])

    # Stage one may bring nothing at all.
    copied, other = np.zeros(len(edits)), np.zeros(len(edits))
    np.maximum.at(copied, of_pair[is_copy], stated[is_copy])
    np.maximum.at(other, of_pair[~is_copy], stated[~is_copy])

    kinds = np.array([edit if by_edit else family_of(edit) for edit in edits])
    distractors = other[np.char.startswith(np.array(edits), "distractor")]
    loud = float(np.sort(distractors)[-2]) if len(distractors) > 1 else 0.0
    alerted, looked_at = least_probability(Action.ALERT), least_probability(Action.REVIEW)
    return [
        Row(
            kind=str(kind),
            candidates=int((kinds == kind).sum()),
            found=int(((copied > other) & (copied > loud))[kinds == kind].sum()),
            alerted=int((copied[kinds == kind] >= alerted).sum()),
            others_alerted=int((other[kinds == kind] >= alerted).sum()),
            others_looked_at=int((other[kinds == kind] >= looked_at).sum()),
        )
        for kind in sorted(set(kinds.tolist()))
    ]


def least_probability(action: Action) -> float:
    """Return the least probability (0-1) at which a shipped rule takes an action. Raises UsageError without rules."""
    return min(
        condition.at_least
        for rule in load(rules_folder()).rules
        for condition in rule.conditions
        if rule.decision.action is action and condition.fact == "probability" and condition.at_least is not None
    )


def family_of(edit: str) -> str:
    """Return to which family an edit belongs, or of which sort a look-alike is."""
    for name, family in (("standard", STANDARD), ("hard", HARD), ("wild", WILD)):
        if edit in family:
            return name
    part, is_design, _ = edit.partition("of_design_")
    if is_design:
        return f"{part.rstrip('_') or 'copy'} of a design"
    return edit.split("_")[0]


def as_text(rows: Sequence[Row]) -> str:
    """Return the rows as a table for the terminal."""
    head = f"{'':24}{'candidates':>11}{'found':>8}{'alerted':>9}{'others alerted':>16}{'to look at':>12}"
    return "\n".join(
        [
            head,
            *(
                f"{row.kind:24}{row.candidates:11}{row.found / row.candidates:8.3f}{row.alerted / row.candidates:9.3f}"
                f"{row.others_alerted:16}{row.others_looked_at:12}"
                for row in rows
            ),
        ]
    )
