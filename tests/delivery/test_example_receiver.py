"""The receiver that the documents show, run as a reader would run it, told by guardian's own delivery."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.delivery.delivery import Delivery
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed
from guardian.fetch.trusted import TrustedClient
from guardian.model import Message

EXAMPLE = Path(__file__).parents[2] / "examples" / "receive_webhook.py"
SECRET = "whsec_Z3VhcmRpYW4gdGVzdHM6IGEgc2VjcmV0IG9mIDMyIEIu"
OTHER = "whsec_YSBzZWNyZXQgdGhhdCBub2JvZHkgZWxzZSBrbm93cy4u"


@contextmanager
def running_example(inbox: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(EXAMPLE), "--port", "0", "--inbox", str(inbox)]
    environment = os.environ | {"GUARDIAN_WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def deliver(url: str, secret: str, times: int) -> None:
    now = datetime.now(UTC)
    body = '{"type":"case.opened","timestamp":"2026-11-24T12:00:00Z","data":{"title":"Düne"}}'.encode()
    message = Message("msg_1", "case.opened", now, body)
    destination = DestinationSettings(name="legal", url=url, secret_env="HOOK")

    async def go() -> None:
        async with TrustedClient() as operator:
            secrets = Secrets({"HOOK": secret})
            delivery = Delivery([destination], DeliverySettings(), operator, secrets, lambda: datetime.now(UTC))
            for _ in range(times):
                await delivery.deliver(message, "legal")

    asyncio.run(go())


def test_it_verifies_drops_repeats_and_remembers_over_a_restart(tmp_path: Path) -> None:
    with running_example(tmp_path / "inbox.db") as process:
        url = line(process).removeprefix("receiving on ")
        deliver(url, SECRET, times=2)
        told = [line(process) for _ in range(5)]
        assert told[0].startswith("case.opened msg_")
        assert told[2] == '"title": "Düne"'
        assert told[4] == told[0].replace("case.opened", "repeated")
        with pytest.raises(DeliveryFailed, match="answered 401"):
            deliver(url, OTHER, times=1)
        assert line(process) == "refused: No matching signature found"
    with running_example(tmp_path / "inbox.db") as process:
        deliver(line(process).removeprefix("receiving on "), SECRET, times=1)
        assert line(process) == told[4]
