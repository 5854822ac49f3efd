"""What rules decided, in words."""

from guardian.model import NO_RULE, Decision


def action_text(decision: Decision) -> str:
    """Return the action and, when there is one, its severity: "alert (high)", "ignore"."""
    severity = f" ({decision.severity.value})" if decision.severity else ""
    return f"{decision.action.value}{severity}"


def decided_by_text(decision: Decision) -> str:
    """Return which rule decided, as the end of a sentence: "by rule “copies”"."""
    return f"since {NO_RULE}" if decision.rule == NO_RULE else f"by rule “{decision.rule}”"
