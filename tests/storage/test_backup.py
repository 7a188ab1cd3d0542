"""A backup is whole or not there; a restored one takes the archive's place in one step, and nobody is told anything twice."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from core.errors import BusyError, DamagedError, RestoredError, StorageError
from core.standing import Standing
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import articles, outbox, restoring, settings, sources, standings
from storage.archive import Archive, Transaction
from storage.backup import back_up, drop_older
from storage.handover import archive_alone, is_wanted_here
from storage.lock import DaemonLock, lock_path
from storage.outbox import MatchState, MessageState, NewMessage
from storage.restoring import restore
from storage.search import search
from tests.builders import NOW, keep

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An archive in SQLite: what is said of files and steps is said of it."""
    return f"sqlite:///{tmp_path / 'jingbao.sqlite3'}"


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    """An empty archive."""
    with Archive.open(url, NOW) as opened:
        yield opened


@pytest.fixture
def path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere.sqlite3"


def _match(tx: Transaction, article_id: int, state: MatchState = MatchState.WAITING) -> int:
    story = articles.get(tx, article_id).story_id
    outbox.add_match(tx, rule="models", reader="ann", article_id=article_id, story_id=story, at=NOW, state=state)
    articles.mark_matched(tx, [article_id])
    return outbox.matches_of(tx, article_id)[0].id


def _mail(tx: Transaction, name: str, *matches: int) -> int:
    row = outbox.put(tx, NewMessage("ann", "ann@example.org", "now", f"now {name}", f"<{name}@jingbao>", name, b"mail"), NOW)
    outbox.set_matches(tx, matches, MatchState.MAILED, row)
    return row


def _titles(archive: Archive) -> set[str]:
    with archive.read() as tx:
        return {each.title for each in articles.newest(tx, 100)}


# Making one


def test_a_backup_holds_one_moment_while_others_write(url: str, archive: Archive, backup: Path) -> None:
    """A writer that never rests does not keep it from ending, nor is it kept from writing."""
    with archive.write() as tx:
        for number in range(50):
            keep(tx, f"before {number}", "words " * 500)
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with archive.write() as tx:
                written.append(keep(tx, f"meanwhile {len(written)}"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = back_up(url, backup, NOW)
    finally:
        stop.set()
        writer.join()

    assert 50 <= made.rows["article"] <= 50 + len(written)
    with Archive.open(f"sqlite:///{backup}", NOW, make=False, migrate=False) as copy, copy.read() as tx:
        assert len(search(tx, parse("before", load_watchlist()), NOW, limit=100).articles) == 50


def test_a_backup_is_one_file_for_its_owner_alone(url: str, archive: Archive, backup: Path) -> None:
    back_up(url, backup, NOW)

    assert backup.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in backup.parent.iterdir() if each.name.startswith("elsewhere")] == ["elsewhere.sqlite3"]


def test_a_backup_overwrites_nothing_unless_told_to(url: str, archive: Archive, backup: Path) -> None:
    backup.write_text("mine")

    with pytest.raises(StorageError, match="--force"):
        back_up(url, backup, NOW)
    assert backup.read_text() == "mine"
    back_up(url, backup, NOW, force=True)
    assert backup.stat().st_size > 10_000


def test_dated_backups_are_kept_to_a_number_and_other_files_stay(url: str, archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "notes.sqlite3").touch()
    (folder / "jingbao-2026-01-01T000000Z.sqlite3").write_bytes(b"not ours, though it is called so")
    with closing(sqlite3.connect(folder / "jingbao-2026-01-02T000000Z.sqlite3")) as recipes:
        recipes.execute("CREATE TABLE recipe (name)")
    others = sorted(each.name for each in folder.iterdir())
    made = [back_up(url, folder, NOW + timedelta(days=day)).path for day in range(4)]

    assert drop_older(folder, 2) == made[:2]
    assert sorted(each.name for each in folder.iterdir()) == sorted([*(each.name for each in made[2:]), *others])


def test_without_room_no_backup_is_begun(url: str, archive: Archive, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.backup.shutil.disk_usage", lambda _: SimpleNamespace(free=1000))

    with pytest.raises(StorageError, match="Make room"):
        back_up(url, backup, NOW)
    assert list(backup.parent.glob("elsewhere*")) == []


def test_a_damaged_archive_gives_no_backup(url: str, path: Path, backup: Path) -> None:
    _damage(url, path)

    with pytest.raises(DamagedError):
        back_up(url, backup, NOW)
    assert list(backup.parent.glob("elsewhere*")) == []


def _damage(url: str, path: Path) -> bytes:
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        for number in range(100):
            keep(tx, f"lost {number}", "many words " * 50)
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:half] + b"\xa5" * (len(whole) - half))
    return path.read_bytes()


