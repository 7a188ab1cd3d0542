"""Spoilt feeds, pages, lists, sitemaps and JSON for as long as you like: `python -m bench.spoilt --minutes 30 --folder F`.

Seeds go on after those of the tests, and after those of an earlier campaign in the same folder. What a reader must not do
(any exception but ReadingError, more than two CPU seconds, more than 50 MB for one document) ends up in `faults.jsonl`
with the seed that brings it about again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from core.document import DocumentKind
from tests.reading.mutation import SEEDS, spoil_and_read

FIRST_SEED = 1_000_000
PORTION = 200
# As often as a daemon meets them.
TURNS = [DocumentKind.FEED] * 4 + [DocumentKind.PAGE] * 3 + [DocumentKind.LIST, DocumentKind.SITEMAP, DocumentKind.API]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--folder", type=Path, default=Path("data/bench/spoilt"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    done, faults = options.folder / "done.jsonl", options.folder / "faults.jsonl"
    portions = [json.loads(line) for line in done.read_text().splitlines()] if done.exists() else []
    until = time.monotonic() + options.minutes * 60
    while time.monotonic() < until:
        portion = _portion(len(portions), faults)
        portions.append(portion)
        with done.open("a") as file:
            file.write(json.dumps(portion) + "\n")
    _tell(portions, faults)


def _portion(number: int, faults: Path) -> dict[str, object]:
    kind, seed = TURNS[number % len(TURNS)], FIRST_SEED + number * PORTION
    ends: Counter[str] = Counter()
    for place in range(seed, seed + PORTION, 50):
        try:
            ends += spoil_and_read(kind, place, 50)
        except Exception as error:  # noqa: BLE001  (the campaign's finding, whatever it is)
            ends["FAULT"] += 1
            fault = {"kind": kind, "seed": place, "error": repr(error), "notes": getattr(error, "__notes__", [])}
            with faults.open("a") as file:
                file.write(json.dumps(fault) + "\n")
    return {"kind": str(kind), "seed": seed, "ends": dict(ends)}


def _tell(portions: list[dict[str, object]], faults: Path) -> None:
    for kind in SEEDS:
        ends: Counter[str] = Counter()
        for portion in portions:
            if portion["kind"] == str(kind):
                ends.update(portion["ends"])  # type: ignore[arg-type]
        told = ", ".join(f"{count:,} {end}" for end, count in ends.most_common())
        print(f"{kind:<8} {ends.total():>9,} spoilt documents: {told}")
    count = len(faults.read_text().splitlines()) if faults.exists() else 0
    print(f"{count} faults" + (f", in {faults}" if count else ""))


if __name__ == "__main__":
    main()
