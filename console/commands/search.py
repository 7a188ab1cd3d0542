"""`jingbao search QUERY`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.padding import Padding
from rich.text import Text

from console.commands.options import json_option
from console.records import article_record
from console.settings import Settings, load_settings
from console.terminal import join_marked, out, plain, print_json, talk, when
from console.workshop import open_archive
from core.article import Article
from lexicon.matcher import hits
from lexicon.query import Query, parse
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
INDENT = (0, 0, 0, 7)


@click.command(help=HELP)
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--order", type=click.Choice([str(order) for order in Order]), default="newest", show_default=True)
@click.option("--after", "cursor", help="The cursor that the page before ended with.")
@json_option
@click.pass_obj
def command(config_path: Path | None, query: str, limit: int, order: str, cursor: str | None, as_json: bool) -> int:
    """Print what is found; 3 if there is nothing."""
    settings = load_settings(config_path)
    parsed = parse(query, settings.watchlist)
    now = settings.clock.now()
    with open_archive(settings) as archive, archive.read() as tx:
        try:
            found = search(tx, parsed, now, limit=limit, order=order, before_cursor=cursor)
        except ValueError as error:
            raise click.BadParameter(f"{cursor!r} is no cursor of a search", param_hint="--after") from error
    if as_json:
        print_json({"query": query, "total": found.total, "complete": found.complete, "next": found.cursor} | _records(found))
    else:
        for article in found.articles:
            _print(settings, parsed, article)
        talk.print(_summary(found, query), markup=False, soft_wrap=True)
    return 0 if found.articles else 3


def _records(found: SearchResult) -> dict[str, object]:
    return {"articles": [article_record(article) for article in found.articles]}


def _print(settings: Settings, query: Query, article: Article) -> None:
    subject = Subject.of_article(article)
    marked = hits(query, subject, settings.clock.now())
    out.print(Text.assemble((f"{article.id:>6} ", "cyan"), plain(article.title, "bold")))
    about = f"{article.outlet} · {when(article, settings.zone)} · {article.language}"
    out.print(Padding(plain(about, "dim"), INDENT))
    for snippet in snippets(marked, subject, SNIPPET_WIDTH)[:2]:
        out.print(Padding(join_marked(snippet.text, snippet.marks), INDENT))
    out.print(Text.assemble(" " * 7, plain(article.url, "blue")), soft_wrap=True)


def _summary(found: SearchResult, query: str) -> str:
    if not found.articles:
        return "Nothing found." + ("" if found.complete else " (The search was ended early; make the query more particular.)")
    total = f" of {found.total}" if found.total is not None else ""
    more = f" The next ones: jingbao search {query!r} --after {found.cursor}" if found.cursor else ""
    return f"{len(found.articles)}{total} found.{more}"