# Bringing one back


def test_a_restored_archive_is_the_backup_s_and_the_other_is_kept(url: str, archive: Archive, backup: Path) -> None:
    with archive.write() as tx:
        keep(tx, "before")
    back_up(url, backup, NOW)
    with archive.write() as tx:
        keep(tx, "after")

    done = restore(url, backup, LATER, backup.parent)

    assert _titles(archive) == {"before"}
    assert done.aside is not None
    with Archive.open(f"sqlite:///{done.aside}", NOW) as aside:
        assert _titles(aside) == {"before", "after"}
    with Archive.open(url, LATER) as anew:
        anew.check()


def test_a_reader_sees_its_moment_to_the_end_while_a_backup_is_restored(url: str, archive: Archive, backup: Path) -> None:
    back_up(url, backup, NOW)
    with archive.write() as tx:
        keep(tx, "after")
    with archive.read() as tx:
        assert articles.count(tx) == 1
        restore(url, backup, LATER, backup.parent)
        assert articles.count(tx) == 1
    with archive.read() as tx:
        assert articles.count(tx) == 0


def test_what_was_begun_before_a_restore_may_not_be_written_after_it(url: str, archive: Archive, backup: Path) -> None:
    """Its numbers are another archive's."""
    back_up(url, backup, NOW)
    restore(url, backup, LATER, backup.parent)

    with pytest.raises(RestoredError, match="given up"), archive.write() as tx:
        sources.finish_run(tx, 1, LATER, result="ok", next_due=LATER)
    with Archive.open(url, LATER) as anew, anew.write() as tx:
        keep(tx, "goes on")


def test_a_mail_sent_since_the_backup_is_not_sent_again(url: str, archive: Archive, backup: Path) -> None:
    with archive.write() as tx:
        waiting = _mail(tx, "waits", _match(tx, keep(tx, "one")))
        open_match = _match(tx, keep(tx, "two"))
    back_up(url, backup, NOW)
    with archive.write() as tx:
        outbox.mark_sent(tx, waiting, LATER)
        outbox.mark_sent(tx, _mail(tx, "told since", open_match), LATER)

    done = restore(url, backup, LATER, backup.parent)

    assert done.carried is not None
    with archive.read() as tx:
        assert outbox.message_counts(tx) == {MessageState.SENT: 2}
        assert outbox.open_matches(tx, "ann") == []


def test_a_story_told_since_the_backup_stays_told_with_its_article(url: str, archive: Archive, backup: Path) -> None:
    """Collected anew it would be a new article, and be mailed again."""
    with archive.write() as tx:
        keep(tx, "first")
    back_up(url, backup, NOW)
    with archive.write() as tx:
        keep(tx, "never matched")
        told = keep(tx, "told since", mentions=["deepseek"], bands=(7,))
        waits = keep(tx, "found since")
        outbox.mark_sent(tx, _mail(tx, "mail", _match(tx, told)), LATER)
        _match(tx, waits)

    done = restore(url, backup, LATER, backup.parent)

    assert done.carried is not None
    assert (done.carried.messages, done.carried.matches, done.carried.articles) == (1, 2, 2)
    assert _titles(archive) == {"first", "told since", "found since"}
    with archive.read() as tx:
        (again,) = search(tx, parse("@deepseek told", load_watchlist()), LATER).articles
        assert outbox.told_stories(tx, "ann", [again.story_id])
        assert [articles.get(tx, each.article_id).title for each in outbox.open_matches(tx, "ann")] == ["found since"]
        assert [each.title for each in articles.unmatched(tx, 10)] == ["first"]


def test_what_the_operator_and_readers_were_told_of_the_archive_stays_told(url: str, archive: Archive, backup: Path) -> None:
    """First light, notices, and as what each source was told of."""
    with archive.write() as tx:
        sources.ensure(tx, ["near"], NOW)
        settings.put(tx, settings.FIRST_LIGHT, {"began": "then", "told": None})
    back_up(url, backup, NOW)
    told = {settings.FIRST_LIGHT: {"began": "then", "told": "now"}, settings.NOTICES: {"mailed": ["now"]}}
    with archive.write() as tx:
        standings.mark_told(tx, {"near": Standing.BROKEN})
        for key, value in told.items():
            settings.put(tx, key, value)

    restore(url, backup, LATER, backup.parent)

    with archive.read() as tx:
        assert {key: settings.get(tx, key) for key in told} == told
        assert sources.state(tx, "near").told_standing == Standing.BROKEN


