"""What other rules, or another recipe, would make of what is remembered: JSON and words."""

from collections.abc import Mapping
from typing import Any

from guardian.model import CaseChange, ChangeKind, Decision, RecipeComparison, Replay, ReplayedUse, SideChange
from guardian.views.counting import counted
from guardian.views.decisions import action_text
from guardian.views.plain_text import printable
from guardian.views.timestamps import json_timestamp

_USES_SHOWN = 3


def case_change_json(change: CaseChange) -> dict[str, Any]:
    """Return a case that would open, change or vanish, with its uses."""
    return {
        "change": change.kind.value,
        "case": change.case_id,
        "asset": {"id": change.asset.id, "title": change.asset.title},
        "operator": change.operator,
        "before": _decision_json(change.before),
        "after": _decision_json(change.after),
        "uses": [_use_json(use) for use in change.uses],
    }


def case_change_lines(change: CaseChange) -> list[str]:
    """Return a case that would open, change or vanish, for people."""
    before, after = (action_text(one) if one is not None else "no case" for one in (change.before, change.after))
    known = f"  ({change.case_id})" if change.case_id is not None else ""
    lines = [f"{change.kind.value:<9} {change.operator}  “{change.asset.title}”: {before} -> {after}{known}"]
    deciding = change.after or change.before
    if deciding is not None and change.kind is not ChangeKind.VANISHES:
        lines.append(f"          by rule “{deciding.rule}”")
    lines += [f"          {_use_text(use)}" for use in change.uses[:_USES_SHOWN]]
    if len(change.uses) > _USES_SHOWN:
        lines.append(f"          ... and {counted(len(change.uses) - _USES_SHOWN, 'use')} more")
    return [printable(line) for line in lines]


def replay_lines(found: Replay) -> list[str]:
    """Return the last lines of a replay: how many cases differ, and of how much."""
    counts = {kind: sum(change.kind is kind for change in found.changes) for kind in ChangeKind}
    seen = f"{counted(found.pictures, 'remembered picture')} at {counted(found.places, 'place')}"
    lines = [
        f"Of {seen}: {counted(counts[ChangeKind.OPENS], 'case')} would open, {counts[ChangeKind.CHANGES]} change, "
        f"{counts[ChangeKind.VANISHES]} vanish. Nothing was changed."
    ]
    if found.not_compared:
        lines.append(
            f"{counted(found.not_compared, 'picture')} could not be judged: no comparison of today's recipe is kept; "
            "a scan that meets them makes one."
        )
    return lines


def side_change_json(change: SideChange) -> dict[str, Any]:
    """Return a picture that changed sides, with what both recipes measured."""
    use = change.use
    return {
        "asset": {"id": use.match.asset.id, "title": use.match.asset.title},
        "operator": use.operator,
        "before": _measured_json(change.before),
        "after": _measured_json(change.after),
        "use": _use_json(use),
    }


def side_change_lines(change: SideChange) -> list[str]:
    """Return a picture that changed sides, for people."""
    before, after = (_measured_text(one) for one in (change.before, change.after))
    return [
        printable(f"{change.use.operator}  “{change.use.match.asset.title}”: {before} -> {after}"),
        printable(f"          {_use_text(change.use)}"),
    ]


def comparison_lines(found: RecipeComparison, before: str, after: str) -> list[str]:
    """Return the last lines of a comparison of two recipes."""
    lines = [
        f"{counted(len(found.changes), 'use')} changed sides, of {counted(found.pictures, 'picture')} that both "
        f"{before} and {after} have compared."
    ]
    if found.only_before:
        lines.append(
            f"{counted(found.only_before, 'picture')} were compared by {before} alone: scans that meet them go on."
        )
    return lines


def _decision_json(decision: Decision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    severity = decision.severity.value if decision.severity is not None else None
    return {"action": decision.action.value, "severity": severity, "rule": decision.rule}


def _measured_json(use: ReplayedUse | None) -> dict[str, Any] | None:
    if use is None:
        return None
    return {"decision": _decision_json(use.match.decision), "measured": use.match.comparison.measured}


def _measured_text(use: ReplayedUse | None) -> str:
    if use is None:
        return "no match"
    return f"{action_text(use.match.decision)} at {use.match.comparison.probability:.2f}"


def _use_json(use: ReplayedUse) -> dict[str, Any]:
    return {
        "sha256": use.picture.sha256,
        "page_url": use.place.page_url,
        "image_url": use.place.image_url,
        "first_seen": json_timestamp(use.place.first_seen_at),
        "last_seen": json_timestamp(use.place.last_seen_at),
        "probability": use.match.comparison.probability,
        "licence": use.match.licence_status.value,
    }


def _use_text(use: ReplayedUse) -> str:
    where = use.place.page_url or use.place.image_url or f"sha256 {use.picture.sha256[:12]}"
    return f"{where}  (probability {use.match.comparison.probability:.2f}; {use.match.comparison.description})"


def recipe_lines(known: Mapping[str, int], today: str) -> list[str]:
    """Return the recipes of which answers are kept, today's last, and what can be done with them."""
    if not known:
        return ["no picture was compared so far"]
    earlier = [name for name in known if name != today]
    lines = [f"{name}  {counted(known[name], 'picture')}" for name in earlier]
    lines.append(f"{today}  {counted(known.get(today, 0), 'picture')}  (today's)")
    if not earlier:
        return [*lines, "there is nothing to compare it with: no answers of another recipe are kept"]
    return [*lines, f"`guardian index compare {earlier[-1]}` compares one with today's"]
