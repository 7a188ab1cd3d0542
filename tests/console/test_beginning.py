"""An archive begins where there was none, and never in the place of one that was lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.settings import load_settings
from console.workshop import begin_archive
from core.errors import DamagedError


def test_nobody_begins_anew_beside_the_pages_of_a_lost_archive(tmp_path: Path) -> None:
    """It was moved, or its disk is not mounted."""
    config = tmp_path / "config.yaml"
    config.write_text("{}", encoding="utf-8")
    settings = load_settings(config)
    begin_archive(settings).close()
    for file in settings.config.data_dir.glob("jingbao.sqlite3*"):
        file.unlink()
    pages = settings.config.data_dir / "raw"
    pages.mkdir(exist_ok=True)
    (pages / "2026-11-24.warc.gz").touch()

    with pytest.raises(DamagedError, match=r"was lost or moved.*jingbao restore FILE"):
        begin_archive(settings)
    assert list(settings.config.data_dir.glob("jingbao.sqlite3")) == []
