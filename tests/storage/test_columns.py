"""Whatever comes from the net can be kept, on both databases alike."""

from __future__ import annotations

import random
import string
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest

from core.article import DateOrigin, Entry, Precision, TextExtent
from core.language import Language
from core.outcomes import Outcome
from core.standing import Standing
from crawler.judgement.canonical import MAX_LENGTH
from crawler.reading.feed_entries import GUID_CHARS
from storage import addresses, articles, outbox, schema, settings, sources
from storage.addresses import Ending
from storage.archive import Archive
from storage.canonical import dump_rows
from storage.copying import copy_archive
from storage.outbox import MatchState, MessageState
from tests.builders import NOW, draft, judgement, keep

if TYPE_CHECKING:
    from sqlalchemy import Column

ODD = "a\x00b\ud800c\udfff \x1b[2J \u2028 '\"\\ % 😀"
KEPT = "a\ufffdb\ufffdc\ufffd \x1b[2J \u2028 '\"\\ % 😀"


def test_what_no_database_can_hold_is_replaced_in_every_text(archive: Archive) -> None:
    """U+0000, which PostgreSQL refuses, and lone surrogates, which neither takes; nothing else is changed."""
    with archive.write() as tx:
        sources.ensure(tx, ["news"], NOW)
        run = sources.begin_run(tx, "news", NOW)
        kept = keep(tx, ODD, ODD, outlet=ODD, authors=(ODD,), credit=ODD, summary=ODD, extent_reason=ODD)
        articles.update(tx, kept, draft(ODD, ODD + ODD, authors=(ODD,), credit=ODD), judgement(), now=NOW, watchlist_version="1")
        entry = Entry(url="https://news.test/1", title=ODD, guid=ODD, authors=(ODD,))
        ending = Ending(Outcome.BLOCKED, ODD, title=ODD, entry_fingerprint=ODD, next_try=NOW, entry=entry)
        addresses.record(tx, f"https://news.test/{ODD}", ending, url=ODD, source="news", now=NOW, run_id=run, name=ODD)
        validators = sources.Validators(ODD, ODD)
        sources.finish_run(tx, run, NOW, result="blocked", detail=ODD, next_due=NOW, validators=validators)
        message = outbox.put(tx, outbox.NewMessage("ann", "ann@x", "now", ODD, "<1@x>", ODD, ODD.encode(errors="replace")), NOW)
        outbox.mark_failed(tx, message, state=MessageState.WAITING, attempts=1, next_try=NOW, error=ODD)
        settings.put(tx, "notice", {"said": [ODD, 1, None, {ODD: True}]})

    with archive.read() as tx:
        article = articles.get(tx, kept)
        assert (article.title, article.text, article.authors, article.credit) == (KEPT, KEPT + KEPT, (KEPT,), KEPT)
        found = addresses.look_up_guid(tx, "news", ODD)
        assert found == addresses.look_up(tx, f"https://news.test/{ODD}") is not None
        assert found.entry == Entry(url=entry.url, title=KEPT, guid=KEPT, authors=(KEPT,))
        assert addresses.history(tx, found.id)[0].reason == found.reason == found.title == KEPT
        state = sources.state(tx, "news")
        assert (state.last_error, state.validators.etag, state.validators.last_modified) == (KEPT, KEPT, KEPT)
        assert sources.last_runs(tx, "news")[0].detail == KEPT
        assert outbox.latest_messages(tx, 1)[0].last_error == KEPT
        assert settings.get(tx, "notice") == {"said": [KEPT, 1, None, {KEPT: True}]}


def test_a_text_kept_by_an_earlier_version_is_carried_over_in_its_storable_form(tmp_path, database_url: str) -> None:
    """SQLite holds U+0000; the copy holds U+FFFD in its place, and counts as the same."""
    folder = tmp_path / "earlier"
    folder.mkdir()
    with Archive.open(f"sqlite:///{folder / 'a.sqlite3'}", NOW) as earlier:
        with earlier.write() as tx:
            keep(tx, "odd")
            tx.connection.exec_driver_sql("UPDATE article SET title = 'a' || char(0) || 'b', reasons = '[\"\\u0000\"]'")
        with Archive.open(database_url, NOW, unfinished=True) as target:
            copy_archive(earlier, target)
            with target.read() as tx, earlier.read() as before:
                assert articles.get(tx, 1).title == "a\ufffdb"
                assert list(dump_rows(tx)) == list(dump_rows(before))


@pytest.mark.parametrize("alphabet", [string.printable[:90], "龘爩麤灪龖厵"])
def test_the_longest_addresses_and_names_fit_into_the_indexes(archive: Archive, alphabet: str) -> None:
    """PostgreSQL refuses index entries of more than 2,704 bytes that do not compress."""
    chance = random.Random(1)
    url = "https://news.test/" + "".join(chance.choices(string.ascii_letters + string.digits, k=MAX_LENGTH - 18))
    guid = "".join(chance.choices(alphabet, k=GUID_CHARS))
    with archive.write() as tx:
        addresses.record(tx, url, Ending(Outcome.OFF_TOPIC), url=url, source="s" * 64, now=NOW, name=guid)

        assert addresses.look_up_guid(tx, "s" * 64, guid) == addresses.look_up(tx, url) is not None


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (schema.run.c.result, Outcome),
        (schema.address.c.outcome, Outcome),
        (schema.source.c.standing, Standing),
        (schema.source.c.told_standing, Standing),
        (schema.article.c.language, Language),
        (schema.article.c.extent, TextExtent),
        (schema.article.c.published_precision, Precision),
        (schema.article.c.published_origin, DateOrigin),
        (schema.match.c.state, MatchState),
        (schema.message.c.state, MessageState),
    ],
    ids=str,
)
def test_every_word_fits_into_its_column(column: Column[str], words: type[StrEnum]) -> None:
    """PostgreSQL refuses a longer one, SQLite does not notice."""
    assert max(map(len, words)) <= column.type.length


def test_a_time_without_a_zone_is_refused(archive: Archive) -> None:
    with pytest.raises(Exception, match="naive time"), archive.write() as tx:
        sources.ensure(tx, ["news"], NOW.replace(tzinfo=None))
