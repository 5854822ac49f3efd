"""Findings become cases: the only transitions there are, and the messages they cause."""

from guardian.cases.messages import compose
from guardian.cases.operators import operator
from guardian.cases.recording import record, review
from guardian.cases.uses import Kept, RecordedUse

__all__ = ["Kept", "RecordedUse", "compose", "operator", "record", "review"]
