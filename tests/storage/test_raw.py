"""Raw pages come back as they were fetched, whatever happened while others were written."""

from __future__ import annotations

import gzip
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from core.document import Document, DocumentKind, Request
from core.errors import NotFoundError, StorageError
from storage.raw import RawPages

NOON = datetime(2026, 11, 24, 12, 30, 15, 123456, tzinfo=UTC)


def _page(body: bytes = b"<p>\xd6\xd0\xb9\xfa</p>", **other: object) -> Document:
    request = Request("https://news.test/a", DocumentKind.PAGE, "news")
    headers = {"content-type": "text/html; charset=gb2312", "etag": '"1"'}
    return replace(Document(request, "https://news.test/a/", 200, headers, body, NOON), **other)


def _in_order(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [record.content_stream().read() for record in ArchiveIterator(file)]


headers = st.dictionaries(st.sampled_from(["content-type", "server", "x-note", "link"]), st.text(max_size=30))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
requests = st.builds(
    Request,
    url=st.just("https://news.test/列表?q=1"),
    kind=st.sampled_from(DocumentKind),
    source=st.just("news"),
    method=st.sampled_from(["GET", "POST"]),
    body=st.binary(max_size=20),
)
documents = st.builds(
    Document,
    request=requests,
    url=st.just("https://news.test/x"),
    status=st.integers(200, 599),
    headers=headers,
    body=st.binary(max_size=300),
    fetched=moments,
    unchanged=st.booleans(),
    moved=st.booleans(),
)


@settings(max_examples=60)
@given(documents)
def test_a_document_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    """Any body, any headers a server may send, any moment, GET or POST."""
    raw = RawPages(tmp_path_factory.mktemp("raw"))

    assert raw.read(raw.append(document)) == document


def test_nothing_of_the_operators_set_up_is_kept(tmp_path: Path) -> None:
    """Neither proxies nor headers that may carry a password, nor cookies; nor headers about a body no longer compressed."""
    request = Request(
        "https://news.test/a",
        DocumentKind.PAGE,
        "news",
        headers={"authorization": "hunter2"},
        proxy="http://u:hunter2@p.test",
    )
    fields = {"content-type": "text/html", "set-cookie": "hunter2", "content-encoding": "gzip", "content-length": "9"}
    raw = RawPages(tmp_path)
    location = raw.append(_page(request=request, headers=fields))

    assert b"hunter2" not in gzip.decompress((tmp_path / location.file).read_bytes())
    assert raw.read(location).headers == {"content-type": "text/html"}


def test_a_day_has_one_file_by_utc(tmp_path: Path) -> None:
    raw = RawPages(tmp_path / "raw")
    places = [raw.append(_page(fetched=NOON + timedelta(hours=hours))) for hours in (0, 11, 12)]

    assert [place.file for place in places] == ["2026-11-24.warc.gz"] * 2 + ["2026-11-25.warc.gz"]
    assert [raw.read(place).fetched for place in places] == [place.fetched for place in places]


def test_other_programs_can_read_the_files(tmp_path: Path) -> None:
    """They are ordinary WARC: one response a record, in order."""
    raw = RawPages(tmp_path)
    for body in (b"one", b"two", b""):
        raw.append(_page(body))

    assert _in_order(tmp_path / "2026-11-24.warc.gz") == [b"one", b"two", b""]


@pytest.mark.parametrize("torn", [1, 20, 400])
def test_a_torn_last_record_is_cut_off_by_the_next_append(tmp_path: Path, torn: int) -> None:
    """As death in the middle of a write leaves it; what was whole is still read, and what follows too."""
    before = RawPages(tmp_path)
    whole = before.append(_page(b"whole"))
    lost = before.append(_page(os.urandom(2000)))
    path = tmp_path / whole.file
    os.truncate(path, lost.offset + torn)
    after = RawPages(tmp_path)
    place = after.append(_page(b"after"))

    assert _in_order(path) == [b"whole", b"after"]
    assert [after.read(each).body for each in (whole, place)] == [b"whole", b"after"]
    assert place.offset == lost.offset


def test_zeros_left_by_a_power_cut_are_cut_off(tmp_path: Path) -> None:
    raw = RawPages(tmp_path)
    whole = raw.append(_page(b"whole"))
    with (tmp_path / whole.file).open("ab") as file:
        file.write(bytes(4096))
    place = RawPages(tmp_path).append(_page(b"after"))

    assert _in_order(tmp_path / place.file) == [b"whole", b"after"]


def test_several_writers_append_to_one_file(tmp_path: Path) -> None:
    """Each with its own view of the file, as processes have."""
    places = []

    def work(name: str) -> None:
        raw = RawPages(tmp_path)
        for number in range(10):
            body = f"{name}{number}".encode()
            places.append((raw.append(_page(body)), body))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(_in_order(tmp_path / "2026-11-24.warc.gz")) == 40
    assert all(RawPages(tmp_path).read(place).body == body for place, body in places)


def test_a_file_past_its_time_is_told_as_gone(tmp_path: Path) -> None:
    raw = RawPages(tmp_path)
    location = raw.append(_page())
    (tmp_path / location.file).unlink()

    with pytest.raises(NotFoundError, match="for a time only"):
        raw.read(location)


def test_a_damaged_record_is_told_and_not_returned(tmp_path: Path) -> None:
    """Any byte of it overwritten: gzip's or the record's own checksum notices."""
    raw = RawPages(tmp_path)
    location = raw.append(_page(os.urandom(500)))
    whole = (tmp_path / location.file).read_bytes()
    for place in range(20, len(whole) - 8, 97):
        damaged = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        (tmp_path / location.file).write_bytes(damaged)
        with pytest.raises(StorageError, match="cannot be read"):
            raw.read(location)


def test_a_place_that_is_no_records_beginning_is_told(tmp_path: Path) -> None:
    raw = RawPages(tmp_path)
    location = raw.append(_page())

    for wrong in (replace(location, offset=7), replace(location, bytes=30), replace(location, offset=99_999)):
        with pytest.raises(StorageError, match="cannot be read"):
            raw.read(wrong)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file")

    with pytest.raises(StorageError, match="cannot be written"):
        RawPages(tmp_path / "raw").append(_page())
