"""How the daemon stands, in one line: for `systemctl status`, `jingbao health` and whoever else asks the service manager."""

from __future__ import annotations

from datetime import datetime

from console.settings import Settings
from console.terminal import counted
from core.outcomes import Outcome
from storage import outbox, sources
from storage.transaction import Transaction


def daemon_word(tx: Transaction, settings: Settings) -> str:
    """`3 sources on, 41 articles today; mails paused: …`. Today begins at midnight in the first reader's zone."""
    now = settings.clock.now()
    tally = sources.tally(tx, _midnight(now, settings))
    articles = sum(tally.counts[outcome] for outcome in Outcome if outcome.stored)
    halt = outbox.pause(tx)
    paused = f"; mails paused: {halt.reason}" if halt else ""
    return f"{counted(len(settings.sources), 'source')} on, {counted(articles, 'article')} today{paused}"


def _midnight(now: datetime, settings: Settings) -> datetime:
    return now.astimezone(settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)
