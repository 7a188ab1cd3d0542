"""`jingbao show ID`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from console.commands.options import LARGEST_ID, json_option
from console.records import article_record, moment
from console.settings import Settings, load_settings
from console.terminal import out, plain, print_json, when
from console.workshop import open_archive
from core.article import Article
from storage import articles

HELP = """\
Show one article in full, by its number, with its story's other reports and its earlier versions.

\b
Examples:
  jingbao show 42
  jingbao show 42 --json
"""


@click.command(help=HELP)
@click.argument("article_id", type=click.IntRange(1, LARGEST_ID), metavar="ID")
@json_option
@click.pass_obj
def command(config_path: Path | None, article_id: int, as_json: bool) -> int:
    """Print the article; 3 if there is none."""
    settings = load_settings(config_path)
    with open_archive(settings) as archive, archive.read() as tx:
        article = articles.get(tx, article_id)
        others = [each for each in articles.of_story(tx, article.story_id) if each.id != article.id]
        versions = articles.versions(tx, article_id)
    if as_json:
        story = [{"id": each.id, "outlet": each.outlet, "title": each.title, "url": each.url} for each in others]
        earlier = [{"until": moment(each.until), "title": each.title, "text": each.text or each.summary} for each in versions]
        print_json(article_record(article) | {"story": story, "versions": earlier})
    else:
        _print(settings, article, others, len(versions))
    return 0


def _print(settings: Settings, article: Article, others: list[Article], versions: int) -> None:
    zone = settings.zone
    out.print(plain(article.title, "bold"))
    about = [article.outlet, when(article, zone), str(article.language), f"{article.extent} text"]
    if article.authors:
        about.append(", ".join(article.authors))
    if article.credit:
        about.append(f"credit: {article.credit}")
    out.print(plain(" · ".join(about), "dim"))
    out.print(plain(article.url, "blue"), soft_wrap=True)
    out.print()
    for paragraph in (article.body or "(no text is held)").split("\n"):
        out.print(plain(paragraph))
        out.print()
    _facts("mentions", ", ".join(settings.names_of(article)))
    _facts("kept because", "; ".join(article.reasons))
    _facts("text", article.extent_reason)
    _facts("earlier versions", str(versions) if versions else "")
    for other in others:
        relation = "original" if other.id == article.copy_of else "also in"
        _facts(relation, f"{other.outlet}: {other.title} (jingbao show {other.id})")


def _facts(name: str, value: str) -> None:
    if value:
        out.print(Text.assemble((f"{name:>16}  ", "dim"), plain(value)))
