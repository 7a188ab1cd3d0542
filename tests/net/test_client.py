"""The light client against servers that behave and servers that do not."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from pathlib import Path

import brotli
import pytest
import trustme
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.document import Document, DocumentKind
from core.errors import FetchError
from core.outcomes import Outcome
from tests.net.misbehaviour import MAX_BYTES, MISBEHAVIOUR, silence
from tests.net.servers import LOOPBACK, Pages, behaving, reply, serving, wanted

OWN = "127.0.0.1/32"
TEXT = "人工智能 and chips. ".encode() * 100


async def fetched(pages: Pages, path: str = "/page", **request: object) -> tuple[Document, list[str]]:
    """The document at `path`, and the heads of the requests the server saw."""
    async with serving(pages) as server, behaving(OWN) as manners:
        return await manners.client.fetch(wanted(server.url(path), **request)), server.heads


async def refusal(pages: Pages, path: str = "/page", **network: object) -> FetchError:
    async with (
        serving(pages) as server,
        behaving(OWN, **{"timeout_seconds": 0.3, "max_bytes": MAX_BYTES, **network}) as manners,
    ):
        with pytest.raises(FetchError) as error:
            await manners.client.fetch(wanted(server.url(path)))
    return error.value


@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_misbehaviour_ends_in_a_named_outcome_with_a_reason(name: str) -> None:
    behaviour, outcome = MISBEHAVIOUR[name]

    error = await refusal({"/page": behaviour})

    assert error.outcome is outcome, error.reason
    assert error.reason.endswith(".")
    assert len(error.reason) < 2300


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda b: zlib.compress(b)[2:-4]), ("br", brotli.compress),
     ("zstd", zstd.compress), ("x-unknown", bytes), ("", bytes), ("identity", bytes),
     ("gzip", lambda b: gzip.compress(b[:50]) + gzip.compress(b[50:]))],
)  # fmt: skip
async def test_packed_bodies_are_unpacked(encoding: str, pack) -> None:
    document, heads = await fetched({"/page": reply(200, pack(TEXT), {"Content-Encoding": encoding})})

    assert document.body == TEXT
    assert "accept-encoding: gzip, deflate, br, zstd" in heads[0].lower()


async def test_careless_servers_are_understood() -> None:
    """Line ends without CR, and a reason phrase left out: many old servers write so."""
    for head in (b"HTTP/1.1 200 OK\nContent-Length: 4\nX-A: 1\n\n", b"HTTP/1.1 200\r\nContent-Length: 4\r\n\r\n",
                 b"HTTP/1.0 200 OK\r\nX-T: \xb1\xea\xcc\xe2\r\n\r\n"):  # fmt: skip
        document, _ = await fetched({"/page": head + b"text"})
        assert document.body == b"text"


async def test_a_body_of_just_the_limit_passes() -> None:
    document, _ = await fetched({"/page": reply(200, b"x" * MAX_BYTES)})

    assert len(document.body) == MAX_BYTES


async def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    document, _ = await fetched({"/page": b"HTTP/1.0 200 OK\r\n\r\n" + TEXT})

    assert document.body == TEXT


async def test_a_document_knows_its_address_status_and_headers() -> None:
    document, _ = await fetched(
        {"/page": reply(203, TEXT, {"Content-Type": "text/xml; charset=gbk", "X-A": "1\r\nx-a: \udcff2"})}
    )

    assert document.url.endswith("/page")
    assert (document.status, document.unchanged, document.moved) == (203, False, False)
    assert document.content_type == "text/xml; charset=gbk"
    assert document.headers["x-a"] == "1, \ufffd2"
    assert document.fetched.tzinfo is not None


async def test_jingbao_says_who_it_is_and_a_source_may_say_otherwise() -> None:
    async with serving({"*": reply()}) as server, behaving(OWN, contact="mailto:desk@example.org") as manners:
        await manners.client.fetch(wanted(server.url()))
        await manners.client.fetch(wanted(server.url(), headers={"User-Agent": "Other/1", "X-Key": "k"}))

    assert "user-agent: jingbao/1.2 (+mailto:desk@example.org)" in server.heads[0].lower()
    assert "user-agent: other/1" in server.heads[1].lower()
    assert "jingbao" not in server.heads[1]
    assert "x-key: k" in server.heads[1].lower()


async def test_a_host_that_is_late_three_times_in_a_row_is_left_alone_for_a_minute() -> None:
    """Else the twenty pages of a silent site would hold a place among the sources collected at once for minutes."""
    ends = []
    async with serving({"/slow": silence, "/quick": reply(200, b"x")}) as server, behaving(OWN, timeout_seconds=0.2) as manners:
        for path in ("/slow", "/slow", "/quick", "/slow", "/slow", "/slow", "/slow", "/quick"):
            try:
                await manners.client.fetch(wanted(server.url(path)))
                ends.append("answered")
            except FetchError as error:
                ends.append(str(error.outcome))
                last = error

    assert ends == ["too-slow", "too-slow", "answered", "too-slow", "too-slow", "too-slow", "failed", "failed"]
    assert "did not answer in time 3 times in a row, and is left alone for" in last.reason
    assert 0 < (last.retry_after_seconds or 0) <= 60
    assert server.connections == 6


@pytest.mark.parametrize("kind", [DocumentKind.FEED, DocumentKind.PAGE])
async def test_not_modified_is_no_answer_to_who_did_not_ask_whether(kind: DocumentKind) -> None:
    pages = {"/page": b"HTTP/1.1 304 X\r\n\r\n", "/robots.txt": reply(404)}
    with pytest.raises(FetchError, match="304 Not Modified, though it was not asked") as error:
        await fetched(pages, kind=kind)

    assert (error.value.outcome, error.value.status) == (Outcome.FAILED, 304)


async def test_an_unchanged_document_is_not_sent_again() -> None:
    document, heads = await fetched(
        {"/page": b"HTTP/1.1 304 X\r\n\r\n"}, etag='W/"a"', last_modified="Tue, 24 Nov 2026 08:00:00 GMT"
    )

    assert document.unchanged
    assert document.body == b""
    assert 'if-none-match: W/"a"' in heads[0]
    assert "if-modified-since: Tue, 24 Nov 2026 08:00:00 GMT" in heads[0]


async def test_validators_that_could_break_a_request_are_left_out() -> None:
    document, heads = await fetched({"/page": reply(body=b"x")}, etag='"a"\r\nX-Evil: 1', last_modified="\udcff")

    assert document.body == b"x"
    assert "if-" not in heads[0]


async def test_no_cookie_is_kept() -> None:
    async with serving({"*": reply(headers={"Set-Cookie": "a=1"})}) as server, behaving(OWN) as manners:
        for _ in range(2):
            await manners.client.fetch(wanted(server.url()))

    assert "cookie" not in "".join(server.heads).lower()


async def test_a_post_carries_its_body() -> None:
    async with serving({"*": reply(body=b"{}")}) as server, behaving(OWN) as manners:
        request = wanted(server.url(), method="POST", body=b'{"page": 1}', headers={"Content-Type": "application/json"})
        await manners.client.fetch(request)

    assert server.heads[0].startswith("POST / ")
    assert "content-type: application/json" in server.heads[0].lower()
    assert server.bodies == [b'{"page": 1}']


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [([301], True), ([308, 301], True), ([302], False), ([301, 302], False), ([307, 308], False), ([], False)],
)
async def test_it_is_known_whether_an_address_moved_for_good(statuses: list[int], moved: bool) -> None:
    pages = {f"/{n}": reply(status, headers={"Location": f"/{n + 1}"}) for n, status in enumerate(statuses)}
    document, _ = await fetched({**pages, f"/{len(statuses)}": reply(body=b"x")}, "/0")

    assert document.url.endswith(f"/{len(statuses)}")
    assert document.moved is moved


async def test_five_redirects_are_followed_and_six_are_not() -> None:
    pages = {f"/{n}": reply(302, headers={"Location": f"/{n - 1}"}) for n in range(1, 7)} | {"/0": reply(body=b"x")}

    document, _ = await fetched(pages, "/5")
    error = await refusal(pages, "/6")

    assert document.body == b"x"
    assert error.outcome is Outcome.TOO_BIG
    assert "more than 5 times" in error.reason


@pytest.mark.parametrize(("status", "kept"), [(301, False), (302, False), (303, False), (307, True), (308, True)])
async def test_a_redirected_post_stays_one_only_where_the_status_says_so(status: int, kept: bool) -> None:
    async with serving({"/a": reply(status, headers={"Location": "/b"}), "/b": reply()}) as server, behaving(OWN) as manners:
        await manners.client.fetch(wanted(server.url("/a"), method="POST", body=b"x", headers={"Content-Type": "text/x"}))

    assert server.heads[1].startswith("POST" if kept else "GET")
    assert server.bodies == [b"x", b"x" if kept else b""]
    assert ("text/x" in server.heads[1]) is kept


async def test_another_host_gets_none_of_a_sources_secrets() -> None:
    secrets = {"Cookie": "sid=1", "Authorization": "Bearer k", "X-Key": "k", "User-Agent": "Other/1"}
    async with serving({"*": reply()}, "127.0.0.2") as other:
        pages = {"/a": reply(307, headers={"Location": other.url("/b")})}
        async with serving(pages) as own, behaving("127.0.0.0/8") as manners:
            await manners.client.fetch(wanted(own.url("/a"), method="POST", body=b"k", headers=secrets))

    assert "sid=1" in own.heads[0]
    assert other.heads[0].startswith("GET /b")
    assert "Other/1" in other.heads[0]
    assert not any(secret in other.heads[0] for secret in ("sid=1", "Bearer", "X-Key"))
    assert other.bodies == [b""]


async def test_the_time_of_all_hops_together_is_limited() -> None:
    async def slowly(writer) -> None:
        await asyncio.sleep(0.2)
        writer.write(reply(302, headers={"Location": "/page"}))

    error = await refusal({"/page": slowly})

    assert error.outcome is Outcome.TOO_SLOW


async def test_a_host_that_asks_for_a_pause_is_left_alone_by_all() -> None:
    async with serving({"/busy": reply(429, headers={"Retry-After": "600"}), "*": reply()}) as server, behaving(OWN) as manners:
        for path in ("/busy", "/other"):
            with pytest.raises(FetchError) as error:
                await manners.client.fetch(wanted(server.url(path)))
            assert error.value.outcome is Outcome.FAILED
            assert error.value.retry_after_seconds == pytest.approx(600, abs=5)

    assert server.asked == ["/busy"]


async def test_nobody_there_is_said_plainly() -> None:
    async with serving({}) as server:
        url = server.url()
    async with behaving(OWN) as manners:
        with pytest.raises(FetchError, match=r"127\.0\.0\.1 cannot be reached: .*refused") as error:
            await manners.client.fetch(wanted(url))

    assert error.value.outcome is Outcome.FAILED


async def test_a_name_nobody_knows_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_named: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with behaving() as manners:
        with pytest.raises(FetchError, match=r"The name news\.example cannot be found: Name or service not known\.") as error:
            await manners.client.fetch(wanted("http://news.example/"))

    assert error.value.outcome is Outcome.FAILED


async def test_certificates_are_verified_and_an_own_authority_can_be_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    async with serving({"*": reply(body=b"secure")}, ssl=context) as server:
        url = f"https://localhost:{server.port}/"
        async with behaving("127.0.0.0/8", "::1/128") as manners:
            with pytest.raises(FetchError, match=r"The certificate of localhost cannot be trusted: .*issuer") as error:
                await manners.client.fetch(wanted(url))
        assert error.value.outcome is Outcome.FAILED
        async with behaving("127.0.0.0/8", "::1/128", ca_file=str(tmp_path / "ca.pem")) as manners:
            document = await manners.client.fetch(wanted(url))
            with pytest.raises(FetchError, match=r"127\.0\.0\.1 cannot be trusted: .*mismatch"):
                await manners.client.fetch(wanted(f"https://127.0.0.1:{server.port}/"))

    assert document.body == b"secure"


async def test_plain_http_on_a_tls_port_is_a_failure() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(400))
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    async with server, behaving(OWN) as manners:
        with pytest.raises(FetchError, match=r"No secure connection to 127\.0\.0\.1 came about") as error:
            await manners.client.fetch(wanted(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))

    assert error.value.outcome is Outcome.FAILED


async def test_pages_are_paced_by_crawl_delay_and_own_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"/robots.txt": reply(body=b"User-agent: *\nCrawl-delay: 7"), "*": reply()}
    async with serving(pages) as server, behaving(OWN) as manners:
        asked: list[float] = []
        slot = manners.pace.slot
        monkeypatch.setattr(type(manners.pace), "slot", lambda _self, host, delay: (asked.append(delay), slot(host, 0))[1])
        for delay in (2.0, 9.0):
            await manners.client.fetch(wanted(server.url("/p"), DocumentKind.PAGE, delay_seconds=delay))

    assert asked == [2.0, 7.0, 9.0]  # robots.txt itself, then the larger of both


ODD = st.lists(
    st.sampled_from(
        ["http://", "https://", "//", "/", ":", "@", "[", "]", "%", "%00", "a", "..", ".", "新闻", "①", "\u3002", "\ud800", "\x00", "\r\n",
         " ", "?", "#", "x" * 70, "-", "_", "*", "xn--", "0x", "127", "::1", "80", "99999", "\\", "<", "é:pw@", "example", "ß", "10.2.3.4"]
    ),
    max_size=6,
).map(lambda parts: "http://" + "".join(parts))  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ODD, min_size=10, max_size=10), st.sampled_from(["", "http://127.0.0.1:9", "socks5://127.0.0.1:9"]))
def test_no_address_however_odd_makes_the_client_stumble(monkeypatch: pytest.MonkeyPatch, urls: list[str], proxy: str) -> None:
    def unknown(host: str, *_args: object, **_named: object) -> None:
        host.encode("idna")  # as the real one does first
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    async def fetch_all() -> None:
        async with behaving() as manners:
            for url in urls:
                with pytest.raises(FetchError):
                    await manners.client.fetch(wanted(url, proxy=proxy, delay_seconds=0))

    asyncio.run(fetch_all())
