"""Raw pages lie beside the archive and not in its backup: what a restore leaves of them is harmless, and what is gone is said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.document import Document, DocumentKind, Request
from core.errors import NotFoundError
from core.outcomes import Outcome
from storage import addresses
from storage.addresses import Ending
from storage.archive import Archive
from storage.backup import back_up
from storage.raw import RawPages
from storage.restoring import restore
from tests.builders import NOW


def _page(name: str, days: int) -> Document:
    url = f"https://news.test/{name}"
    return Document(Request(url, DocumentKind.PAGE, "news"), url, 200, {}, name.encode(), NOW + timedelta(days=days))


def _fetch(archive: Archive, pages: RawPages, name: str, days: int) -> None:
    page = _page(name, days)
    location = pages.append(page)
    with archive.write() as tx:
        number = addresses.record(tx, page.url, Ending(Outcome.OFF_TOPIC), url=page.url, source="news", now=page.fetched)
        addresses.keep_raw(tx, number, location)


def _bodies(archive: Archive, pages: RawPages, name: str) -> list[bytes]:
    with archive.read() as tx:
        known = addresses.look_up(tx, f"https://news.test/{name}")
        return [pages.read(place).body for place in addresses.raw_pages(tx, known.id)] if known else []


def test_pages_newer_than_a_restored_backup_are_fetched_anew_and_older_ones_read(tmp_path: Path) -> None:
    """What the files hold beyond the backup stays there unknown, until the files go as a whole."""
    url, pages = f"sqlite:///{tmp_path / 'jingbao.sqlite3'}", RawPages(tmp_path / "raw")
    with Archive.open(url, NOW) as archive:
        _fetch(archive, pages, "old", days=0)
        _fetch(archive, pages, "gone since", days=1)
        backup = back_up(url, tmp_path / "backup.sqlite3", NOW).path
        _fetch(archive, pages, "new", days=0)
        (tmp_path / "raw" / _file_of(archive, "gone since")).unlink()

    restore(url, backup, NOW + timedelta(days=2), tmp_path)

    with Archive.open(url, NOW) as archive:
        assert _bodies(archive, pages, "old") == [b"old"]
        assert _bodies(archive, pages, "new") == []
        with pytest.raises(NotFoundError, match="for a time only"):
            _bodies(archive, pages, "gone since")
        _fetch(archive, pages, "new", days=0)
        assert _bodies(archive, pages, "new") == [b"new"]
        assert _bodies(archive, pages, "old") == [b"old"]


def _file_of(archive: Archive, name: str) -> str:
    with archive.read() as tx:
        known = addresses.look_up(tx, f"https://news.test/{name}")
        assert known is not None
        return addresses.raw_pages(tx, known.id)[0].file
