"""Asks a plan's questions of the worker processes, as many at once as there are workers, and keeps every answer."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from guardian.concurrency import run_all
from guardian.errors import WorkerLost
from guardian.evaluation.answering import Answer, answer
from guardian.evaluation.journal import Journal
from guardian.evaluation.questions import Question
from guardian.matching.workers import Workers

_HOSTS = 24
"""So many strangers serve as hosts and neighbours of edits: each worker keeps them decoded."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All questions, and the files that edits may use.

    `catalogue` names what is searched: its newest asset number and how many there are.
    """

    questions: tuple[Question, ...]
    hosts: tuple[str, ...]
    catalogue: str

    def key(self, recipe: str) -> str:
        """Name the plan under a recipe of answers, in 16 hex digits."""
        words = [recipe, self.catalogue, *self.hosts]
        words += [f"{question.id} {question.path}" for question in self.questions]
        return hashlib.sha256("\n".join(words).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def hosts_among(strangers: Sequence[Path]) -> tuple[str, ...]:
    """Return the strangers that edits use, spread over all of them."""
    step = max(1, len(strangers) // _HOSTS)
    return tuple(str(path) for path in strangers[::step][:_HOSTS])


async def asked(workers: Workers, plan: Plan, folder: Path, answered: Callable[[int], None]) -> dict[str, Answer]:
    """Return the answers to all questions by their ids; those that a killed run has noted are not asked again.

    `answered` is called with the number of answers after each. The answers depend on the plan alone, not on the number
    of workers. Raises IndexNotReady.
    """
    journal = Journal(folder, plan.key(workers.report_recipe))
    journal.forget_others()
    answers = journal.known()
    answered(len(answers))
    waiting = iter([question for question in plan.questions if question.id not in answers])

    async def work() -> None:
        # Each takes the next question, so neighbours (edits of one file) are asked at about the same time.
        for question in waiting:
            try:
                given = await workers.run_with_matcher(answer, question, plan.hosts)
            except WorkerLost as error:
                given = Answer.failed(question.id, str(error))
            answers[question.id] = given
            journal.note(given)
            answered(len(answers))

    try:
        await run_all(work() for _ in range(workers.count))
    finally:
        journal.close()
    return answers
