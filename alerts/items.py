"""A story as a reader is shown it: marked title and snippets, glosses, time, reasons, other outlets."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from alerts.letter import Gloss, Item, Outlet, Pieces, Reminder
from alerts.plain import clean, one_line, safe_link
from alerts.times import moment, told_time
from alerts.wording import WORDING, Wording
from core.article import TextExtent
from core.language import Language
from core.log import values
from lexicon.expression import Field
from lexicon.marking import marked
from lexicon.matcher import Hit
from lexicon.snippet import Snippet, columns, lead, marked_title, snippets
from lexicon.subject import Subject

if TYPE_CHECKING:
    from alerts.desk import Desk
    from core.article import Article
    from core.config import Reader, Rule

log = logging.getLogger("jingbao.alerts")

SNIPPET_COLUMNS = 240
_SNIPPETS = 2
_GLOSSES = 6
_FOUND = 6
_OUTLETS = 5
_TITLE_COLUMNS = 300
_NAME_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class View:
    """Whose eyes a mail is written for, and when."""

    desk: Desk
    reader: Reader
    now: datetime

    @property
    def words(self) -> Wording:
        """The program's own words in the reader's language."""
        return WORDING[self.reader.language]


def item(view: View, article: Article, siblings: Sequence[Article], rules: Sequence[str]) -> Item:
    """`article` as the reader sees it; `siblings` are all of its story, `rules` the names of those that found it.

    One text that cannot be shown must not hold back the others: it falls back to title and link alone.
    """
    try:
        return _full(view, article, siblings, rules)
    except Exception:
        log.exception("an article could not be shown in full; please report the lines below", extra=values(article=article.id))
        return _bare(view, article)


def _bare(view: View, article: Article) -> Item:
    return Item(
        article_id=article.id,
        source=article.source,
        lang=_lang(article),
        own_language=article.language.press == view.reader.language,
        title=((one_line(article.title, _TITLE_COLUMNS) or view.words.untitled, False),),
        link=safe_link(article.url),
        local_link=_local_link(view, article),
        meta=(_outlet(article),),
    )


def _full(view: View, article: Article, siblings: Sequence[Article], rules: Sequence[str]) -> Item:
    subject = Subject.of_article(article)
    found = _hits(view, article, subject, rules)
    shown = snippets(found, subject, SNIPPET_COLUMNS, _SNIPPETS) or [lead(subject.text, SNIPPET_COLUMNS)]
    passages = [_pieces(snippet) for snippet in shown if snippet.text]
    bare = _bare(view, article)
    title = marked_title(found, subject)
    others = _other_outlets(article, siblings)
    return Item(
        article_id=article.id,
        source=article.source,
        lang=bare.lang,
        own_language=bare.own_language,
        title=_pieces(title) if title.text and columns(title.text) <= _TITLE_COLUMNS else bare.title,
        link=bare.link,
        local_link=bare.local_link,
        meta=_meta(view, article),
        glosses=() if bare.own_language else _glosses(view, article.title, passages),
        snippets=tuple(passages),
        found=_words(view, article, found, rules),
        also_rules=tuple(title_of(view.desk.rules[name]) for name in rules[1:]),
        outlets=tuple(others[:_OUTLETS]),
        more_outlets=max(len(others) - _OUTLETS, 0),
        copies=max(len(siblings) - 1, 0),
    )


def title_of(rule: Rule) -> str:
    """What a rule is called in a mail."""
    return one_line(rule.title) or rule.name


def reminder(view: View, article: Article, told: datetime) -> Reminder:
    """One line on a story that an earlier mail told."""
    title = one_line(article.title, 120) or view.words.untitled
    return Reminder(title, _lang(article), safe_link(article.url), moment(told, view.reader))


def search_command(rule: Rule, now: datetime, since: datetime) -> str:
    """The command that lists what a mail had no room for."""
    days = max((now - since).days + 1, 1)
    return f"jingbao search {shlex.quote(one_line(f'({rule.query}) since:{days}d'))}"


def _lang(article: Article) -> str:
    return "und" if article.language is Language.OTHER else str(article.language)


def _outlet(article: Article) -> str:
    return one_line(article.outlet, _NAME_COLUMNS) or article.source


def _local_link(view: View, article: Article) -> str:
    base = view.desk.config.alerts.link_base.rstrip("/")
    return safe_link(f"{base}/articles/{article.id}") if base else ""


def _meta(view: View, article: Article) -> tuple[str, ...]:
    words = view.words
    missing = {
        TextExtent.HEADLINE: words.headline_only,
        TextExtent.SUMMARY: words.summary_only,
        TextExtent.PARTIAL: words.partial_text,
    }
    parts = [_outlet(article)]
    if article.language.press != view.reader.language:
        parts.append(words.languages[article.language])
    parts.append(told_time(article, view.reader))
    if article.extent in missing:
        parts.append(missing[article.extent])
    return tuple(parts)


def _hits(view: View, article: Article, subject: Subject, rules: Iterable[str]) -> list[Hit]:
    """Where the rules' words and concepts stand, each place once, the title's first.

    `since:` counts from the article's discovery, not from the mail, or a weekly digest would find nothing to mark.
    """
    queries = [view.desk.queries[name] for name in rules]
    return marked(queries, subject, view.desk.finder, article.discovered)


def found_words(view: View, article: Article, rules: Sequence[str]) -> tuple[str, ...]:
    """Why an article matches: the different words found, as they stand in it; the rule's query if it asks for no words."""
    return _words(view, article, _hits(view, article, Subject.of_article(article), rules), rules)


