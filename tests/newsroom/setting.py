"""What the newsroom's operator would write: a config.yaml by which jingbao collects the made-up sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.newsroom.mailbox import Mailbox
    from tests.newsroom.outlets import Outlet

PROXY_PASSWORD = "canary-proxy-tJ4vQ8"
SMTP_PASSWORD = "canary-smtp-password-7Hq2Zx"
"""Both are looked for in all that a test run puts out (tests/canaries.py)."""

SHIPPED = Path(__file__).resolve().parents[2] / "config.yaml"

READER: dict[str, Any] = {
    "key": "ada",
    "name": "Ada Lindgren",
    "addresses": ["ada@reader.test"],
    "language": "en",
    "zone": "Europe/Berlin",
}


def shipped_rules(file: Path = SHIPPED) -> list[dict[str, Any]]:
    """The rules of the shipped config.yaml that are on, word for word, for every reader."""
    rules: list[dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]
    return [{**rule, "readers": []} for rule in rules if rule.get("enabled", True)]


def configuration(
    outlets: Sequence[Outlet], *, proxy: str, mailbox: Mailbox, rules: Sequence[dict[str, Any]], interval_minutes: float
) -> dict[str, Any]:
    """A whole configuration for made-up outlets behind a proxy and a mailbox on loopback.

    `interval_minutes` count on the set clock; pauses on the net do not, and among one's own sites none are needed.
    """
    pace = {"interval_minutes": interval_minutes, "delay_seconds": 0}
    return {
        "data_dir": "data",
        "network": {"proxy": proxy.replace("://", f"://newsroom:{PROXY_PASSWORD}@"), "contact": "operator@newsroom.test"},
        "collection": {"tick_seconds": 0.5, "sources_at_once": 8},
        "sources": {"catalogue": "none", "add": [outlet.configuration(**pace) for outlet in outlets]},
        "mail": {"sender": "jingbao@newsroom.test", "smtp": smtp(mailbox)},
        "readers": [READER],
        "rules": list(rules),
    }


def smtp(mailbox: Mailbox) -> dict[str, Any]:
    """The `mail.smtp` section for a mailbox on loopback."""
    return {"host": mailbox.host, "port": mailbox.port, "security": "none", "user": "jingbao"}


def write_configuration(folder: Path, values: dict[str, Any]) -> Path:
    """Write config.yaml into `folder` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=120), encoding="utf-8")
    return file
