"""`jingbao explain URL|ID`: an address's whole history, from first seen to mailed, or why not."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from console.commands.options import LARGEST_ID, json_option
from console.settings import Settings, load_settings
from console.terminal import local, out, plain, print_json
from console.workshop import open_archive
from core.article import Article
from core.errors import JingbaoError, NotFoundError
from crawler.judgement.canonical import canonical_url
from storage import addresses, articles, outbox
from storage.addresses import AddressRecord, Sighting
from storage.archive import Transaction
from storage.outbox import LOST_MESSAGES, Match, MatchState, Message, MessageState

HELP = """\
Tell everything that happened to an address or an article: who carried it, when it was fetched, how it was judged and why,
which rules it met, and to whom it was mailed, or why not.

\b
Examples:
  jingbao explain https://technode.com/2026/01/20/some-story/
  jingbao explain 42
"""

WHY = {
    MatchState.WAITING: "waiting for its mail",
    MatchState.FOLDED: "past the reader's mails of the day; waiting for the next digest",
    MatchState.MAILED: "in a mail that is on its way",
    MatchState.TOLD: "not mailed: the reader was told of this story before",
    MatchState.BASELINE: "not mailed: it came with its source's first collection",
    MatchState.TOO_OLD: "not mailed: published too long ago (alerts.max_age_days)",
    MatchState.WITHDRAWN: "not mailed: the rule or reader was taken out before",
}


@click.command(help=HELP)
@click.argument("what", metavar="URL|ID")
@json_option
@click.pass_obj
def command(config_path: Path | None, what: str, as_json: bool) -> int:
    """Print the history; 3 if the archive never saw it."""
    settings = load_settings(config_path)
    asked = _asked(what)
    with open_archive(settings) as archive, archive.read() as tx:
        history = _history(tx, asked)
    if as_json:
        print_json(history.record())
    else:
        _print(settings, history)
    return 0


@dataclass(frozen=True, slots=True)
class _History:
    addresses: list[tuple[AddressRecord, list[Sighting]]]
    article: Article | None
    told: list[tuple[Match, Message | None]]

    def record(self) -> dict[str, object]:
        return {
            "addresses": [
                {
                    "url": record.url,
                    "outcome": record.outcome,
                    "reason": record.reason,
                    "first_seen": record.first_seen,
                    "last_seen": record.last_seen,
                    "next_try": record.next_try,
                    "history": [asdict(sighting) for sighting in sightings],
                }
                for record, sightings in self.addresses
            ],
            "article": self.article.id if self.article else None,
            "matches": [
                {
                    "rule": match.rule,
                    "reader": match.reader,
                    "state": match.state,
                    "at": match.at,
                    "mail": mail.state if mail else None,
                    "subject": mail.subject if mail else None,
                    "sent": mail.sent if mail else None,
                }
                for match, mail in self.told
            ],
        }


def _asked(what: str) -> int | str:
    """An article's number, or a canonical URL."""
    if what.isascii() and what.isdecimal():
        if not 0 < int(what[:20]) <= LARGEST_ID:
            raise NotFoundError(f"There is no article {what}.")
        return int(what)
    if not re.match(r"https?://[^/\s]+", what, re.IGNORECASE):
        expected = "expected an article's number, or an address that starts with http:// or https://"
        raise click.BadParameter(f"{what!r}: {expected}", param_hint="URL|ID")
    try:
        return canonical_url(what)
    except JingbaoError as error:
        raise click.BadParameter(str(error), param_hint="URL|ID") from error


def _history(tx: Transaction, asked: int | str) -> _History:
    if isinstance(asked, int):
        kept: Article | None = articles.get(tx, asked)
        records = addresses.of_article(tx, asked)
    else:
        record = addresses.look_up(tx, asked)
        if record is None:
            advice = "If a source should carry it, `jingbao sources` tells how that one is."
            raise NotFoundError(f"The archive never saw {asked}. {advice}")
        records = [record]
        kept = articles.get(tx, record.article_id) if record.article_id else None
    matches = outbox.matches_of(tx, kept.id) if kept else []
    told = [(match, outbox.get_message(tx, match.message) if match.message else None) for match in matches]
    return _History([(record, addresses.history(tx, record.id)) for record in records], kept, told)


def _print(settings: Settings, history: _History) -> None:
    zone = settings.zone
    for record, sightings in history.addresses:
        out.print(plain(record.url, "bold"), soft_wrap=True)
        for each in sightings:
            reason = f": {each.reason}" if each.reason else ""
            out.print(plain(f"  {local(each.at, zone)}  {each.source}  {each.outcome}{reason}"), soft_wrap=True)
        if record.next_try:
            out.print(f"  tried again at {local(record.next_try, zone)}")
    article = history.article
    if article is None:
        out.print("Nothing of it is kept.")
        return
    out.print(plain(f"Kept as article {article.id} (story {article.story_id}): {article.title}"), soft_wrap=True)
    out.print(plain(f"  because: {'; '.join(article.reasons)}"), soft_wrap=True)
    names = ", ".join(settings.names_of(article)) or "nobody of the watchlist"
    out.print(plain(f"  mentions: {names}"), soft_wrap=True)
    for match, mail in history.told:
        out.print(plain(f"  rule {match.rule}, reader {match.reader}: {_told(match, mail, zone)}"), soft_wrap=True)
    if not history.told:
        out.print("  no rule asked for it")


def _told(match: Match, mail: Message | None, zone: ZoneInfo) -> str:
    if mail and mail.sent:
        return f"mailed {local(mail.sent, zone)}: {mail.subject}"
    if mail and mail.state in (*LOST_MESSAGES, MessageState.WITHDRAWN):
        return f"in a mail that was not delivered ({mail.state}): {mail.last_error}"
    return WHY[match.state]