def _words(view: View, article: Article, found: Sequence[Hit], rules: Sequence[str]) -> tuple[str, ...]:
    words: dict[str, str] = {}
    for hit in found:
        text = article.title if hit.field is Field.TITLE else article.body
        word = one_line(text[hit.start : hit.end], _NAME_COLUMNS)
        if word:
            words.setdefault(word.casefold(), word)
    query = one_line(view.desk.rules[rules[0]].query, 60)
    return tuple(words.values())[:_FOUND] or (query,)


def _pieces(snippet: Snippet) -> Pieces:
    """A snippet cut at its marks, each piece clean."""
    text, place, pieces = clean(snippet.text), 0, list[tuple[str, bool]]()
    for start, end in snippet.marks:
        pieces += [(text[place:start], False), (text[start:end], True)]
        place = end
    pieces.append((text[place:], False))
    return tuple((piece, marked) for piece, marked in pieces if piece)


def _glosses(view: View, title: str, passages: Iterable[Pieces]) -> tuple[Gloss, ...]:
    """What the names in a foreign title and its snippets are called in the reader's language, each entity once."""
    shown = "\n".join("".join(text for text, _ in passage) for passage in passages)
    glosses: dict[str, Gloss] = {}
    for span in view.desk.finder.spans(title, shown):
        name = one_line((title if span.in_title else shown)[span.start : span.end])
        for entity, gloss in _gloss(view, span.entity, name):
            glosses.setdefault(entity, gloss)
    return tuple(glosses.values())[:_GLOSSES]


def _gloss(view: View, entity: str, name: str) -> Iterator[tuple[str, Gloss]]:
    """The gloss of one name; where the name holds its own meaning (英伟达H20: H20), those of the names in the rest of it."""
    meaning = one_line(view.desk.watchlist.gloss(entity, view.reader.language), _NAME_COLUMNS)
    if not meaning or _readable(name, view.reader.language):
        return
    if meaning not in name:
        yield entity, Gloss(name, meaning)
        return
    rest = name.replace(meaning, " ")
    for span in view.desk.finder.spans(rest, ""):
        if span.entity != entity:
            yield from _gloss(view, span.entity, rest[span.start : span.end])


def _readable(name: str, language: str) -> bool:
    """Whether a reader of `language` can read a name as it stands: it is in their own script."""
    return name.isascii() if language == "en" else not name.isascii()


def _other_outlets(article: Article, siblings: Iterable[Article]) -> list[Outlet]:
    others: dict[str, Outlet] = {}
    for sibling in siblings:
        name = _outlet(sibling)
        if name != _outlet(article):
            others.setdefault(name, Outlet(name, safe_link(sibling.url)))
    return list(others.values())
