"""No address inside the network is reached, however it is written and wherever it comes from."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from guardian.errors import FetchRefused
from guardian.fetch.ssrf_guard import BlockedAddress, guarded_socket, refusal, refusal_text
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from guardian.model import Response
from tests import websites
from tests.websites import Site, running

Get = Callable[..., Response]

BLOCKED = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.1", "192.0.0.170",
    "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "fe80::a9fe:a9fe", "fc00::1",
    "fd00:ec2::254", "fd12:3456:789a::1", "fec0::1", "ff02::1", "ff0e::1", "100::1", "2001:db8::1", "2001::1",
    "2001:10::1", "3fff::1", "5f00::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.1.2.3",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:100.64.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1",
    "::169.254.169.254", "::10.0.0.1", "::ffff:168.63.129.16", "64:ff9b::168.63.129.16",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "169.253.0.1", "172.15.0.1", "172.32.0.1",
    "192.167.0.1", "11.0.0.1", "126.0.0.1", "128.0.0.1", "223.255.255.254", "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip
INNER = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
    "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/127", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "100::/64", "64:ff9b:1::/48",
    "2001::/32", "5f00::/16",
]  # fmt: skip
CARRIERS: list[Callable[[int], int]] = [
    lambda inner: int(IPv6Address("::ffff:0:0")) | inner,
    lambda inner: int(IPv6Address("::ffff:0:0:0")) | inner,
    lambda inner: int(IPv6Address("64:ff9b::")) | inner,
    lambda inner: int(IPv6Address("2002::")) | inner << 80,
]


@pytest.mark.parametrize("address", BLOCKED)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert refusal(ip_address(address), ())


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    assert refusal(ip_address(address), ()) is None


def inner_addresses(version: int | None = None) -> some.SearchStrategy[IPv4Address | IPv6Address]:
    networks = [ip_network(one) for one in INNER if version in (None, ip_network(one).version)]
    return some.sampled_from(networks).flatmap(
        lambda network: some.integers(0, network.num_addresses - 1).map(lambda offset: network[offset])
    )


@given(inner_addresses())
def test_every_address_of_the_inner_networks_is_refused(address: IPv4Address | IPv6Address) -> None:
    assert refusal(address, ())


@given(inner_addresses(version=4), some.sampled_from(CARRIERS), some.integers(0, 2**80 - 1))
def test_no_ipv6_address_carries_an_inner_one_past_the_guard(
    address: IPv4Address, carrier: Callable[[int], int], rest: int
) -> None:
    carried = carrier(int(address))
    assert refusal(IPv6Address(carried), ())
    if carried >> 112 == 0x2002:
        assert refusal(IPv6Address(carried | rest), ())


def test_networks_may_be_allowed_one_by_one() -> None:
    allowed = (IPv4Network("10.1.0.0/16"), IPv6Network("fd00::/8"))
    assert refusal(ip_address("10.1.2.3"), allowed) is None
    assert refusal(ip_address("::ffff:10.1.2.3"), allowed) is None
    assert refusal(ip_address("fd00::5"), allowed) is None
    assert refusal(ip_address("10.2.0.1"), allowed)
    assert refusal(ip_address("::1"), allowed)
    assert refusal(ip_address("169.254.169.254"), allowed)


def test_the_socket_itself_is_refused() -> None:
    make = guarded_socket((IPv4Network("127.0.0.0/8"),))
    made = make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80)))
    made.close()
    assert made.family is socket.AF_INET
    with pytest.raises(BlockedAddress, match=r"blocked address fe80::1"):
        make((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("fe80::1%eth0", 80, 0, 2)))


def refused_text(*addresses: str) -> str | None:
    """The text for people of an error that joins the refusals of these addresses, as connection libraries do."""
    texts = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with pytest.raises(BlockedAddress) as refused:
            guarded_socket(())((family, socket.SOCK_STREAM, 0, "", (address, 80)))
        texts.append(str(refused.value))
    return refusal_text(f"Multiple exceptions: {', '.join(texts)}]")


def test_a_refusal_names_the_setting_that_lets_its_network_through() -> None:
    allows = "; if you trust what answers there, add"
    assert refused_text("10.0.0.5") == (
        f"blocked address 10.0.0.5: not a public address{allows} 10.0.0.5/32 to fetch.allow_networks"
    )
    both = "blocked address ::1: this machine, blocked address 127.0.0.1: this machine"
    assert refused_text("::1", "127.0.0.1") == f"{both}{allows} ::1/128, 127.0.0.1/32 to fetch.allow_networks"
    assert (refused_text("64:ff9b::a01:203") or "").endswith("add 10.1.2.3/32 to fetch.allow_networks")

    for nowhere in ("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "224.0.0.1", "0.0.0.0", "240.0.0.1"):
        assert "allow_networks" not in (refused_text(nowhere) or "allow_networks")
    assert refusal_text("Connect call failed ('10.0.0.5', 80)") is None


NOTATIONS = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0x7F.0.0.0x1",
    "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "%6c%6fcalhost", "%31%32%37.0.0.1", "0", "0.0.0.0",
    "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
    "[::ffff:0:7f00:1]", "[::1%25lo]", "[fe80::1%25lo]", "169.254.169.254", "2852039166", "0xA9FEA9FE",
    "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "100.100.100.200", "user:word@127.0.0.1",
    "example.com@127.0.0.1", "127.0.0.1#@example.com", "127.0.0.1?@example.com",
]  # fmt: skip


@pytest.mark.parametrize("host", NOTATIONS)
def test_no_notation_of_an_inner_address_reaches_it(site: Site, get: Get, host: str) -> None:
    """The site listens on 127.0.0.1 and would answer; the guard has no networks allowed."""
    separator = next((sign for sign in "#?" if sign in host), "/")
    name, _, rest = host.partition(separator)
    for asked_by_person in (True, False):
        with pytest.raises(FetchRefused) as refused:
            get(f"http://{name}:{site.port}/{separator}{rest}", asked_by_person=asked_by_person, allow_networks=())
        if name in ("127.0.0.1", "[::1]"):
            assert refused.value.detail.endswith(" to fetch.allow_networks")
        # Hosts that are none at all are refused before they are looked up.
        assert refused.value.reason in ("address", "bad_address")
    assert (site.asked, site.connections) == ([], 0)


@pytest.fixture
def site_on_ipv6() -> Iterator[Site]:
    yield from running("::1")


def test_ipv6_loopback_is_reached_only_when_allowed(site_on_ipv6: Site, get: Get) -> None:
    url = site_on_ipv6.put("/", "inside")
    with pytest.raises(FetchRefused) as refused:
        get(url)
    assert (refused.value.reason, site_on_ipv6.connections) == ("address", 0)
    response = get(url, allow_networks=(ip_network("::1/128"),))
    assert (response.content, response.remote_address) == (b"inside", "::1")


class Rebinding:
    """A name server that answers as it likes, in turn; the last answer stays."""

    def __init__(self, *answers: str | tuple[str, ...]) -> None:
        self.answers = [(answer,) if isinstance(answer, str) else answer for answer in answers]
        self.asked = 0

    def __call__(self, host: str, port: int, family: int) -> list[tuple[Any, ...]]:
        addresses = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [
            info
            for address in addresses
            for info in socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        ]


def context(url: str, settings: Any, look_up: Rebinding, visits: int = 1, asked_by_person: bool = True) -> list[str]:
    """What came of so many visits by one WebClient, in words."""

    async def go() -> list[str]:
        words = []
        policy = FetchPolicy(AskedBy.PERSON if asked_by_person else AskedBy.SCAN)
        async with WebClient(settings, clock=lambda: datetime.now(UTC), look_up=look_up) as web:
            for _ in range(visits):
                try:
                    response = await web.get(url, kind="page", policy=policy)
                    words.append(f"{response.content.decode()} from {response.remote_address}")
                except FetchRefused as error:
                    words.append(error.reason)
        return words

    return asyncio.run(go())


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.7", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused(site: Site, settings: Callable[..., Any], address: str) -> None:
    names = Rebinding(address)
    words = context(f"http://harmless.example:{site.port}/", settings(allow_networks=()), names)
    assert (words, names.asked, site.connections) == (["address"], 1, 0)


def test_one_public_answer_does_not_open_the_door_for_the_others(site: Site, settings: Callable[..., Any]) -> None:
    # Every address of a name is tried in turn; the inner ones get no socket. 127.0.0.2 stands for a public one.
    only = settings(allow_networks=(ip_network("127.0.0.2/32"),))
    site.put("/", "inside")
    words = context(f"http://both.example:{site.port}/", only, Rebinding(("127.0.0.1", "::1", "10.0.0.1")))
    assert (words, site.connections) == (["address"], 0)
    for public in running("127.0.0.2"):
        public.put("/", "outside")
        words = context(f"http://both.example:{public.port}/", only, Rebinding(("10.0.0.1", "127.0.0.2")))
        assert words == ["outside from 127.0.0.2"]


def test_a_name_that_changes_between_requests_is_judged_at_each_socket(settings: Callable[..., Any]) -> None:
    """DNS rebinding: public at first, inside afterwards, on the same port."""
    only = settings(allow_networks=(ip_network("127.0.0.2/32"),))
    for public in running("127.0.0.2"):
        public.put("/robots.txt", "User-agent: *\nAllow: /", connection="close")
        public.put("/", "outside", connection="close")
        url = f"http://rebinding.example:{public.port}/"
        alone = context(url, only, Rebinding("127.0.0.2"), asked_by_person=False)
        assert alone == ["outside from 127.0.0.2"]
        names = Rebinding("127.0.0.1")
        assert context(url, only, names, visits=3, asked_by_person=False) == ["address"] * 3
        assert names.asked >= 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_inside_is_refused_at_the_door(settings: Callable[..., Any], status: str) -> None:
    only = settings(allow_networks=(ip_network("127.0.0.2/32"),))
    for outside in running("127.0.0.2"):
        for inside in running("127.0.0.1"):
            secret = inside.put("/latest/meta-data/", "secret")
            url = outside.put("/", websites.Redirect(secret, status))
            for asked_by_person in (True, False):
                assert context(url, only, Rebinding("127.0.0.2"), asked_by_person=asked_by_person) == ["address"]
            assert (inside.asked, inside.connections) == ([], 0)


def test_a_robots_file_cannot_lead_inside(settings: Callable[..., Any]) -> None:
    only = settings(allow_networks=(ip_network("127.0.0.2/32"),))
    for outside in running("127.0.0.2"):
        for inside in running("127.0.0.1"):
            outside.put("/robots.txt", websites.Redirect(inside.put("/robots.txt", "User-agent: *\nAllow: /")))
            url = outside.put("/", "page")
            assert context(url, only, Rebinding("127.0.0.2"), asked_by_person=False) == ["address"]
            assert inside.connections == 0
            assert outside.paths() == []


def test_a_proxy_of_the_environment_opens_no_way_round(
    site: Site, settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, site.url)
    words = context("http://harmless.example/", settings(allow_networks=()), Rebinding("10.0.0.1"))
    assert (words, site.connections) == (["address"], 0)
