"""What the operator should know, collected from all over the house: one of the daemon's jobs, and a part of `status`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerts.left_out import left_out_troubles
from alerts.notices import Trouble, lasts, make_notices
from alerts.times import in_quiet_hours
from console.disk import kept_shortages
from console.disk_report import disk_troubles
from core.standing import Standing
from crawler.dispatch import DIRECT_LINE, down_lines
from scheduler.heartbeat import Heartbeat, heartbeat_file, lag_trouble
from storage import outbox, sources

if TYPE_CHECKING:
    from console.settings import Settings
    from console.workshop import Workshop
    from storage.archive import Transaction

EVERY = timedelta(minutes=1)
LONG = timedelta(hours=1)
LAGS_FOR = timedelta(minutes=15)
_BEHIND_INTERVALS = 4
_BEHIND_SHARE = 0.25

Look = Callable[["Settings", "Transaction", datetime], Iterable[Trouble]]
"""A part of the house that knows of troubles: given settings, an open transaction and the moment (aware UTC)."""


async def tell_operator(shop: Workshop) -> None:
    """Put the notice that is due, if one is, into the outbox. Raises StorageError."""
    settings, now = shop.settings, shop.settings.clock.now()
    names = {source.key: source.name for source in settings.sources}

    def work(tx: Transaction) -> None:
        make_notices(tx, settings.config, names, collect_troubles(settings, tx, now), now)

    await shop.archive.writing(work)


def collect_troubles(settings: Settings, tx: Transaction, now: datetime) -> list[Trouble]:
    """All troubles there are at `now` (aware UTC), each key once. Troubles of single sources are not among them."""
    found = (trouble for look in _LOOKS for trouble in look(settings, tx, now))
    return list({trouble.key: trouble for trouble in found}.values())


def _mail(settings: Settings, tx: Transaction, now: datetime) -> Iterator[Trouble]:
    halt = outbox.pause(tx)
    if halt:
        zh = f"邮件暂停发送：{halt.reason}"
        yield Trouble("Mail was paused", "mail", f"No mail could leave: {halt.reason}", halt.since, zh, LONG)
        return
    waiting = outbox.oldest_due(tx, now, without_readers=_held(settings, now))
    if waiting and now - waiting > LONG:
        text = f"A mail that was due at {waiting:%Y-%m-%d %H:%M} UTC has not left. See jingbao status and the log."
        zh = f"{waiting:%Y-%m-%d %H:%M} UTC 应发出的邮件仍未发出。请查看 jingbao status 和日志。"
        yield Trouble("Mails are late", "mail-backlog", text, waiting, zh)


def _held(settings: Settings, now: datetime) -> list[str]:
    """The readers whose mails wait for the end of their quiet hours, or did within the last hour."""
    return [each.key for each in settings.config.readers if in_quiet_hours(each, now) or in_quiet_hours(each, now - LONG)]


def _line(_: Settings, tx: Transaction, __: datetime) -> Iterator[Trouble]:
    for name, since in down_lines(tx).items():
        line = "the network" if name == DIRECT_LINE else f"the proxy {name}"
        text = f"Nothing answered by way of {line}; no source was charged for it, and all are asked again once it works."
        zh = f"{'网络' if name == DIRECT_LINE else f'代理 {name}'}无应答；各来源不计失败，恢复后继续采集。"
        yield Trouble(f"Offline ({line})", f"line {name}", text, since, zh, LONG)


def _behind(settings: Settings, tx: Transaction, now: datetime) -> Iterator[Trouble]:
    """Sources whose turn does not come, though their lines work."""
    if down_lines(tx) or any(each.waiting for each in kept_shortages(tx)):
        return
    states = sources.states(tx)
    fast = max(1.0, settings.clock.speed)  # a set clock runs while the net takes its real time
    late = [
        state
        for source in settings.sources
        if (state := states.get(source.key))
        and state.standing is not Standing.PAUSED
        and now - state.next_due > max(source.interval * _BEHIND_INTERVALS, LONG) * fast
    ]
    if late and len(late) >= len(settings.sources) * _BEHIND_SHARE:
        since = min(state.next_due for state in late)
        text = f"{len(late)} of {len(settings.sources)} sources wait long for their turn: raise collection.sources_at_once."
        zh = f"{len(settings.sources)} 个来源中有 {len(late)} 个久未轮到采集：请调高 collection.sources_at_once。"
        # After a long stop all are late for a while: it has to go on from now.
        yield Trouble("Collecting is behind", "backlog", text, since, zh, now - since + LONG)


def _lag(settings: Settings, tx: Transaction, now: datetime) -> Iterator[Trouble]:
    beat = Heartbeat.read(heartbeat_file(settings.config.data_dir))
    text = lag_trouble(beat.lag, lasting=lasts(tx, "lag")) if beat else ""
    if text:
        yield Trouble("The daemon lags", "lag", text, now, "守护进程的事件循环有延迟：机器资源不足，或有操作阻塞。", LAGS_FOR)


def _left_out(_: Settings, tx: Transaction, __: datetime) -> Iterator[Trouble]:
    yield from left_out_troubles(tx)


_LOOKS: tuple[Look, ...] = (_mail, _left_out, _line, _behind, _lag, disk_troubles)
