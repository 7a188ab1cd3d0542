"""A full-text index to hold plans against: SQLite's FTS5 for words, and a look at the subject for everything else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from lexicon.expression import Field
from lexicon.matcher import matches
from lexicon.plan import All, Any, Node, Sought, Without
from lexicon.query import Query
from lexicon.subject import Subject

_COLUMNS = {Field.TITLE: "{title} : ", Field.TEXT: "{body} : ", None: ""}


class WordIndex:
    """The subjects' titles and texts in an FTS5 table, as the archive feeds one; `tokenizer` is FTS5's."""

    def __init__(self, subjects: Sequence[Subject], now: datetime, tokenizer: str = "unicode61") -> None:
        self._subjects, self._now = subjects, now
        self._base = sqlite3.connect(":memory:")
        self._base.execute(f"CREATE VIRTUAL TABLE words USING fts5(title, body, tokenize='{tokenizer}')")
        rows = [(n, subject.title_index, subject.text_index) for n, subject in enumerate(subjects)]
        self._base.executemany("INSERT INTO words(rowid, title, body) VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        self._base.close()

    def find(self, node: Node) -> set[int]:
        """The numbers of the subjects that a plan finds."""
        everything = set(range(len(self._subjects)))
        match node:
            case Sought(words, field):
                phrase = " ".join(words.tokens)
                match_text = f'{_COLUMNS[field]}"{phrase}"{"*" if words.prefix else ""}'
                return {row for (row,) in self._base.execute("SELECT rowid FROM words WHERE words MATCH ?", (match_text,))}
            case All(parts):
                return everything.intersection(*map(self.find, parts))
            case Any(parts):
                return set().union(*map(self.find, parts))
            case Without(part):
                return everything - self.find(part)
            case fact:
                asked = Query("", fact)
                return {n for n in everything if matches(asked, self._subjects[n], self._now)}
