"""An archive written out so that two of them can be compared row by row, whatever order their rows came in.

Every column of every table is compared as it is, but for what NORMALISED lists. The small world's clock stands still
(tests/faults/world.py), so that times are compared too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from typing import Any

from sqlalchemy import inspect, select

from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import schema
from storage.archive import Transaction
from storage.raw import RawLocation, RawPages
from storage.search import search

Dump = dict[str, list[str]]
"""By table (and for `search`, `tables`), the sorted lines that stand for its rows."""

NORMALISED = {
    "*.id and what points at it": "numbers are given in order of arrival; a row is named by what it is about",
    "… (article 7), jingbao show 7": "the same, in words",
    "article.index_row, version.index_row": "the count within a second goes by order of arrival; the second is compared",
    "source.next_due": "pauses are spread at random (0.95 to 1.05 of the interval); that it is one interval on is compared",
    "source.yields": "what a dead run has read is not read again, so the next run yields less, or nothing to learn from",
    "run": "runs that death interrupted are left out, and counted apart",
    "run.counts, run.yields": "what a dead run has stored is `unchanged` to the next; that the counts add up is compared",
    "raw_page.offset, .bytes": "records of dead runs stay in the file, and each has a number at random; the page itself is compared",
    "message of the kind `now`": "one mail holds what one pass found; what was told, to whom and in which state, is compared",
}

_NUMBERED = re.compile(r"\b(article |show )(\d+)\b")
_NO_LETTERS = re.compile(r"\W+")  # line breaks, and the marks around what was sought


@dataclass(frozen=True, slots=True)
class _Names:
    """What rows are called in place of their numbers."""

    articles: Mapping[int, str]
    addresses: Mapping[int, str]
    stories: Mapping[int, str]
    sources_of_runs: Mapping[int, str]
    messages: Mapping[int, str]

    @classmethod
    def of(cls, tx: Transaction) -> _Names:
        articles = {row.id: row for row in tx.connection.execute(select(schema.article))}
        stories = defaultdict(list)
        for row in articles.values():
            stories[row.story_id].append(row.canonical_url)
        return cls(
            articles={number: row.canonical_url for number, row in articles.items()},
            addresses={row.id: row.canonical_url for row in tx.connection.execute(select(schema.address))},
            stories={number: " = ".join(sorted(urls)) for number, urls in stories.items()},
            sources_of_runs={row.id: row.source for row in tx.connection.execute(select(schema.run))},
            messages={row.id: f"{row.kind} to {row.reader}" for row in tx.connection.execute(select(schema.message))},
        )

    def in_words(self, text: str) -> str:
        return _NUMBERED.sub(lambda found: found[1] + self.articles.get(int(found[2]), "that is not there"), text)


_POINTERS: dict[str, Callable[[_Names], Mapping[int, str]]] = {
    "article_id": lambda names: names.articles,
    "copy_of": lambda names: names.articles,
    "story_id": lambda names: names.stories,
    "address_id": lambda names: names.addresses,
    "run_id": lambda names: names.sources_of_runs,
    "message_id": lambda names: names.messages,
}


def written_out(tx: Transaction, raw: RawPages, intervals: Mapping[str, float]) -> Dump:
    """The archive of an open transaction. `intervals` are the sources' in seconds, `raw` holds its pages."""
    names = _Names.of(tx)
    dump: Dump = {}
    for table in schema.metadata.sorted_tables:
        rows = [dict(row._mapping) for row in tx.connection.execute(select(table))]
        dump[table.name] = sorted(_line(row) for row in _TABLES.get(table.name, _plain)(rows, names, tx, raw, intervals))
    dump["search"] = _found(tx, names)
    dump["tables"] = _tables(tx)
    return dump


def differences(oracle: Dump, other: Dump) -> list[str]:
    """What one has and the other has not, a line each; empty if both say the same."""
    told = []
    for part in sorted({*oracle, *other}):
        ours, theirs = list(oracle.get(part, ())), list(other.get(part, ()))
        for line in tuple(ours):
            if line in theirs:
                ours.remove(line)
                theirs.remove(line)
        told += [f"{part}: missing {line}" for line in ours] + [f"{part}: too much {line}" for line in theirs]
    return told


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, default=_simple)


