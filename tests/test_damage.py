"""A daemon whose archive is damaged while it works says so once, writes nothing more, and ends as a thing for a person."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from storage.archive import Archive
from tests.builders import NOW, keep
from tests.newsroom.daemon import tail
from tests.scheduler.manager import listening
from tests.test_supervised import CONFIG, manager, started

pytestmark = pytest.mark.long

PAGE_BYTES = 4096
FOR_A_PERSON = 1


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    return path


async def test_damage_in_mid_life_ends_the_daemon_once_and_for_all(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "data" / "jingbao.sqlite3"
    with Archive.open(f"sqlite:///{file}", NOW) as archive, archive.write() as tx:
        for number in range(50):
            keep(tx, f"many {number}", "words " * 500)
    with listening(tmp_path / "notify") as ear:
        async with started(config, **manager(ear)) as daemon:
            await ear.until("READY")
            _spoil(file)

            assert await daemon.wait() == FOR_A_PERSON, tail(tmp_path / "log")

        async with started(config) as again:
            assert await again.wait() == FOR_A_PERSON, "nobody begins anew in its place"

    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert said.count("the archive is damaged, and nothing more is written") == 1
    assert "jingbao restore" in said
    assert "Traceback" not in said


def _spoil(file: Path) -> None:
    """Every page but the first; what others have in memory of them is made out of date by a write."""
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("UPDATE setting SET value = value")
        with file.open("r+b") as pages:
            pages.seek(PAGE_BYTES)
            pages.write(b"\xa5" * (file.stat().st_size - PAGE_BYTES))
            pages.flush()
        # Not closed before: the last to close would move the write into the file.
