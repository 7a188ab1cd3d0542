"""Feeds with full text of January 2026 and all captured article pages, collected by the daemon with the shipped rules."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bench.real.playing import clock_from, feed_entry, minutes_on, runs, staged
from core.outcomes import Outcome
from tests.newsroom.captured import SITEMAP
from tests.newsroom.mailbox import keep
from tests.newsroom.setting import READER, shipped_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.real.report import Report
    from core.clock import Clock
    from storage.sources import Run
    from tests.newsroom.captured import Captured
    from tests.newsroom.mailbox import Received

SET = "exposir__RSS"
# What makes a source's every page be fetched and judged by its text; by their titles most of these would be dropped unread.
READ_WHOLE = {"language": "en", "scope": "ai-only", "country": "CN"}
START = datetime(2026, 1, 26, 18, tzinfo=UTC)
END = datetime(2026, 2, 1, 10, tzinfo=UTC)


async def measure(report: Report, folder: Path, minutes: float) -> None:
    """Collect, match and mail for as long as told; report outcomes, mails, and whether the counts add up."""
    report.heading("Feeds of January 2026 and all article pages through the daemon")
    clock = clock_from(START, END, minutes)
    readers = [{**READER, "zone": "Asia/Shanghai"}]
    async with staged(
        folder, clock, lambda captured: entries(captured, clock), readers=readers, rules=shipped_rules()
    ) as stage:
        await stage.until(END, report)
        status = await stage.jingbao.ask("status", "--since", "30d")
    (folder / "status.json").write_text(json.dumps(status, ensure_ascii=False, indent=2), encoding="utf-8")
    done = [run for run in runs(folder, clock) if run.finished]
    _outcomes(report, done)
    _mails(report, folder / "mails", stage.box.received)
    unequal = [run for run in done if run.seen != sum(run.counts.values())]
    for run in unequal[:10]:
        report.note(f"{run.source} {run.started:%d %H:%M}: seen {run.seen}, counts {dict(run.counts)}")
    report.claim("in every run, seen = the sum of all named outcomes", holds=not unequal)
    report.claim("`jingbao status` says that the outcomes add up", holds=bool(status["outcomes"]["adds_up"]))
    report.claim("articles were stored and mails were sent", holds=bool(stage.box.received))


def entries(captured: Captured, clock: Clock) -> list[dict[str, Any]]:
    """The entries of `sources.add`: the set's feeds, a list for each set of pages, and the sitemap."""
    feeds = [url for url, feed in captured.feeds.items() if feed.set == SET]
    scope = {"36kr": "tech", "techcrunch": "tech", "geekpark": "tech", "nyt-technology": "tech"}
    made = [
        feed_entry(captured, url, f"captured-{name}", clock, scope=scope.get(name, "general"), real_seconds=8)
        for url in feeds
        for name in [PurePosixPath(url).stem]
    ]
    made += [_list_entry(url, number, clock) for number, url in enumerate(captured.lists)]
    sitemap = {"key": "pages-sitemap", "name": "pages-sitemap", "kind": "sitemap", "url": SITEMAP}
    return [*made, {**sitemap, **READ_WHOLE, **_pace(clock)}]


def _list_entry(url: str, number: int, clock: Clock) -> dict[str, Any]:
    rules = {"item": "li.item", "date": "time"}
    entry = {"key": f"pages-{number}", "name": url, "kind": "listing", "url": url, "listing": rules}
    return {**entry, **READ_WHOLE, **_pace(clock)}


def _pace(clock: Clock) -> dict[str, Any]:
    return {"interval_minutes": minutes_on(clock, 120), "delay_seconds": 0}


def _group(run: Run) -> str:
    if run.source == "pages-sitemap":
        return "sitemap of all pages"
    return "lists of pages" if run.source.startswith("pages-") else "JSON Feeds"


def _outcomes(report: Report, done: Sequence[Run]) -> None:
    totals: dict[str, Counter[str]] = {}
    for run in done:
        total = totals.setdefault(_group(run), Counter())
        total["runs"] += 1
        total["seen"] += run.seen
        total.update({str(outcome): count for outcome, count in run.counts.items()})
    names = ["runs", "seen", *(str(outcome) for outcome in Outcome)]
    columns = [name for name in names if any(total[name] for total in totals.values())]
    report.table(("source", *columns), [(group, *(total[name] for name in columns)) for group, total in totals.items()])
    results = Counter(run.result for run in done)
    report.table(("a run's result", "runs"), results.most_common())
    for run in done:
        if run.result not in {"ok", "unchanged"}:
            report.note(f"{run.source}: {run.result} {run.detail}")


def _mails(report: Report, folder: Path, mails: Sequence[Received]) -> None:
    keep(mails, folder)
    days = Counter(re.sub(r"\d+", "N", mail.subject)[:60] for mail in mails)
    report.table(("subject (first words, figures as N)", "mails"), days.most_common(25))
    per_day = len(mails) / ((END - START) / timedelta(days=1))
    report.figures({"mails": len(mails), "mails a day": f"{per_day:.1f}"})
