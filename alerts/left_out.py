"""Readers whose mails a fault of jingbao keeps from being made: kept for the operator, who would not miss what never comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from alerts.notices import Trouble
from storage import settings

if TYPE_CHECKING:
    from storage.transaction import Transaction

_KEY = "mail.left-out"


def readers_left_out(tx: Transaction) -> dict[str, datetime]:
    """Their keys, each with since when (aware UTC)."""
    return {reader: datetime.fromisoformat(since) for reader, since in (settings.get(tx, _KEY) or {}).items()}


def note_left_out(tx: Transaction, readers: Mapping[str, datetime]) -> None:
    """Keep them, in the place of those before."""
    settings.put(tx, _KEY, {reader: since.isoformat() for reader, since in readers.items()})


def left_out_troubles(tx: Transaction) -> Iterator[Trouble]:
    """A trouble for each of them."""
    for reader, since in readers_left_out(tx).items():
        text = f"A fault of jingbao keeps mails to {reader} from being made; the stories wait. Please report what the log says."
        zh = f"jingbao 自身故障，无法生成发给 {reader} 的邮件；相关报道仍在等候。请将日志内容报告给开发者。"
        yield Trouble(f"No mails to {reader}", f"left-out {reader}", text, since, zh)
