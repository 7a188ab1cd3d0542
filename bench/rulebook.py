"""How long a thousand standing queries take against an article, and how much faster than asking each.

Run: python -m bench.rulebook [RULES]. Queries and articles are made up, with a fixed seed. Words: the watchlist's names, and
invented ones that follow Zipf's law (the n-th is used 1/n as often), 20,000 in each language. Articles: three of five in
Chinese with some 1,000 Han characters, the others with 600 English words, each naming three entities. Queries: words from the
thousandth most frequent on, one to five of them, phrases, exclusions, NEAR, concepts; one in fifty asks for facts alone and
has no word. Times are of the processor, so that other work on the machine counts little.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

from core.language import Language
from lexicon.matcher import matches
from lexicon.query import Query, parse
from lexicon.rulebook import RuleBook
from lexicon.subject import Subject
from lexicon.watchlist import Watchlist, load_watchlist

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
VOCABULARY = 20_000
COMMON = 1000
"""Standing queries name things; none asks for one of the most frequent words."""
_WEIGHTS = [1 / (rank + 1) for rank in range(VOCABULARY)]
_HAN_CHARACTERS = [chr(point) for point in range(0x4E00, 0x4E00 + 2500)]
_SYLLABLES = [first + rest for first in "bcdfghklmnprstvw" for rest in ("a", "e", "i", "o", "u", "ai", "on", "er", "in")]


class Words:
    """The words of an imagined press in both languages, most frequent first."""

    def __init__(self, dice: random.Random, watchlist: Watchlist) -> None:
        self.han = ["".join(dice.choices(_HAN_CHARACTERS, k=dice.choice([1, 2, 2, 2, 3, 4]))) for _ in range(VOCABULARY)]
        self.latin = ["".join(dice.choices(_SYLLABLES, k=dice.choice([1, 2, 2, 3]))) for _ in range(VOCABULARY)]
        names = [name for entity in watchlist.entities.values() for name in entity.names if not set(name) & set('#"')]
        self.names = [f'"{name}"' for name in names]

    def running(self, count: int, dice: random.Random, *, chinese: bool) -> str:
        """A text of `count` words."""
        words = dice.choices(self.han if chinese else self.latin, weights=_WEIGHTS, k=count)
        return "".join(word + dice.choice(["", "", "", "，", "。"]) for word in words) if chinese else " ".join(words)

    def asked(self, dice: random.Random) -> str:
        """A word for a query: a name of the watchlist or a word that is not common, in either language."""
        return dice.choice([dice.choice(self.names), dice.choice(self.latin[COMMON:]), dice.choice(self.han[COMMON:])])


def rule(dice: random.Random, words: Words, concepts: list[str]) -> str:
    """One query as people write them."""
    word = lambda: words.asked(dice)
    concept = lambda: f"@{dice.choice(concepts)}"
    shapes = [
        lambda: f"{word()} OR {word()}",
        lambda: f"({word()} OR {word()}) AND ({word()} OR {word()} OR {word()})",
        lambda: f"{word()} OR {word()} OR {word()} OR {word()} OR {word()}",
        lambda: f"{word()} {word()} -{word()}",
        lambda: f"title:({word()} OR {word()})",
        lambda: f"{concept()} {word()}",
        lambda: f"({concept()} OR {concept()}) lang:zh -title:{word()}",
        lambda: f"{word()} NEAR/8 {word()}",
        lambda: f"({word()} OR {word()}) lang:{dice.choice(['zh', 'en'])} since:7d",
    ]
    return f"lang:{dice.choice(['zh', 'en'])} story:both" if dice.random() < 0.02 else dice.choice(shapes)()


def article(dice: random.Random, words: Words, entities: list[str], watchlist: Watchlist) -> Subject:
    """One article, three of five in Chinese, that names three entities twice each."""
    chinese = dice.random() < 0.6
    mentioned = dice.sample(entities, 3)
    passages = [words.running(75 if chinese else 100, dice, chinese=chinese) for _ in range(6)]
    named = [dice.choice(watchlist.names_of(entity)) for entity in mentioned * 2]
    return Subject.of_text(
        words.running(8, dice, chinese=chinese) + named[0],
        "\n".join(f"{passage} {name} " for passage, name in zip(passages, named, strict=True)),
        language=Language.ZH_HANS if chinese else Language.EN,
        mentions=frozenset(mentioned),
        at=NOW - timedelta(hours=dice.randrange(400)),
    )


def fresh(subject: Subject) -> Subject:
    """The same article with nothing worked out yet."""
    return Subject(**{name: getattr(subject, name) for name in subject.__dataclass_fields__})


def milliseconds(ask: object, subjects: list[Subject]) -> list[float]:
    """How long `ask` takes for each subject, folding and tokens included."""
    assert callable(ask)
    spent = []
    for subject in map(fresh, subjects):
        start = time.process_time()
        ask(subject)
        spent.append((time.process_time() - start) * 1000)
    return spent


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    dice, watchlist = random.Random(20261124), load_watchlist()
    words, entities = Words(dice, watchlist), sorted(watchlist.entities)
    queries: dict[str, Query] = {f"rule-{i}": parse(rule(dice, words, entities), watchlist) for i in range(count)}
    subjects = [article(dice, words, entities, watchlist) for _ in range(200)]
    start = time.process_time()
    book = RuleBook(queries)
    built = time.process_time() - start

    def loop(subject: Subject) -> list[str]:
        return [name for name, query in queries.items() if matches(query, subject, NOW)]

    assert all(loop(subject) == book.matching(subject, NOW) for subject in subjects)
    found = statistics.mean(len(loop(subject)) for subject in subjects)
    alone = statistics.median(milliseconds(lambda subject: (subject.title_index, subject.text_index), subjects))
    by_book, by_loop = milliseconds(lambda one: book.matching(one, NOW), subjects), milliseconds(loop, subjects)
    print(f"{count:,} rules, {len(subjects)} articles, {found:.1f} matches an article; making the book {built * 1000:.0f} ms")
    print(f"folding and tokens alone  {alone:.2f} ms an article (median)")
    for label, spent in (("rule book, all included", by_book), ("a plain loop", by_loop)):
        print(f"{label:<25} {statistics.median(spent):.2f} ms (median), {sorted(spent)[int(len(spent) * 0.95)]:.2f} ms (95 %)")
    print(f"the rule book is {statistics.median(by_loop) / statistics.median(by_book):.1f} times as fast")


if __name__ == "__main__":
    main()
