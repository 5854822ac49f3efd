"""What one step of a capture hands back: the files it took, what it could not take and why, what it noticed."""

from dataclasses import dataclass

from guardian.errors import GuardianError, IndexNotReady, WorkerLost, WorkersUnavailable
from guardian.model import EvidenceFile, NotTaken


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step of a capture took, what it could not take, and the differences that it saw, in sentences.

    `is_worth_repeating`: this machine failed at a part, so that another capture may have it.
    """

    files: tuple[EvidenceFile, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    differences: tuple[str, ...] = ()
    is_worth_repeating: bool = False


def reason_of(error: GuardianError | OSError) -> str:
    """Return why something was not taken; where this machine failed at it, also that it can be tried again."""
    if is_fault_of_machine(error):
        return f"{error}. This machine failed at it, which says nothing of the pictures: a new capture tries again"
    return str(error)


def is_fault_of_machine(error: Exception) -> bool:
    """Return whether a machine that was busy, or out of memory, failed: at another time it may succeed."""
    return isinstance(error, (WorkerLost, WorkersUnavailable, IndexNotReady))


def combined(*steps: StepResult) -> StepResult:
    """Return what several steps took, in their order."""
    return StepResult(
        files=tuple(file for step in steps for file in step.files),
        not_taken=tuple(one for step in steps for one in step.not_taken),
        differences=tuple(sentence for step in steps for sentence in step.differences),
        is_worth_repeating=any(step.is_worth_repeating for step in steps),
    )
