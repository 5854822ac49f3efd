"""Groups findings into cases. The only place that changes the state of a case, and that writes messages about one."""

from guardian.cases.deciding import Edit, add_note, assign, cases_of_decision, decide, label, set_due, undo
from guardian.cases.lookalikes import NotMine, call_not_mine
from guardian.cases.messages import compose
from guardian.cases.operators import operator
from guardian.cases.recording import record
from guardian.cases.uses import Kept, RecordedUse
from guardian.cases.works import join_works, split_work

__all__ = [
    "Edit",
    "Kept",
    "NotMine",
    "RecordedUse",
    "add_note",
    "assign",
    "call_not_mine",
    "cases_of_decision",
    "compose",
    "decide",
    "join_works",
    "label",
    "operator",
    "record",
    "set_due",
    "split_work",
    "undo",
]
