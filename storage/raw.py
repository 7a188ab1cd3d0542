"""Fetched pages as they came, in WARC files (ISO 28500:2017, WARC/1.1): daily files by UTC, one gzip member a record.

A record is found by its place in the file. Death in the middle of writing leaves at most a torn last record; the next
append cuts it off. Nothing of the operator's set-up goes into these files (proxy, request headers, cookies), so
that they can be shared.
"""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from core.document import Document, DocumentKind, Request
from core.errors import NotFoundError, StorageError
from storage.raw_files import Shelf, file_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABOUT = "WARC-JSON-Metadata"
# The body is kept decompressed, so these would lie about it; cookies are nobody's business later.
_NOT_KEPT = {"content-encoding", "transfer-encoding", "content-length", "set-cookie"}
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RawLocation:
    """Where a page lies: `file` in the raw folder, the record's first byte and its length; `fetched` is aware UTC."""

    file: str
    offset: int
    bytes: int
    fetched: datetime


class RawPages:
    """The folder of WARC files. Several processes may append: each write holds a lock on the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._whole: dict[str, int] = {}  # file -> how far it is known to hold whole records

    def append(self, document: Document, shelf: Shelf = Shelf.PAGES) -> RawLocation:
        """Keep a document in its day's file of a shelf, on the disk when this returns. Blocks: not for the event loop.

        Raises StorageError if it cannot be written; nothing of it is left then.
        """
        name = file_name(document.fetched, shelf)
        record = _record(document)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _locked(self.folder / name) as file:
                offset = self._cut_torn_end(name, file)
                _write_whole(file, record, offset)
        except OSError as error:
            raise StorageError(f"{self.folder / name} cannot be written ({error}). Look at the disk.") from error
        self._whole[name] = offset + len(record)
        return RawLocation(name, offset, len(record), document.fetched)

    def read(self, location: RawLocation) -> Document:
        """The document at a place, as `append` was given it but for headers and set-up that are not kept.

        Raises NotFoundError if the file is gone (pages are kept for a time only), StorageError if the record is damaged.
        """
        path = self.folder / location.file
        try:
            with path.open("rb") as file:
                file.seek(location.offset)
                return _document(file.read(location.bytes))
        except FileNotFoundError as error:
            raise NotFoundError(f"{path} is gone: raw pages are kept for a time only.") from error
        except (OSError, EOFError, ValueError, KeyError, TypeError, ArchiveLoadFailed) as error:
            raise StorageError(f"The record at byte {location.offset} of {path} cannot be read ({error}).") from error

    def remove(self, name: str) -> None:
        """Remove a daily file, with all its pages; it may be gone already. Raises StorageError if it cannot be removed."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            message = f"{self.folder / name} cannot be removed ({error}). Look at the rights of its folder."
            raise StorageError(message) from error
        self._whole.pop(name, None)

    def _cut_torn_end(self, name: str, file: IO[bytes]) -> int:
        """The file's length, after a torn last record is cut off; what others appended since is looked through first."""
        size = os.fstat(file.fileno()).st_size
        known = self._whole.get(name, 0)
        if size == known:
            return size
        whole = _whole_length(file, known if known <= size else 0)
        file.truncate(whole)
        return whole


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _write_whole(file: IO[bytes], record: bytes, offset: int) -> None:
    try:
        file.seek(offset)
        left = memoryview(record)
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):  # the first fault is the one to tell
            file.truncate(offset)
        raise


def _whole_length(file: IO[bytes], start: int) -> int:
    """How far the file holds whole gzip members, looked at from the end of one at `start`."""
    file.seek(start)
    end, member = start, zlib.decompressobj(wbits=31)
    position = start
    try:
        while chunk := file.read(_READ_BYTES):
            position += len(chunk)
            while chunk:
                member.decompress(chunk)
                chunk = member.unused_data
                if member.eof:
                    end, member = position - len(chunk), zlib.decompressobj(wbits=31)
    except zlib.error:
        pass  # what follows is no record: torn, or zeros after a power cut
    return end


def _record(document: Document) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    clean = {name: value for name, value in document.headers.items() if name not in _NOT_KEPT}
    shown = [(name, value) for name, value in clean.items() if value.isascii() and value.isprintable()]
    about = {"WARC-Date": _stamp(document.fetched), _ABOUT: json.dumps(_about(document, clean))}
    record = writer.create_warc_record(
        document.url,
        "response",
        payload=io.BytesIO(document.body),
        length=len(document.body),
        http_headers=StatusAndHeaders(f"{document.status} ", shown, protocol="HTTP/1.1"),
        warc_headers_dict=about,
    )
    writer.write_record(record)
    return out.getvalue()


def _about(document: Document, headers: dict[str, str]) -> dict[str, Any]:
    request = document.request
    asked = {"url": request.url, "kind": str(request.kind), "source": request.source, "method": request.method}
    if request.body:
        asked["body"] = base64.b64encode(request.body).decode()
    came = {"url": document.url, "status": document.status, "unchanged": document.unchanged, "moved": document.moved}
    return came | {"headers": headers, "request": asked}


def _document(record: bytes) -> Document:
    read = next(iter(ArchiveIterator(io.BytesIO(record), check_digests="raise")), None)
    if read is None:
        raise ValueError("no record there")
    body = read.content_stream().read()
    about = json.loads(read.rec_headers.get_header(_ABOUT))
    asked = about["request"]
    request = Request(
        url=asked["url"],
        kind=DocumentKind(asked["kind"]),
        source=asked["source"],
        method=asked["method"],
        body=base64.b64decode(asked.get("body", "")),
    )
    return Document(
        request=request,
        url=about["url"],
        status=about["status"],
        headers=about["headers"],
        body=body,
        fetched=datetime.fromisoformat(read.rec_headers.get_header("WARC-Date")),
        unchanged=about["unchanged"],
        moved=about["moved"],
    )


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
