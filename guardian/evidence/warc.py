"""Writes recorded exchanges as a WARC 1.1 file (ISO 28500:2017), each byte as it went over the connection."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import WARCWriter

from guardian.fetch.lenient import NotHttp, read_head
from guardian.fetch.recording import Exchange

END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class WarcEntry:
    """Where the answer of one exchange stands in a WARC file, in bytes, and what an index says of it."""

    url: str
    at: datetime
    status: int
    media_type: str
    digest: str
    offset: int
    length: int


def write_warc(path: Path, exchanges: list[Exchange], info: Mapping[str, str], at: datetime) -> list[WarcEntry]:
    """Write exchanges into a new file; return an entry for each that has an answer, in their order.

    `info` says who made the file and how (warcinfo), `at` is when. Each answer is followed by its request and by a
    record of the connection: the name service's answer, the remote address, TLS, times, and what is missing.
    """
    entries = []
    with path.open("wb") as file:
        writer = _Writer(file, gzip=True, warc_version="1.1")
        begin = writer.create_warcinfo_record("data.warc.gz", dict(info))
        begin.rec_headers.replace_header("WARC-Date", warc_date(at))
        writer.write_record(begin)
        for exchange in exchanges:
            offset = file.tell()
            digest = _write(writer, exchange)
            if digest is None:
                continue
            length, head = writer.answer_ends_at - offset, head_of(exchange)
            status, media_type = (head.status, _media_type(head.fields)) if head is not None else (0, "unk")
            entries.append(WarcEntry(exchange.url, exchange.began_at, status, media_type, digest, offset, length))
    return entries


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The status and headers of an answer, in the order and spelling of the wire."""

    status: int
    fields: tuple[tuple[str, str], ...]


def head_of(exchange: Exchange) -> AnswerHead | None:
    """Return the status and headers of the answer of an exchange; None when none came that could be read."""
    head, _, _ = _split(exchange.response)
    try:
        read = read_head(head)
    except NotHttp:
        return None
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in read.fields)
    return AnswerHead(read.status, fields)


def connection_json(exchange: Exchange) -> dict[str, Any]:
    """Return what is known of the connection of an exchange as JSON values; certificates by their SHA-256."""
    tls = exchange.tls
    return {
        "began_at": exchange.began_at.astimezone(UTC).isoformat(),
        "ended_at": exchange.ended_at.astimezone(UTC).isoformat(),
        "resolved": list(exchange.resolved),
        "remote_address": exchange.remote_address,
        "remote_port": exchange.remote_port,
        "tls_version": tls.version if tls else None,
        "tls_cipher": tls.cipher if tls else None,
        "certificates_sha256": [hashlib.sha256(one).hexdigest() for one in tls.chain] if tls else [],
        "certificate_problem": tls.problem if tls else None,
        "incomplete": exchange.incomplete,
        "withheld_headers": list(exchange.withheld),
    }


def warc_date(moment: datetime) -> str:
    """Return a moment as WARC 1.1 writes it: UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Writer(WARCWriter):  # type: ignore[misc]
    """warcio's writer with SHA-256 for its digests; knows where the last answer ended."""

    answer_ends_at = 0

    @staticmethod
    def _create_digester() -> Digester:
        return Digester("sha256")

    def _do_write_req_resp(self, req: Any, resp: Any, params: Any) -> None:
        self._write_warc_record(self.out, resp)
        self.answer_ends_at = self.out.tell()
        self._write_warc_record(self.out, req)


class _ExactHead(StatusAndHeaders):  # type: ignore[misc]
    """A head of HTTP that is written byte for byte as it was, and not as warcio would put it together again."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("", [])
        self.headers_buff = raw

    def __bool__(self) -> bool:
        """Say that there is a head, though nothing of it was parsed."""
        return True

    def compute_headers_buffer(self, header_filter: Any = None) -> None:
        """Leave the bytes as they are."""


def _write(writer: _Writer, exchange: Exchange) -> str | None:
    """Write one exchange; return the digest of the answer's payload, None without an answer."""
    date = {"WARC-Date": warc_date(exchange.began_at)}
    request = _http_record(writer, exchange.url, "request", exchange.request, date) if exchange.request else None
    digest = None
    if exchange.response:
        response = _http_record(writer, exchange.url, "response", exchange.response, date | _facts(exchange))
        digest = response.rec_headers.get_header("WARC-Payload-Digest")
        about = response.rec_headers.get_header("WARC-Record-ID")
        if request is None:
            raise ValueError("an answer without a request")
        writer.write_request_response_pair(request, response)
    elif request is not None:
        about = request.rec_headers.get_header("WARC-Record-ID")
        writer.write_record(request)
    else:
        about = None

    content = json.dumps(connection_json(exchange), indent=1).encode("ascii")
    concerns = {"WARC-Concurrent-To": about} if about is not None else {}
    record = writer.create_warc_record(
        exchange.url,
        "metadata",
        payload=BytesIO(content),
        length=len(content),
        warc_content_type="application/json",
        warc_headers_dict=date | concerns,
    )
    writer.write_record(record)
    return digest


def _http_record(writer: _Writer, url: str, kind: str, raw: bytes, headers: Mapping[str, str]) -> Any:
    head, separator, body = _split(raw)
    return writer.create_warc_record(
        url,
        kind,
        payload=BytesIO(body),
        length=len(body),
        http_headers=_ExactHead(head + separator),
        warc_headers_dict=dict(headers),
    )


def _facts(exchange: Exchange) -> dict[str, str]:
    """Return the headers of WARC that say how an answer came."""
    facts = {}
    if exchange.remote_address is not None:
        facts["WARC-IP-Address"] = exchange.remote_address.partition("%")[0]
    if exchange.tls is not None:
        facts["WARC-Protocol"] = exchange.tls.version.lower().replace("tlsv", "tls/")
        facts["WARC-Cipher-Suite"] = exchange.tls.cipher
    if exchange.incomplete is not None:
        # The record of the connection says in words why.
        facts["WARC-Truncated"] = "unspecified"
    return facts


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Return head, separator and body of a message; some servers end their lines with a line feed alone."""
    usual, bare = raw.find(END_OF_HEAD), raw.find(b"\n\n")
    if usual < 0 and bare < 0:
        return raw, b"", b""
    if bare < 0 or 0 <= usual < bare:
        return raw[:usual], END_OF_HEAD, raw[usual + 4 :]
    return raw[:bare], b"\n\n", raw[bare + 2 :]


def _media_type(fields: tuple[tuple[str, str], ...]) -> str:
    stated = next((value for name, value in fields if name.lower() == "content-type"), "")
    return stated.partition(";")[0].strip().lower() or "unk"
