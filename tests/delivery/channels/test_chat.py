"""Text by e-mail and chat, against a real mail server on loopback."""

import asyncio
import email
import email.policy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from guardian.delivery.channels.channel import Picture, Pictures, no_pictures
from guardian.delivery.channels.chat import ChatChannel
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed, UsageError
from guardian.model import Message
from guardian.views.message_texts import message_body, message_title

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DATA = {
    "case": {"id": "case_1", "operator": "thief.example", "state": "open", "severity": "high"},
    "asset": {"id": "asset_1", "title": "Düne\r\nBcc: all@firm.example"},
    "page_url": "https://thief.example/1",
    "image_url": "https://cdn.example/i.jpg",
    "recovered": {"description": "mirrored, cropped to 41 %"},
    "measured": {"probability": 0.98765},
    "rule": {"name": "copies"},
    "licence": "lapsed",
}


class Mailbox:
    """Takes mail, or refuses all of it."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer, self.got = answer, list[Envelope]()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.got.append(envelope)
        return self.answer


def message(type_: str = "case.opened", data: Any = DATA) -> Message:
    body = json.dumps({"type": type_, "timestamp": "2026-11-24T12:00:00.000Z", "data": data})
    return Message("msg_1", type_, NOON, body.encode())


def channel(address: str, pictures: Pictures = no_pictures) -> ChatChannel:
    destination = DestinationSettings(name="desk", kind="chat", secret_env=("DESK",))
    delivery = DeliverySettings(desk_url="https://desk.firm.example/")
    return ChatChannel(destination, delivery, Secrets({"DESK": address}), pictures)


def with_server(mailbox: Mailbox, then: Callable[[str], Any]) -> None:
    """Run `then` with the address of a mail server."""

    async def go() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await then(f"mailto://127.0.0.1:{port}/?from=guardian@firm.example&to=legal@firm.example&mode=insecure")

    asyncio.run(go())


def test_a_mail_says_what_a_person_needs_and_nothing_else_can_be_smuggled_in() -> None:
    mailbox = Mailbox()
    with_server(mailbox, lambda address: channel(address).send(message()))
    (envelope,) = mailbox.got
    assert envelope.rcpt_tos == ["legal@firm.example"]
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["subject"] == "guardian: Copy found “Düne Bcc: all@firm.example” at thief.example"
    assert mail["bcc"] is None
    text = mail.get_content()
    for line in (
        "operator: thief.example",
        "severity: high",
        "page: https://thief.example/1",
        "what was done to it: mirrored, cropped to 41 %",
        "probability of a copy: 98.8 %",
        "https://desk.firm.example/cases/case_1",
    ):
        assert line in text.splitlines()


def test_the_two_pictures_come_with_it() -> None:
    async def pictures(message: Message) -> list[Picture]:
        return [Picture("yours.jpg", b"\xff\xd8one"), Picture("found.jpg", b"\xff\xd8other")]

    mailbox = Mailbox()
    with_server(mailbox, lambda address: channel(address, pictures).send(message()))
    content = mailbox.got[0].content
    assert isinstance(content, bytes)
    mail = email.message_from_bytes(content, policy=email.policy.default)
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}  # type: ignore[attr-defined]
    assert attached == {"yours.jpg": b"\xff\xd8one", "found.jpg": b"\xff\xd8other"}


def test_a_refusal_is_a_failure_that_is_tried_again() -> None:
    async def send(address: str) -> None:
        with pytest.raises(DeliveryFailed, match="desk did not accept it") as raised:
            await channel(address).send(message())
        assert not raised.value.permanent
        assert address not in str(raised.value)

    with_server(Mailbox("554 no"), send)


def test_an_address_that_is_none_is_named_without_being_shown() -> None:
    with pytest.raises(UsageError, match="environment variable DESK holds no address") as raised:
        channel("nonsense://secret").require_secrets()
    assert "secret" not in str(raised.value)
    channel("mailto://127.0.0.1/?from=a@b.example&to=c@d.example").require_secrets()


@pytest.mark.parametrize(
    ("type_", "data", "title", "line"),
    [
        (
            "licence.lapsing",
            {"licence": {"place": "a.example", "valid_until": "2026-12-24", "days_left": 1}},
            "guardian: A licence ends soon a.example",
            "licence: a.example until 2026-12-24, 1 day left",
        ),
        (
            "licence.lapsed",
            {"licence": {"place": "a.example", "collection": "shop", "valid_until": "2026-11-23", "days_left": None}},
            "guardian: A licence has ended a.example",
            "licence: a.example for the collection shop until 2026-11-23",
        ),
        (
            "case.dismissed",
            DATA | {"change": {"kind": "dismissed", "by": "mara", "note": "ours", "detail": "permitted"}},
            None,
            "dismissed: mara permitted ours",
        ),
        (
            "digest",
            {"count": 1, "events": [{"type": "case.opened", "case": DATA["case"], "asset": {"title": "Dune"}}]},
            "guardian: What came since the last digest",
            "Copy found: “Dune” at thief.example (case_1)",
        ),
        (
            "source.silent",
            {"source": "shop", "detail": "for 3 days"},
            "guardian: A source is silent shop",
            "detail: for 3 days",
        ),
        ("case.unknown", {}, "guardian: case.unknown", None),
    ],
)
def test_every_event_reads_well(type_: str, data: dict[str, Any], title: str | None, line: str | None) -> None:
    assert title is None or message_title(type_, data) == title
    assert line is None or line in message_body(type_, data, None).splitlines()


def test_a_case_is_named_where_nobody_has_said_how_people_reach_the_desk() -> None:
    assert message_body("case.opened", DATA, None).splitlines()[-1] == "case: case_1"


def test_settings_of_both_kinds() -> None:
    DestinationSettings(name="a", kind="chat", secret_env="X")  # type: ignore[arg-type]
    for wrong in ({"kind": "chat", "url": "https://a.example/"}, {"kind": "webhook"}):
        with pytest.raises(ValueError, match="url"):
            DestinationSettings(name="a", secret_env="X", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-24T18:59:00", None),
        ("2026-11-24T19:00:00", "2026-11-25T06:30:00"),
        ("2026-11-25T02:00:00", "2026-11-25T06:30:00"),
        ("2026-11-25T06:30:00", None),
        ("2026-07-01T18:00:00", "2026-07-02T05:30:00"),
        # Clocks go forward at 01:00 on 29 March and back at 01:00 on 25 October (UTC).
        ("2026-03-28T21:00:00", "2026-03-29T05:30:00"),
        ("2026-10-24T21:00:00", "2026-10-25T06:30:00"),
    ],
)
def test_quiet_hours_follow_the_clock_of_the_place(now: str, until: str | None) -> None:
    quiet = DestinationSettings(
        name="a",
        url="https://a.example/",
        secret_env=("X",),
        quiet_hours="20:00-07:30",
        timezone="Europe/Berlin",
    )
    found = quiet.quiet_until(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


def test_quiet_hours_that_end_within_an_hour_shown_twice_end_twice() -> None:
    quiet = DestinationSettings(
        name="a", url="https://a.example/", secret_env=("X",), quiet_hours="20:00-02:30", timezone="Europe/Berlin"
    )
    night = datetime(2026, 10, 25, tzinfo=UTC)
    assert quiet.quiet_until(night) == night.replace(minute=30)
    assert quiet.quiet_until(night.replace(minute=45)) is None
    assert quiet.quiet_until(night.replace(hour=1, minute=10)) == night.replace(hour=1, minute=30)


@pytest.mark.parametrize(
    "wrong",
    [{"events": ["case.eaten"]}, {"quiet_hours": "8-9"}, {"timezone": "Berlin"}, {"digest": "weekly"}],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"case\.\*|two times|time zone|hourly"):
        DestinationSettings(name="a", url="https://a.example/", secret_env=("X",), **wrong)
