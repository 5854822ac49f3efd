"""guardian on a set, by its command line: init, asset add, check --json --all."""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.methods import Guess, Outcome
from bench.sets import BenchSet
from guardian.matching.settings import EmbeddingSettings


@dataclass(frozen=True)
class Ours:
    """The outcome as for every method, and what only guardian says: which queries its rules alert about."""

    outcome: Outcome
    alerted: tuple[str | None, ...]
    protect_ms: float


def measure(pictures: BenchSet, seen: Callable[[], None], descriptor: EmbeddingSettings | None = None) -> Ours:
    """Protect the references and check every query. `alerted` holds the file name of the reference, or None."""
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        home = Path(name)
        _run("init", home / "watch")
        config = home / "watch" / "config.yaml"
        if descriptor is not None:
            embedding = descriptor.model_dump(include={"kind", "weights", "image_size"})
            config.write_text(config.read_text(encoding="utf-8") + f"\nembedding: {json.dumps(embedding)}\n")
        folders = sorted({path.parent for path in pictures.refs})
        protecting = _cpu_seconds()
        _run("asset", "add", *folders, "--collection", "bench", "--config", config)
        protected = _cpu_seconds()
        asked = home / "queries"
        asked.mkdir()
        for number, query in enumerate(pictures.queries):
            (asked / f"{number:06}{query.path.suffix}").symlink_to(query.path.resolve())
        answers = _answers(asked, config, seen)
        done = _cpu_seconds()
    ordered = [answers.get(number, []) for number in range(len(pictures.queries))]
    name = "guardian" if descriptor is None else "guardian with it"
    outcome = Outcome(name, tuple(map(_strongest, ordered)), 1000 * (done - protected) / len(ordered))
    return Ours(outcome, tuple(map(_alerted, ordered)), 1000 * (protected - protecting) / len(pictures.refs))


def _answers(asked: Path, config: Path, seen: Callable[[], None]) -> dict[int, list[dict[str, object]]]:
    """The matches of each query, by its number."""
    command = [sys.executable, "-m", "guardian", "check", "--json", "--all", str(asked), "--config", str(config)]
    answers: dict[int, list[dict[str, object]]] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            answers[int(Path(answer["target"]).stem)] = answer["matches"]
            seen()
    if process.returncode not in (0, 1, 3):
        raise SystemExit(f"guardian check ended with {process.returncode}")
    return answers


def _run(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "guardian", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ref(match: dict[str, object]) -> str:
    asset = match["asset"]
    assert isinstance(asset, dict)
    return Path(asset["path"]).name


def _strongest(matches: list[dict[str, object]]) -> Guess | None:
    if not matches:
        return None
    probability = matches[0]["probability"]
    assert isinstance(probability, float | int)
    return Guess(float(probability), _ref(matches[0]))


def _alerted(matches: list[dict[str, object]]) -> str | None:
    for match in matches:
        decision = match["decision"]
        if isinstance(decision, dict) and decision["action"] == "alert":
            return _ref(match)
    return None