def _simple(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


Rows = list[dict[str, Any]]
_Normalise = Callable[[Rows, _Names, Transaction, RawPages, Mapping[str, float]], Rows]


def _plain(rows: Rows, names: _Names, *_: Any) -> Rows:
    return [_named(row, names) for row in rows]


def _named(row: Mapping[str, Any], names: _Names) -> dict[str, Any]:
    """A row without its number, and with names in place of those it points at."""
    plain: dict[str, Any] = {}
    for column, value in row.items():
        if column == "id":
            continue
        if column in _POINTERS and isinstance(value, int):
            value = _POINTERS[column](names).get(value, f"dangling {column}")
        elif column == "reason" and isinstance(value, str):
            value = names.in_words(value)
        elif column == "index_row":
            value = value >> 20
        plain[column] = value
    return plain


def _stories(rows: Rows, names: _Names, *_: Any) -> Rows:
    return [{"articles": names.stories.get(row["id"], "none"), "opened": row["opened"]} for row in rows]


def _sources(rows: Rows, names: _Names, _tx: Any, _raw: Any, intervals: Mapping[str, float]) -> Rows:
    return [
        row
        | {"next_due": _due(row, intervals.get(row["key"], 0))}
        | {"yields": "learnt" if row["yields"] else "nothing"}
        for row in rows
    ]


def _due(row: Mapping[str, Any], interval: float) -> str:
    last: datetime | None = row["last_run"]
    if last is None:
        return str(row["next_due"])
    pause = (row["next_due"] - last).total_seconds()
    return "an interval on" if 0.949 * interval <= pause <= 1.051 * interval else f"{pause:g} s on"


def _runs(rows: Rows, names: _Names, *_: Any) -> Rows:
    kept = []
    for row in rows:
        if row["result"] == "interrupted":
            continue
        adds_up = row["seen"] == sum(row["counts"].values())
        kept.append({name: value for name, value in row.items() if name not in {"id", "counts", "yields"}} | {"adds_up": adds_up})
    return kept


def _raw_pages(rows: Rows, names: _Names, _tx: Any, raw: RawPages, *_: Any) -> Rows:
    return [
        {
            "address": names.addresses.get(row["address_id"], "dangling"),
            "fetched": row["fetched"],
            "file": row["file"],
            "page": _page(raw, RawLocation(row["file"], row["offset"], row["bytes"], row["fetched"])),
        }
        for row in rows
    ]


def _page(raw: RawPages, location: RawLocation) -> list[str]:
    document = raw.read(location)
    return [document.url, str(document.status), hashlib.sha256(document.body).hexdigest()]


def _messages(rows: Rows, names: _Names, tx: Transaction, *_: Any) -> Rows:
    told = defaultdict(list)
    for match in tx.connection.execute(select(schema.match).where(schema.match.c.message_id.is_not(None))):
        told[match.message_id].append(match)
    first = {(row["reader"], row["period_key"]): told[row["id"]] for row in rows if told[row["id"]]}
    lines = []
    for row in rows:
        parts = {name: value for name, value in row.items() if name in _ENVELOPE}
        if row["kind"] != "now":
            lines.append(parts | {"period_key": row["period_key"], "subject": row["subject"], "text": names.in_words(_text(row["content"]))})
            continue
        for match in first.get((row["reader"], row["period_key"]), ()):
            title = tx.connection.scalar(select(schema.article.c.title).where(schema.article.c.id == match.article_id))
            says_so = _letters_of(title) in _letters_of(_text(row["content"]))
            lines.append(parts | {"rule": match.rule, "tells": names.articles[match.article_id], "says_so": says_so})
    return lines


_ENVELOPE = {"reader", "address", "kind", "created", "state", "attempts", "next_try", "sent", "last_error"}


def _text(content: bytes) -> str:
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    return str(body.get_content()) if body else ""


def _letters_of(text: str) -> str:
    return _NO_LETTERS.sub("", text)


_TABLES: dict[str, _Normalise] = {
    "source": _sources,
    "run": _runs,
    "story": _stories,
    "raw_page": _raw_pages,
    "message": _messages,
}


def _found(tx: Transaction, names: _Names) -> list[str]:
    """What the full-text index finds by the title of each article, and by each it had before."""
    titles = set(tx.connection.scalars(select(schema.article.c.title))) | set(tx.connection.scalars(select(schema.version.c.title)))
    now = datetime.fromisoformat("2026-03-12T00:00:00+00:00")
    watchlist = load_watchlist()
    lines = []
    for asked in [*(f'"{title.replace(chr(34), " ")}"' for title in titles), "lang:zh", "芯片", "DeepSeek chips", "模型"]:
        result = search(tx, parse(asked, watchlist), now, limit=200)
        lines.append(f"{asked} → {sorted(article.canonical_url for article in result.articles)}")
    return sorted(lines)


def _tables(tx: Transaction) -> list[str]:
    """The tables' shape, as the database itself tells it."""
    inspector = inspect(tx.connection)
    lines = []
    for table in inspector.get_table_names():
        lines += [f"{table}.{column['name']} {column['type']} null={column['nullable']}" for column in inspector.get_columns(table)]
        lines += [f"{table} index {index['name']} {index['column_names']} {index['unique']}" for index in inspector.get_indexes(table)]
        lines += [f"{table}.{key['constrained_columns']} → {key['referred_table']}" for key in inspector.get_foreign_keys(table)]
    lines += [str(row) for row in tx.connection.exec_driver_sql("SELECT version_num FROM alembic_version")]
    return sorted(lines)
