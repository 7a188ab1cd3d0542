"""A campaign in a few lines."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from bench.kills.journal import Entry


def told(name: str, entries: Sequence[Entry], seconds: float) -> str:
    """What a journal holds, as a table; `seconds` are those of this run."""
    lines = [
        f"{name}: {len(entries)} cases, this run took {seconds:.0f} s",
        f"  kills              {sum(len(entry.kills) for entry in entries)}",
        f"  mails lost         {sum(entry.lost for entry in entries)}",
        f"  mails twice        {sum(entry.doubled for entry in entries)} between 250 and the mark",
        f"  mails twice else   {sum(entry.outside for entry in entries)}",
        f"  rows that differ   {sum(entry.differing for entry in entries)}",
        f"  cases with faults  {sum(bool(entry.faults) for entry in entries)}",
    ]
    lines += [
        _spread("ready again after", [second for entry in entries for second in entry.recovery_seconds]),
        _spread("of that on a CPU", [second for entry in entries for second in entry.recovery_cpu]),
    ]
    faults = Counter(fault[:200] for entry in entries for fault in entry.faults)
    lines += [f"  {number:4} × {fault}" for fault, number in faults.most_common(20)]
    return "\n".join(lines)


def _spread(name: str, seconds: list[float]) -> str:
    if not seconds:
        return f"  {name:18} not measured"
    ordered = sorted(seconds)
    late = ordered[int(len(ordered) * 0.99)]
    return f"  {name:18} {statistics.median(ordered):.2f} s (median), {late:.2f} s (99 %), {ordered[-1]:.2f} s (longest)"
