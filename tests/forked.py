"""Runs guardian's commands in processes that are forked from one that has imported guardian already.

A Python that imports all of guardian anew costs half a second of CPU time, and the tests start hundreds of commands. A
forked command is a process of its own all the same: it has its own arguments, working folder, environment, files and
exit code. `tests/cli/test_main.py` starts each command where no other one is imported. The worker processes of a
forked command are forked from it, which saves three quarters of a second each; the tests of workers start them as
guardian does.

Run as a program this is the process that forks. It serves one order at a time from its standard input, a socket.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, Any, NoReturn, Self

ROOT = Path(__file__).resolve().parent.parent
GUARDIAN = [sys.executable, "-m", "guardian"]

_LATE = (
    *("app", "preflight", "catalog.catalog", "scan.pipeline", "scan.runs", "store.backups", "web.serving"),
    *("retention", "fetch.fetcher", "fetch.credentials", "sources.kinds", "matching.kernels", "matching.workers"),
    *("matching.matcher", "matching.features.embedding", "daemon", "evidence.exporting", "evidence.recompute"),
    *("evidence.report.making", "evaluation.answering", "evaluation.report_html", "notices.pdf", "sources.cron"),
    *("memory.writer", "catalog.spreadsheet"),
)
"""Modules that commands, and their workers, import when they need them. Those of `guardian run` alone take a second."""

_CHILD = ("-u", "-m", "guardian.child_process")
_WORKER = "guardian.matching.worker_process"


def guardian(
    *words: str | Path, given: str = "", cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; return its exit code and what it wrote. Without an `environment` it has ours."""
    command = [*GUARDIAN, *map(str, words)]
    with _file(given) as stdin, _file() as out, _file() as errors:
        with running(command, (stdin, out, errors), cwd, environment) as code:
            pass
        for file in (out, errors):
            file.seek(0)
        return subprocess.CompletedProcess(command, code[0], out.read(), errors.read())


