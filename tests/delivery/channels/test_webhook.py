"""One message, signed and posted to a real receiver: what each answer means."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from guardian.delivery.channels.webhook import failure_of, signed_headers
from guardian.delivery.delivery import Delivery
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed, UsageError
from guardian.fetch.trusted import TrustedClient, TrustedResponse
from guardian.model import Message
from guardian.urls.addresses import shown_url

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BODY = '{"type":"case.opened","data":{"title":"Düne – 砂丘"}}'.encode()


MESSAGE = Message("msg_0a1b2c", "case.opened", NOW, BODY)


def with_delivery(
    receiver: Any, work: Callable[[Delivery], Awaitable[Any]], clock: Callable[[], datetime] = lambda: NOW, **env: str
) -> Any:
    destination = DestinationSettings(name="legal", url=receiver.url, secret_env=tuple(env) or ("HOOK",))
    secrets = Secrets(env or {"HOOK": receiver.secrets[0]})

    async def go() -> Any:
        async with TrustedClient() as operator:
            settings = DeliverySettings(timeout=timedelta(seconds=4))
            return await work(Delivery([destination], settings, operator, secrets, clock))

    return asyncio.run(go())


def test_the_exact_bytes_arrive_signed(receiver: Any) -> None:
    with_delivery(receiver, lambda delivery: delivery.deliver(MESSAGE, "legal"))
    (post,) = receiver.posts
    assert post.body == BODY
    assert post.signed_by == (0,)
    assert post.id == MESSAGE.id
    assert post.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert post.headers["content-type"] == "application/json"


def test_the_librarys_own_check_accepts_it_and_notices_tampering(receiver: Any) -> None:
    with_delivery(receiver, lambda delivery: delivery.deliver(MESSAGE, "legal"), clock=lambda: datetime.now(UTC))
    (post,) = receiver.posts
    webhook = Webhook(receiver.secrets[0])
    assert webhook.verify(post.body, post.headers)["type"] == "case.opened"
    with pytest.raises(Exception, match="No matching signature"):
        webhook.verify(post.body.replace(b"opened", b"closed"), post.headers)
    with pytest.raises(Exception, match="No matching signature"):
        webhook.verify(post.body, post.headers | {"webhook-id": "msg_other"})


def test_while_rotating_each_secret_signs(receiver: Any) -> None:
    new = "whsec_" + base64.b64encode(b"the secret that comes next, 32 B").decode()
    old = receiver.secrets[0]
    receiver.secrets = [old, new]
    with_delivery(receiver, lambda delivery: delivery.deliver(MESSAGE, "legal"), NEW=new, OLD=old)
    (post,) = receiver.posts
    assert post.signed_by == (0, 1)
    assert len(post.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        assert signed_headers([b"x" * 32], "msg_1", NOW, BODY)["webhook-id"] == "msg_1"
        assert Webhook(secret).sign(post.id, NOW, BODY.decode()) in post.headers["webhook-signature"]


def test_the_timestamp_is_that_of_the_attempt_the_id_is_not(receiver: Any) -> None:
    times = iter([NOW, NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1)])

    async def twice(delivery: Delivery) -> None:
        await delivery.deliver(MESSAGE, "legal")
        await delivery.deliver(MESSAGE, "legal")

    with_delivery(receiver, twice, clock=lambda: next(times))
    first, second = receiver.posts
    assert first.id == second.id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3600
    assert second.signed_by == (0,)


def failure(receiver: Any, to: str = "legal") -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as error:
        with_delivery(receiver, lambda delivery: delivery.deliver(MESSAGE, to))
    return error.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(receiver: Any, status: int) -> None:
    receiver.then(status)
    with_delivery(receiver, lambda delivery: delivery.deliver(MESSAGE, "legal"))
    assert len(receiver.accepted) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_that_says_where_it_points(receiver: Any, answer: Any, status: int) -> None:
    receiver.then(answer(status, {"Location": "https://new.example/hook?token=abc"}))
    failed = failure(receiver)
    assert f"answered {status}, pointing to https://new.example/hook; redirects are not followed" in str(failed)
    assert "token" not in str(failed)
    assert not failed.permanent
    assert len(receiver.posts) == 1


def test_410_disables_and_is_permanent(receiver: Any) -> None:
    receiver.then(410)
    failed = failure(receiver)
    assert failed.disable
    assert failed.permanent


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 502, 503, 504])
def test_other_answers_are_tried_again(receiver: Any, answer: Any, status: int) -> None:
    receiver.then(answer(status, {"Retry-After": "90"}, b"no,\x00\nnot  now\xff"))
    failed = failure(receiver)
    assert f"answered {status}: no, not now" in str(failed)
    assert (failed.permanent, failed.disable, failed.retry_after) == (False, False, timedelta(seconds=90))


@pytest.mark.parametrize("way", ["reset", "hang", "drip_head"])
def test_no_answer_is_tried_again(receiver: Any, answer: Any, way: str) -> None:
    receiver.then(answer(way=way))
    failed = failure(receiver)
    assert not failed.permanent
    assert receiver.url in str(failed)


def test_an_unknown_destination_is_dead_at_once(receiver: Any) -> None:
    failed = failure(receiver, to="gone")
    assert failed.permanent
    assert "no destination gone" in str(failed)
    assert receiver.posts == []


def test_without_its_secret_nothing_is_sent_and_the_message_waits(receiver: Any) -> None:
    with pytest.raises(DeliveryFailed, match="HOOK is not set") as error:
        with_delivery(receiver, lambda delivery: delivery.deliver(MESSAGE, "legal"), HOOK="")
    assert not error.value.permanent
    assert receiver.posts == []


def test_a_test_event_is_signed_and_each_one_is_new(receiver: Any) -> None:
    times = iter(NOW + timedelta(seconds=number) for number in range(100))

    async def twice(delivery: Delivery) -> tuple[str, str]:
        return await delivery.send_test("legal"), await delivery.send_test("legal")

    ids = with_delivery(receiver, twice, clock=lambda: next(times))
    assert [post.id for post in receiver.posts] == list(ids)
    assert ids[0] != ids[1]
    event = json.loads(receiver.posts[0].body)
    assert (event["type"], event["timestamp"]) == ("destination.test", "2026-11-24T12:00:00.000Z")
    with pytest.raises(UsageError, match="there are: legal"):
        with_delivery(receiver, lambda delivery: delivery.send_test("other"))


def test_retry_after_lets_the_whole_destination_rest(receiver: Any, answer: Any) -> None:
    now = [NOW]
    receiver.then(answer(429, {"Retry-After": "60"}))

    async def rest(delivery: Delivery) -> list[bool]:
        seen = [delivery.is_resting("legal")]
        with pytest.raises(DeliveryFailed):
            await delivery.deliver(MESSAGE, "legal")
        for seconds in (0, 59, 61):
            now[0] = NOW + timedelta(seconds=seconds)
            seen.append(delivery.is_resting("legal"))
        return seen

    assert with_delivery(receiver, rest, clock=lambda: now[0]) == [False, True, True, False]


def test_addresses_are_shown_without_what_may_be_secret() -> None:
    assert shown_url("https://me:pw@host.example:8443/a/b?token=1#x") == "https://host.example:8443/a/b"
    assert shown_url("/elsewhere?x=1") == "/elsewhere"
    assert shown_url("http://[bad") == "an unreadable address"


@pytest.mark.parametrize(
    ("url", "status", "body", "service"),
    [
        ("https://hooks.slack.com/services/T0/B0/secret", 400, b"no_text", "Slack"),
        ("https://discord.com/api/webhooks/1/secret", 400, b'{"message": "Cannot send an empty message"}', "Discord"),
        ("https://chat.googleapis.com/v1/spaces/A/messages?key=k", 400, b"INVALID_ARGUMENT", "Google Chat"),
        ("https://firm.webhook.office.com/webhookb2/secret", 400, b"Summary or Text is required.", "Microsoft Teams"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/1", 400, b"", "Microsoft Teams"),
        ("https://discordapp.com/api/webhooks/1/secret", 415, b"", "Discord"),
    ],
)
def test_a_chat_service_that_wants_its_own_body_is_explained(url: str, status: int, body: bytes, service: str) -> None:
    failure = failure_of(TrustedResponse(status, (), body), url, NOW)
    assert failure is not None
    assert f"answered {status}" in str(failure)
    assert body.decode() in str(failure), "what it answered is shown too"
    assert f"{service} takes only messages of its own form" in str(failure)
    assert not failure.permanent, "the address may be corrected, and the message still goes out"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://legal.example/hook", 400),
        ("https://hooks.slack.com/services/T0", 503),
        ("https://notdiscord.com/api", 400),
        ("https://discord.com.thief.example/", 400),
    ],
)
def test_other_receivers_and_other_answers_are_not(url: str, status: int) -> None:
    failure = failure_of(TrustedResponse(status, (), b"broken"), url, NOW)
    assert failure is not None
    assert str(failure).endswith(f"answered {status}: broken")


def test_a_success_that_says_it_failed_is_none() -> None:
    said = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 400"
    url = "https://firm.webhook.office.com/webhookb2/1"
    assert failure_of(TrustedResponse(200, (), said), url, NOW) is not None
    assert failure_of(TrustedResponse(200, (), b"1"), url, NOW) is None
