"""The commands that tests fork: what one of them was asked is answered to nobody else."""

import socket

import pytest

from tests import forked


def test_a_test_that_no_longer_waits_leaves_no_answer_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when it runs out of time: the next command would be told the exit code of this one."""

    def out_of_time(_: socket.socket) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(forked, "_line", out_of_time)
        with pytest.raises(KeyboardInterrupt):
            forked.guardian("no-such-command")
    assert forked.guardian("--version").returncode == 0
