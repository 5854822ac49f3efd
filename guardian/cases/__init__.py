"""Groups findings into cases. The only place that changes the state of a case, and that writes messages about one."""

from guardian.cases.messages import compose
from guardian.cases.operators import operator
from guardian.cases.recording import record, review
from guardian.cases.uses import Kept, RecordedUse

__all__ = ["Kept", "RecordedUse", "compose", "operator", "record", "review"]
