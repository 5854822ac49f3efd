"""Jobs for worker processes: they crash, hang, wait or eat memory. Importable by workers, light to import."""

import os
import signal
from pathlib import Path


def note(log: Path) -> None:
    """Append this process's id, in one write."""
    with log.open("ab", buffering=0) as file:
        file.write(f"{os.getpid()}\n".encode())


def crash(log: Path) -> None:
    note(log)
    os.kill(os.getpid(), signal.SIGSEGV)


def crash_at_first(log: Path) -> int:
    """Crash unless another process was here before."""
    was_here = log.exists()
    note(log)
    if not was_here:
        os.kill(os.getpid(), signal.SIGSEGV)
    return os.getpid()


def be_killed(log: Path, times: int) -> int:
    """Be killed as if from outside, unless as many processes were here before."""
    note(log)
    if len(log.read_text().split()) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def leave(log: Path, code: int) -> None:
    """End the process as a library in C may do."""
    note(log)
    os._exit(code)


def chatter() -> int:
    """Write to standard output and read standard input as libraries in C do."""
    return os.write(1, b"RETURN 5\n") + len(os.read(0, 10))


def hang(log: Path) -> None:
    note(log)
    signal.pause()


def spin(log: Path) -> None:
    note(log)
    while True:
        pass


def wait_at(gate: Path) -> int:
    """Wait until somebody opens the other end of a named pipe and closes it."""
    gate.read_bytes()
    return os.getpid()


def eat(size: int) -> int:
    return len(bytearray(size))


def ignored_signals() -> set[int]:
    return {number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN}


def limit_of_memory() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)[0]


def complain(size: int) -> int:
    """Write to standard error as libraries in C do, past Python's own object."""
    line = b"tempfile.tif: Using code not yet in table.\n"
    written = 0
    while written < size:
        written += os.write(2, line[: size - written])
    return written
