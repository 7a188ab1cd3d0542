"""A soak in words and in a picture."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.soak.figures import WARM_UP, Lags, Life, lives_of, samples_of
from bench.soak.invariants import broken
from bench.soak.journal import Journal, Plan, lines
from bench.soak.measuring import database
from bench.soak.plotting import plot

MOST_SLOPE = 1.0
"""MB of memory per 1,000 crawls after warm-up."""
MOST_LAG = 0.25
"""Seconds, 99 times in 100."""
_SLOPES = ("rss", "pss", "uss", "workers_uss", "descriptors", "threads")


@dataclass(frozen=True, slots=True)
class Report:
    """The text, and what of the promises does not hold."""

    text: str
    faults: list[str]


def report(journal: Journal, plan: Plan) -> Report:
    """Look at everything a folder holds; writes soak.svg there. Raises ValueError if nothing was measured."""
    lives = lives_of(samples_of(journal.samples))
    if not lives:
        raise ValueError(f"{journal.folder} holds no samples")
    lags = Lags.of([lag for life in lives for sample in life.samples for lag in sample.lags])
    faults = [*_over(lives, lags), *broken(journal, plan)]
    hours = sum(life.samples[-1].seconds - life.samples[0].seconds for life in lives) / 3600
    crawls = lives[-1].samples[-1].crawls
    days = hours * plan.speed / 24
    title = f"{crawls:,} crawls of {plan.sources} sources in {hours * 60:.0f} min ({days:.0f} days on its clock)"
    (journal.folder / "soak.svg").write_text(plot(lives, f"{title}, seed {plan.seed}"), encoding="utf-8")
    text = [title, *_table(lives), *_lag_lines(lags), *_befell(journal), *_archive(journal.folder / "data")]
    return Report("\n".join([*text, *(f"NOT HELD: {fault}" for fault in faults or ["nothing; all promises held"])]), faults)


def _over(lives: Sequence[Life], lags: Lags) -> list[str]:
    faults = []
    for life in lives:
        for name in ("rss", "uss"):
            if (grows := life.slope(name)) is not None and grows > MOST_SLOPE:
                faults.append(f"life {life.number}: {name} grows by {grows:.2f} MB per 1,000 crawls")
    if lags.p99 > MOST_LAG:
        faults.append(f"loop lag p99 {lags.p99 * 1000:.0f} ms")
    return faults


def _table(lives: Sequence[Life]) -> list[str]:
    told = [f"growth per 1,000 crawls after the first {WARM_UP:,} of a process (Theil-Sen), and first to last after warm-up:"]
    for life in lives:
        if life.slope("rss") is None:
            told.append(f"  life {life.number}: {life.crawls:,} crawls, too few for a slope")
            continue
        told.append(f"  life {life.number}: {life.crawls:,} crawls, {life.warm_crawls:,} after warm-up")
        told += [_line(life, name) for name in (*_SLOPES, "tasks")]
    return told


def _line(life: Life, name: str) -> str:
    values = [value for sample in life.warm if (value := getattr(sample, name)) is not None]
    grows = life.slope(name) if name in _SLOPES else None
    per = f"{grows:+.3f}" if grows is not None else ""
    return f"    {name:12} {per:>8}   {values[0]:.1f} → {values[-1]:.1f}   (least {min(values):.1f}, most {max(values):.1f})"


def _lag_lines(lags: Lags) -> list[str]:
    figures = f"p50 {lags.p50 * 1000:.0f} ms, p99 {lags.p99 * 1000:.0f} ms, longest {lags.longest * 1000:.0f} ms"
    worst = f"p99 of the worst minute {lags.worst_minute * 1000:.0f} ms; over 250 ms {lags.slow} of {lags.measured}"
    return [f"loop lag: {figures}; {worst}"]


def _befell(journal: Journal) -> list[str]:
    kinds = Counter(line["fault"].split(" for ")[0] for line in lines(journal.faults))
    return [f"faults: {kinds.total()}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())]


def _archive(data: Path) -> list[str]:
    with closing(sqlite3.connect(database(data))) as rows:
        articles = rows.execute("SELECT count(*) FROM article").fetchone()[0]
        results = dict(rows.execute("SELECT result, count(*) FROM run GROUP BY result ORDER BY 2 DESC").fetchall())
        messages = dict(rows.execute("SELECT state, count(*) FROM message GROUP BY state").fetchall())
    runs, mails = (", ".join(f"{count} {name}" for name, count in each.items()) for each in (results, messages))
    return [f"archive: {articles:,} articles; runs kept: {runs}; mails: {mails}"]
