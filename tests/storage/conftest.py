"""A real archive in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.archive import Archive
from tests.builders import NOW


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the test's archive is, or would be."""
    return f"sqlite:///{tmp_path / 'jingbao.sqlite3'}"


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.open(url, NOW) as opened:
        yield opened
