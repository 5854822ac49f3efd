"""One spelling per address, and who operates a host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.urls.addresses import (
    address_key,
    canonical_url,
    escape_unprintable,
    host_of,
    is_ip_address,
    registrable_domain,
    with_ascii_host,
)


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("https://☕.example", "https://xn--53h.example"),
        ("https://me:pw@☕.example:8443/a?b=ä#c", "https://me:pw@xn--53h.example:8443/a?b=ä#c"),
        ("https://Bücher.example/ü", "https://xn--bcher-kva.example/ü"),
        ("https://PLAIN.example:443/hook", "https://PLAIN.example:443/hook"),
        ("http://[::1]:80/ä", "http://[::1]:80/ä"),
        ("no address ☕", "no address ☕"),
    ],
)
def test_hosts_as_the_dns_holds_them(written: str, asked: str) -> None:
    assert with_ascii_host(written) == asked


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:443/a", "http://example.com:443/a"),
        ("https://user:secret@example.com/", "https://example.com/"),
        ("https://example.com./a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/../../a/..", "https://example.com/"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://example.com/?b=2&utm_source=x&a=1&fbclid=y&gclid=z", "https://example.com/?b=2&a=1"),
        ("https://example.com/?UTM_Medium=x", "https://example.com/"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/%7euser/%c3%a4", "https://example.com/~user/%C3%A4"),
        ("https://example.com/ä b", "https://example.com/%C3%A4%20b"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://Bücher.example/", "https://xn--bcher-kva.example/"),
        ("  https://exa\nmple.com/a\tb ", "https://example.com/ab"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://[2001:DB8:0:0::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("file:///tmp/a%20b.png", "file:///tmp/a%20b.png"),
    ],
)
def test_spellings_of_one_address_become_one(spelling: str, canonical: str) -> None:
    assert canonical_url(spelling) == canonical


def test_meaningful_differences_stay() -> None:
    pairs = [
        ("https://example.com/a", "https://example.com/a/"),
        ("https://example.com/A", "https://example.com/a"),
        ("https://example.com/?a=1&b=2", "https://example.com/?b=2&a=1"),
        ("https://example.com/a%2Fb", "https://example.com/a/b"),
        ("http://example.com/", "https://example.com/"),
    ]
    for left, right in pairs:
        assert canonical_url(left) != canonical_url(right)


def test_keys_take_http_and_https_as_one_but_not_other_ports() -> None:
    assert address_key("http://example.com/a") == address_key("https://example.com:443/a#x")
    assert address_key("http://example.com:8080/") != address_key("https://example.com:8080/")


@pytest.mark.parametrize(
    "other",
    [
        "https://a.example/p?PHPSESSID=9f&x=1",
        "http://a.example/p;jsessionid=AB12.node1?x=1",
        "http://a.example/(S(abcdefghijklmnopqrstuvwx))/p?x=1",
        "https://A.example/p?x=1&sid=0f3a9c41d7b84e2aa6c5d1e0937b42fe",
    ],
)
def test_a_session_id_names_no_other_page(other: str) -> None:
    assert address_key(other) == address_key("https://a.example/p?x=1")


def test_what_may_be_the_name_of_a_story_is_no_session_id() -> None:
    assert address_key("https://a.example/news?sid=77") != address_key("https://a.example/news?sid=78")


addresses = st.one_of(
    st.text(),
    st.builds(
        "{}://{}{}?{}#{}".format,
        st.sampled_from(["http", "https", "HTTP", "file", "ftp"]),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["example.com", "exämple.com", "１２７.0.0.1", "[::1]", "a:99", "u:p@h", "xn--a", "0x7f"]),
        ),
        st.text(alphabet=st.sampled_from("/.%aé2F~\\ ;:@\x00\ud800")),
        st.text(alphabet=st.sampled_from("&=%utm_aé2F~?\\ +")),
        st.text(max_size=5),
    ),
)


@given(addresses)
def test_canonical_is_idempotent_and_printable(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once
    assert address_key(address_key(url)) == address_key(url)
    assert once.isascii()
    assert once.isprintable()


@given(addresses)
def test_host_survives_canonicalisation(url: str) -> None:
    if url.strip().lower().startswith(("http://", "https://")) and host_of(url):
        assert host_of(canonical_url(url)) == host_of(url)


@given(st.text())
def test_registrable_domain_never_fails_and_is_stable(host: str) -> None:
    assert registrable_domain(registrable_domain(host)) == registrable_domain(host)


@pytest.mark.parametrize(
    ("host", "operator"),
    [
        ("www.shop.example.co.uk", "example.co.uk"),
        ("alice.github.io", "alice.github.io"),
        ("www.alice.github.io", "alice.github.io"),
        ("github.io", "github.io"),
        ("Example.com", "example.com"),
        ("www.bücher.de", "xn--bcher-kva.de"),
        ("localhost", "localhost"),
        ("203.0.113.9", "203.0.113.9"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_operators_of_hosts(host: str, operator: str) -> None:
    assert registrable_domain(host) == operator


def test_host_of() -> None:
    assert host_of("https://WWW.Example.com:8443/x") == "www.example.com"
    assert host_of("http://[::1]:80/") == "::1"
    assert host_of("http://１２７.0.0.1/") == "127.0.0.1"
    assert host_of("file:///tmp/a.png") == ""
    assert host_of("http://[broken") == ""
    assert host_of("not an address") == ""
    assert is_ip_address("::1")
    assert not is_ip_address("example.com")


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("💩.example", "xn--ls8h.example"),
        ("I❤.example", "xn--i-7iq.example"),
        ("ä_b.example", "xn--_b-uia.example"),
        ("shop。example", "shop.example"),
        ("ü" * 60 + ".example", ""),
        ("a\u2488.example", ""),
    ],
)
def test_international_names_are_read_as_browsers_read_them(written: str, host: str) -> None:
    assert host_of(f"https://{written}/") == host
    assert host_of(f"https://{host}/") == host


@given(st.text())
def test_what_is_printed_moves_no_terminal_and_stays(text: str) -> None:
    once = escape_unprintable(text)
    assert once.isprintable()
    assert escape_unprintable(once) == once
    assert not text.isprintable() or once == text
