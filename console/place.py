"""Where the configuration is. Apart from reading it, for commands that have to start at once."""

from __future__ import annotations

import os
from pathlib import Path

CONFIG_VARIABLE = "JINGBAO_CONFIG"


def config_file(named: Path | None = None) -> Path:
    """The file that was named, or that JINGBAO_CONFIG names, or the config.yaml of the folder one is in."""
    return named or Path(os.environ.get(CONFIG_VARIABLE, "config.yaml"))
