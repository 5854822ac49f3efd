"""The answers so far, a line each, so that an evaluation that was killed goes on where it was."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from guardian.evaluation.answering import Answer


class Journal:
    """A file of answers to the questions of one plan; another plan, recipe or catalogue is another file."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / f"answers-{key}.jsonl"
        self._file: TextIO | None = None

    def known(self) -> dict[str, Answer]:
        """Return the answers by question; a line that was cut off by a kill is left out, and asked again."""
        if not self.path.exists():
            return {}
        answers = {}
        whole = self.path.read_text(encoding="utf-8").split("\n")[:-1]
        for line in whole:
            try:
                answer = Answer.of_json(json.loads(line))
            except ValueError:
                continue
            answers[answer.question] = answer
        return answers

    def note(self, answer: Answer) -> None:
        """Append an answer; it is in the file when this returns."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._end_cut_line()
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(json.dumps(answer.as_json()) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def forget_others(self) -> None:
        """Delete the answers of other plans, which nobody goes on with."""
        for file in _journals(self.path.parent):
            if file != self.path:
                file.unlink(missing_ok=True)

    def _end_cut_line(self) -> None:
        """Let what is appended begin on a line of its own, whatever a kill left there."""
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)


def _journals(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("answers-*.jsonl"))
