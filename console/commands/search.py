"""`jingbao search QUERY`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click
from rich.padding import Padding
from rich.text import Text

from console.commands.options import LARGEST_ID, QueryCommand, json_option
from console.records import article_record
from console.settings import Settings, load_settings
from console.terminal import clean, join_marked, out, plain, print_json, talk, when
from console.workshop import open_archive
from core.article import Article
from lexicon.marking import marked
from lexicon.matcher import Hit
from lexicon.mentions import MentionFinder
from lexicon.query import parse
from lexicon.snippet import snippets
from lexicon.subject import Subject
from storage.search.searching import Order, SearchResult, search

HELP = """\
Find articles, newest first. The query language is that of the alert rules: docs/reference/query-language.md

\b
  words          all of them, in any order; OR, NOT (or -), parentheses
  "a phrase"     exactly these words; prefix*; word NEAR/5 word
  @concept       a name or group of the watchlist: @deepseek, @chinese-models, @export-controls
  title: source: lang:zh topic: by: after:2026-01-01 before: since:7d
  story:zh-only  stories only the Chinese press has; outlets:>=3

\b
Examples:
  jingbao search '华为 AI芯片'
  jingbao search '@export-controls since:30d -"Samsung"' --limit 50
  jingbao search 'humanoid robot' --order relevance --json | jq '.articles[].title'
"""
SNIPPET_WIDTH = 160
LIMIT = 20
INDENT = (0, 0, 0, 7)


@click.command(help=HELP, cls=QueryCommand)
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 1000), default=LIMIT, show_default=True)
@click.option("--order", type=click.Choice([str(order) for order in Order]), default="newest", show_default=True)
@click.option("--after", "cursor", help="The cursor that the page before ended with.")
@json_option
@click.pass_obj
def command(config_path: Path | None, query: str, limit: int, order: str, cursor: str | None, as_json: bool) -> int:
    """Print what is found; 3 if there is nothing."""
    settings = load_settings(config_path)
    parsed = parse(query, settings.watchlist)
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and int(cursor) <= LARGEST_ID):
        raise click.BadParameter(f"{cursor!r} is no cursor that a search ended with", param_hint="--after")
    now = settings.clock.now()
    with open_archive(settings) as archive, archive.read() as tx:
        found = search(tx, parsed, now, limit=limit, order=order, before_cursor=cursor)
    if as_json:
        print_json({"query": query, "total": found.total, "complete": found.complete, "next": found.cursor} | _records(found))
    else:
        finder = MentionFinder(settings.watchlist)
        for article in found.articles:
            subject = Subject.of_article(article)
            _print(settings, article, subject, marked([parsed], subject, finder, now))
        talk.print(clean(_summary(found, _next(config_path, query, limit, order, found.cursor))), markup=False, soft_wrap=True)
    return 0 if found.articles else 3


def _records(found: SearchResult) -> dict[str, object]:
    return {"articles": [article_record(article) for article in found.articles]}


def _next(config_path: Path | None, query: str, limit: int, order: str, cursor: str | None) -> str:
    """The command that goes on from here, as a shell reads it; empty if there is nothing more."""
    if cursor is None:
        return ""
    words = ["jingbao", *(["--config", str(config_path)] if config_path else []), "search"]
    words += [*(["--limit", str(limit)] if limit != LIMIT else []), *(["--order", order] if order != Order.NEWEST else [])]
    return shlex.join([*words, "--after", cursor, *(["--"] if query.startswith("-") else []), query])


def _print(settings: Settings, article: Article, subject: Subject, found: Sequence[Hit]) -> None:
    out.print(Text.assemble((f"{article.id:>6} ", "cyan"), plain(article.title, "bold")))
    about = f"{article.outlet} · {when(article, settings.zone)} · {article.language}"
    out.print(Padding(plain(about, "dim"), INDENT, expand=False))
    for snippet in snippets(found, subject, SNIPPET_WIDTH):
        out.print(Padding(join_marked(snippet.text, snippet.marks), INDENT, expand=False))
    out.print(Text.assemble(" " * 7, plain(article.url, "blue")), soft_wrap=True)


def _summary(found: SearchResult, following: str) -> str:
    if not found.articles:
        return "Nothing found." + ("" if found.complete else " (The search was ended early; make the query more particular.)")
    total = f" of {found.total}" if found.total is not None else ""
    more = f" The next ones: {following}" if following else ""
    return f"{len(found.articles)}{total} found.{more}"