@contextmanager
def running(
    command: list[str],
    files: tuple[IO[str], IO[str], IO[str]],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[list[int]]:
    """Start a command with these standard files; when the body has ended, wait for it and append its exit code."""
    code: list[int] = []
    wanted = os.environ if environment is None else environment
    if command[: len(GUARDIAN)] != GUARDIAN or _for_python(wanted) != _for_python(os.environ):
        stdin, out, errors = files
        with subprocess.Popen(command, stdin=stdin, stdout=out, stderr=errors, cwd=cwd, env=wanted) as process:
            yield code
        code.append(process.returncode)
        return

    order = {"words": command[len(GUARDIAN) :], "cwd": str(cwd or Path.cwd()), "environment": dict(wanted)}
    with _one_at_a_time:
        door = _forking_process()
        socket.send_fds(door, [b"!"], [file.fileno() for file in files])
        door.sendall(json.dumps(order).encode() + b"\n")
        try:
            yield code
        finally:
            code.append(_exit_code(door))


class Daemon:
    """A command that goes on beside the test, used as subprocess.Popen is. `errors` takes what it writes there."""

    def __init__(self, *words: str | Path, errors: IO[str], environment: Mapping[str, str]) -> None:
        assert _for_python(environment) == _for_python(os.environ)
        order = {"words": list(map(str, words)), "cwd": str(Path.cwd()), "environment": dict(environment)}
        self.args = [*GUARDIAN, *order["words"]]
        self.returncode: int | None = None
        self._news, news_end = socket.socketpair()
        with Path(os.devnull).open("r+") as nothing, _one_at_a_time, news_end:
            door = _forking_process()
            files = (nothing, nothing, errors, news_end)
            socket.send_fds(door, [b"!"], [file.fileno() for file in files])
            door.sendall(json.dumps(order).encode() + b"\n")
        self.pid = int(_line(self._news))

    @classmethod
    def heard(cls, *words: str | Path, environment: Mapping[str, str]) -> tuple[Self, IO[str]]:
        """Start a command; return it, and what reads what it writes to standard error."""
        heard, said = os.pipe()
        with os.fdopen(said, "w") as errors:
            return cls(*words, errors=errors, environment=environment), os.fdopen(heard, encoding="utf-8")

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it is known to have ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def suspend(self) -> None:
        """Suspend it, and wait until all its threads stand still: on a busy machine that takes a while."""
        self.send_signal(signal.SIGSTOP)
        assert self._next_news(None) == "stopped", f"it ended with {self.returncode}"

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        while self.returncode is None:
            self._next_news(timeout)
        return self.returncode

    def _next_news(self, timeout: float | None) -> str:
        """Return "stopped", or the exit code, once that happens. Raises subprocess.TimeoutExpired."""
        if not select.select([self._news], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        news = _line(self._news).decode().strip()
        if news != "stopped":
            self.returncode = int(news)
        return news


_one_at_a_time = threading.Lock()


@lru_cache(maxsize=1)
def _forking_process() -> socket.socket:
    """Start the process that forks, which ends when this one does, and return the socket to it."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([sys.executable, "-m", __name__], stdin=theirs, cwd=ROOT)
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _file(content: str = "") -> IO[str]:
    """Return a temporary file at whose beginning this stands, to be given to a process."""
    file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115
    file.write(content)
    file.seek(0)
    return file


def _for_python(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what Python itself reads when it starts: a forked process cannot change it any more."""
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


def _line(door: socket.socket) -> bytes:
    """Return the next line; empty when the other side has ended. There is never more than one on its way."""
    line = bytearray()
    while not line.endswith(b"\n") and (part := door.recv(65_536)):
        line += part
    return bytes(line)


def _exit_code(door: socket.socket) -> int:
    """Return the exit code of the command that was ordered last."""
    try:
        return int(_line(door))
    except BaseException:
        # A test that ran out of time waits no longer. The answer would be taken for that to the next order.
        _forking_process.cache_clear()
        door.close()
        raise


def _serve() -> dict[str, Any]:
    """Fork a process for each order, and answer with its exit code. Returns the order in the forked process alone.

    An order with a fourth file, a socket, is for a daemon: another process waits for it and tells the socket.
    """
    # A descriptor that programs do not inherit, unlike standard input.
    door = socket.socket(fileno=os.dup(0))
    while True:
        _, files, _, _ = socket.recv_fds(door, 1, 4)
        if not files:
            os._exit(0)
        order: dict[str, Any] = json.loads(_line(door))
        forked = os.fork()
        if not forked:
            door.close()
            if len(files) == 4:
                _wait_aside(socket.socket(fileno=files.pop()))
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            return order
        for file in files:
            os.close(file)
        if len(files) == 4:
            continue
        _, status = os.waitpid(forked, 0)
        door.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _wait_aside(news: socket.socket) -> None:
    """Fork once more and return in the new process. The old one tells its id, that it was stopped, and how it ended."""
    forked = os.fork()
    if not forked:
        news.close()
        return
    news.sendall(b"%d\n" % forked)
    while True:
        _, status = os.waitpid(forked, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            news.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        news.sendall(b"stopped\n")


def _main() -> NoReturn:
    """Import guardian, then become each command that is ordered."""
    cli = importlib.import_module("guardian.cli")
    for name in cli.COMMANDS:
        importlib.import_module(f"guardian.cli.{name}")
    for name in _LATE:
        importlib.import_module(f"guardian.{name}")
    for name in ("sqlalchemy.dialects.sqlite", "psycopg", "httpcore", "scipy.fftpack"):
        importlib.import_module(name)
    # A forked process has no thread of OpenCV's pool, but would wait for them.
    importlib.import_module("cv2").setNumThreads(1)
    _load_once()
    # What is never looked at again stays shared with the forked processes.
    gc.collect()
    gc.freeze()

    order = _serve()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv[1:] = order["words"]
    # Opened anew as Python does: whether a stream is a terminal, and where it stands, is asked once.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", errors=sys.stdout.errors, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors=sys.stderr.errors, closefd=False)
    subprocess.Popen = _Popen  # type: ignore[misc]
    ended = 0
    try:
        cli.main()
    except SystemExit as error:
        ended = error.code if isinstance(error.code, int) else 1
    _end(ended)


def _load_once() -> None:
    """Load what each command that fetches, and each worker, would load for itself: a quarter of a second together."""
    modules = sys.modules
    modules["guardian.matching.kernels"].load()
    confidence = modules["guardian.matching.verify.confidence"]
    confidence.fitted(confidence.FITTED)
    modules["guardian.fetch.tls"].verifying_context()


class _Popen(subprocess.Popen):  # type: ignore[type-arg]
    """Starts processes as ever, but forks workers: what they import has been imported here."""

    def __init__(self, args: Any, *more: Any, **named: Any) -> None:
        if tuple(args[1:4]) == _CHILD and args[5] == _WORKER:
            # It is called where the new process would become another program, and never returns.
            named["preexec_fn"] = partial(_become_child, list(args[4:]))
        super().__init__(args, *more, **named)


def _become_child(words: list[str]) -> NoReturn:
    """Do in this forked process what `python -m guardian.child_process` with these words does."""
    ended = 1
    try:
        signal.set_wakeup_fd(-1)
        # What a new program would not have either. The parent waits until one of these files is closed.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        gc.freeze()
        sys.argv[1:] = words
        runpy.run_module(_CHILD[-1], run_name="__main__", alter_sys=True)
        ended = 0
    except SystemExit as error:
        ended = error.code if isinstance(error.code, int) else 1
    finally:
        os._exit(ended)


def _end(code: int) -> NoReturn:
    """End as forked processes of multiprocessing do: taking apart what all share would copy it first."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