def test_a_state_reached_in_either_archive_stays_reached(url: str, archive: Archive, backup: Path) -> None:
    """A newer backup over an older state of the same archive: what it has sent stays sent."""
    with archive.write() as tx:
        mail = _mail(tx, "mail", _match(tx, keep(tx, "one")))
    first = backup.with_name("first.sqlite3")
    back_up(url, first, NOW)
    with archive.write() as tx:
        outbox.mark_sent(tx, mail, LATER)
    back_up(url, backup, NOW)
    with closing(sqlite3.connect(first)) as early, closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as live:
        early.backup(live)

    restore(url, backup, LATER, backup.parent)

    with archive.read() as tx:
        assert outbox.message_counts(tx) == {MessageState.SENT: 1}


def test_a_program_that_holds_the_archive_is_waited_for_no_longer_than_the_patience(
    url: str, path: Path, archive: Archive, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archive.write() as tx:
        keep(tx, "stays")
    back_up(url, backup, NOW)
    monkeypatch.setattr(restoring, "PATIENCE", timedelta(milliseconds=20))
    with closing(sqlite3.connect(path, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="Another program has been writing"):
            restore(url, backup, LATER, backup.parent)
    assert _titles(archive) == {"stays"}


async def test_damage_met_in_upkeep_ends_writing_too(url: str, path: Path) -> None:
    with Archive.open(url, NOW) as archive:
        path.with_name(path.name + "-wal").unlink()
        path.write_bytes(b"no database" * 1000)
        with pytest.raises(DamagedError, match="jingbao restore"):
            await archive.upkeep()
        with pytest.raises(DamagedError), archive.write():
            pass


def test_the_archive_of_a_newer_version_is_put_aside_and_what_it_may_have_told_is_held(url: str, backup: Path) -> None:
    """The way back after an upgrade."""
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        _mail(tx, "waits", _match(tx, keep(tx, "before")))
    back_up(url, backup, NOW)
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        keep(tx, "after")
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    done = restore(url, backup, LATER, backup.parent)

    assert done.held is not None
    assert done.held.subjects == ("waits",)
    assert done.aside is not None
    with closing(sqlite3.connect(done.aside)) as aside:
        assert aside.execute("SELECT version_num, count(*) FROM alembic_version, article").fetchone() == ("9999", 2)
    with Archive.open(url, LATER, migrate=False) as restored:
        assert _titles(restored) == {"before"}


@pytest.mark.parametrize("present", ["damaged", "gone", "another"])
def test_where_nobody_knows_what_was_told_it_is_held_back_and_named(
    url: str, path: Path, backup: Path, tmp_path: Path, present: str
) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    with Archive.open(other, NOW) as archive:
        with archive.write() as tx:
            sources.ensure(tx, ["news"], NOW)
            run = sources.begin_run(tx, "news", NOW)
            sources.finish_run(tx, run, NOW, result="ok", next_due=NOW, validators=sources.Validators("etag"))
            _mail(tx, "waits", _match(tx, keep(tx, "in a mail")))
            _match(tx, keep(tx, "to be mailed"))
            keep(tx, "not matched")
        back_up(other, backup, NOW)
    if present == "damaged":
        _damage(url, path)
    elif present == "another":
        Archive.open(url, LATER).close()

    done = restore(url, backup, LATER, backup.parent)

    assert done.held is not None
    assert (done.held.subjects, done.held.titles, done.held.unmatched) == (("waits",), ("to be mailed",), 1)
    with Archive.open(url, LATER) as archive, archive.read() as tx:
        assert outbox.due_messages(tx, LATER + timedelta(days=9), 10) == []
        assert outbox.open_matches(tx, "ann") == []
        assert articles.unmatched(tx, 10) == []
        state = sources.state(tx, "news")
        assert (state.baseline_ended, state.validators.etag) == (None, "")


def test_a_damaged_archive_is_moved_aside_as_it_is(url: str, path: Path, tmp_path: Path, backup: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    Archive.open(other, NOW).close()
    back_up(other, backup, NOW)
    damaged = _damage(url, path)

    done = restore(url, backup, LATER, backup.parent)

    assert done.aside is not None
    assert done.aside.read_bytes() == damaged
    with Archive.open(url, NOW, make=False) as archive:
        archive.check()


@pytest.mark.parametrize("what", ["absent", "garbage", "damaged", "another program's", "empty"])
def test_a_file_that_is_no_whole_backup_changes_nothing(
    url: str, archive: Archive, path: Path, backup: Path, what: str
) -> None:
    with archive.write() as tx:
        keep(tx, "kept")
    if what == "garbage":
        backup.write_bytes(b"no database" * 1000)
    elif what == "empty":
        backup.touch()
    elif what == "damaged":
        _damage(f"sqlite:///{backup}", backup)
    elif what == "another program's":
        with closing(sqlite3.connect(backup)) as connection:
            connection.execute("CREATE TABLE recipe (name)")

    with pytest.raises(StorageError):
        restore(url, backup, LATER, backup.parent)
    assert _titles(archive) == {"kept"}
    assert [each for each in path.parent.iterdir() if "restor" in each.name] == []


def _dies_at(step: str, url: str, backup: Path) -> int:
    """The wait status of a child that is killed when it comes to this step of a restore."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    setattr(restoring, step, lambda *_args, **_more: os.kill(os.getpid(), 9))
    try:
        restore(url, backup, LATER, backup.parent)
    finally:
        os._exit(0)


@pytest.mark.parametrize("step", ["snapshot", "_prepare", "hold", "carry_over", "_put_in_place", "flush"])
def test_a_restore_killed_at_any_step_leaves_the_present_archive(url: str, backup: Path, step: str) -> None:
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        keep(tx, "kept")
    back_up(url, backup, NOW)
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        keep(tx, "since")

    _dies_at(step, url, backup)

    with Archive.open(url, NOW, make=False) as archive:
        archive.check()
        assert "kept" in _titles(archive)
    assert restore(url, backup, LATER + timedelta(minutes=1), backup.parent).carried is not None


def _dies_at_renaming(number: int, url: str, backup: Path) -> int:
    """The wait status of a child that is killed as it is about to give a file the n-th new name, beyond the copy's own."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = [number]

    def dying(original):
        def step(*args, **more):
            left[0] -= 1
            return os.kill(os.getpid(), 9) if left[0] < 0 else original(*args, **more)

        return step

    for name in ("rename", "touch", "replace"):
        setattr(Path, name, dying(getattr(Path, name)))
    try:
        restore(url, backup, LATER, backup.parent)
    finally:
        os._exit(0)


def test_a_restore_in_the_place_of_damage_killed_at_any_step_lets_nobody_begin_anew(
    url: str, path: Path, tmp_path: Path, backup: Path
) -> None:
    """Neither the damaged archive without its log, nor the new one with the old log, nor an empty one is ever opened."""
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    with Archive.open(other, NOW) as archive, archive.write() as tx:
        keep(tx, "kept")
    back_up(other, backup, NOW)
    _damage(url, path)
    path.with_name(path.name + "-wal").write_bytes(b"a log that does not add up")
    kills = 0
    while _dies_at_renaming(kills, url, backup):
        kills += 1
        with pytest.raises(DamagedError):
            Archive.open(url, LATER)

    assert kills == 5
    with Archive.open(url, LATER, make=False) as archive:
        archive.check()
        assert _titles(archive) == {"kept"}


def test_a_command_gets_the_archive_once_the_daemon_has_let_go(url: str, path: Path) -> None:
    """And nobody else meanwhile."""
    path.parent.mkdir(exist_ok=True)
    lock = DaemonLock(lock_path(path)).acquire(NOW)
    with pytest.raises(BusyError), archive_alone(url, path, NOW, patience=timedelta(0)):
        pass
    assert not is_wanted_here(path)
    lock.release()
    with archive_alone(url, path, NOW, patience=timedelta(0)):
        assert is_wanted_here(path)
        with pytest.raises(BusyError):
            DaemonLock(lock_path(path)).acquire(NOW)
    assert not is_wanted_here(path)


async def test_an_archive_that_met_damage_is_written_no_more(url: str, path: Path) -> None:
    """Not even where the page in question is whole: half an archive is not to grow."""
    with Archive.open(url, NOW) as archive:
        with archive.write() as tx:
            kept = [keep(tx, f"many {number}", "words " * 3000) for number in range(200)]
        await archive.upkeep()
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"\xa5" * (path.stat().st_size // 2))

        with pytest.raises(DamagedError, match="jingbao restore"), archive.read() as tx:
            articles.get_many(tx, kept)
        assert "damaged" in archive.damage
        with pytest.raises(DamagedError), archive.write() as tx:
            settings.put(tx, "a", 2)


def test_an_archive_in_postgresql_is_backed_up_into_one_sqlite_file(database_url: str, tmp_path: Path) -> None:
    """Whatever the archive is in, a backup is the same kind of file."""
    with Archive.open(database_url, NOW) as archive, archive.write() as tx:
        _match(tx, keep(tx, "DeepSeek", mentions=["deepseek"]))

    made = back_up(database_url, tmp_path / "backup.sqlite3", NOW)

    assert (made.rows["article"], made.rows["match"]) == (1, 1)
    with Archive.open(f"sqlite:///{made.path}", NOW, make=False, migrate=False) as copy, copy.read() as tx:
        copy.check()
        assert [each.title for each in search(tx, parse("@deepseek", load_watchlist()), NOW).articles] == ["DeepSeek"]
