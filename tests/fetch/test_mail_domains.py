"""Whether a domain takes mail, asked of a real name server on loopback."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns.asyncresolver import Resolver

from guardian.fetch.mail_domains import MailDomain, mail_domain

_RECORDS = {
    ("host.net.", "MX"): "10 mx.host.net.",
    ("web.net.", "A"): "192.0.2.7",
    ("six.net.", "AAAA"): "2001:db8::7",
    ("never.net.", "MX"): "0 .",
    ("texts.net.", "TXT"): '"nothing"',
}
_KNOWN = {name for name, _ in _RECORDS}


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    """A resolver that asks a name server of a few records."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        yield resolver
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", ("127.0.0.1", port))
        thread.join()


def _serve(server: socket.socket) -> None:
    while True:
        asked, whence = server.recvfrom(4096)
        if asked == b"end":
            return
        query = dns.message.from_wire(asked)
        (question,) = query.question
        answer = dns.message.make_response(query)
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        if (name, kind) in _RECORDS:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, _RECORDS[name, kind]))
        elif name == "broken.net.":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in _KNOWN:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(answer.to_wire(), whence)


@pytest.mark.parametrize(
    ("domain", "takes"),
    [
        ("host.net", MailDomain.TAKES_MAIL),
        ("web.net", MailDomain.TAKES_MAIL),
        ("six.net", MailDomain.TAKES_MAIL),
        ("never.net", MailDomain.REFUSES_MAIL),
        ("texts.net", MailDomain.HAS_NO_SERVER),
        ("nowhere.net", MailDomain.IS_UNKNOWN),
        ("broken.net", MailDomain.NOT_ASKED),
        # Reserved names are never asked about.
        ("host.example", MailDomain.IS_RESERVED),
        ("a" * 64 + ".net", MailDomain.IS_UNKNOWN),
    ],
)
def test_what_name_servers_say_of_a_domain(resolver: Resolver, domain: str, takes: MailDomain) -> None:
    assert asyncio.run(mail_domain(domain, resolver)) is takes


def test_without_a_name_server_nothing_is_said_against_a_domain() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.timeout = ["127.0.0.1"], port, 0.2
    found = asyncio.run(mail_domain("host.net", resolver))
    assert found is MailDomain.NOT_ASKED
