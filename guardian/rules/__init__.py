"""Rule files -> Rules; decide(...) -> Decision. Judges what others measured and cannot measure itself."""

from guardian.rules.files import load
from guardian.rules.rules import NO_RULE, Rule, Rules, Verdict
from guardian.rules.use import Use

__all__ = ["NO_RULE", "Rule", "Rules", "Use", "Verdict", "load"]
