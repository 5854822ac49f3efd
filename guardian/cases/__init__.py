"""Groups findings into cases. The only place that changes the state of a case, and that writes messages about one."""

from guardian.cases.messages import compose
from guardian.cases.operators import operator
from guardian.cases.recording import record, review
from guardian.cases.uses import Kept, RecordedUse
from guardian.cases.works import join_works, split_work

__all__ = ["Kept", "RecordedUse", "compose", "join_works", "operator", "record", "review", "split_work"]
