"""A real archive in a database of its own, once of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.archive import Archive
from tests.builders import NOW


@pytest.fixture
def url(database_url: str) -> str:
    """Where the test's archive is, or would be."""
    return database_url


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.open(url, NOW) as opened:
        yield opened
