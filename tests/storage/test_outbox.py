from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import articles, outbox
from storage.archive import Archive, Transaction
from storage.outbox import MatchState, MessageState, NewMessage, Pause
from tests.builders import NOW, keep


def add(
    tx: Transaction, article_id: int, *, rule: str = "chips", reader: str = "ann", state=MatchState.WAITING, story: int = 0
) -> None:
    story = story or articles.get(tx, article_id).story_id
    outbox.add_match(tx, rule=rule, reader=reader, article_id=article_id, story_id=story, at=NOW, state=state)


def mail(period_key: str = "now chips 1", address: str = "ann@example.org", reader: str = "ann") -> NewMessage:
    return NewMessage(reader, address, "now", period_key, f"<{period_key}.{address}>", "Chips", b"Subject: Chips\r\n\r\n")


def test_a_match_waits_until_it_is_moved(archive: Archive):
    with archive.write() as tx:
        add(tx, keep(tx))
        (match,) = outbox.open_matches(tx, "ann")
        outbox.set_matches(tx, [match.id], MatchState.FOLDED)
        (folded,) = outbox.open_matches(tx, "ann")
        number = outbox.put(tx, mail(), NOW)
        outbox.set_matches(tx, [match.id], MatchState.MAILED, number)

        assert (match.rule, match.state, match.at) == ("chips", MatchState.WAITING, NOW)
        assert folded.state is MatchState.FOLDED
        assert outbox.open_matches(tx, "ann") == []
        assert [each.message for each in outbox.matches_of(tx, match.article_id)] == [number]


@pytest.mark.parametrize(
    ("state", "known"),
    [
        (MatchState.WAITING, True),
        (MatchState.FOLDED, True),
        (MatchState.MAILED, True),
        (MatchState.TOLD, True),
        (MatchState.BASELINE, False),
        (MatchState.TOO_OLD, False),
        (MatchState.WITHDRAWN, False),
    ],
)
def test_a_story_is_known_to_a_rule_once_it_is_told_or_going_to_be(archive: Archive, state, known):
    with archive.write() as tx:
        first = keep(tx)
        story = articles.get(tx, first).story_id
        add(tx, first, state=state)

        assert outbox.story_known(tx, "chips", "ann", story) is known
        assert not outbox.story_known(tx, "models", "ann", story)
        assert not outbox.story_known(tx, "chips", "bob", story)


def test_only_stories_in_a_mail_to_this_reader_count_as_told(archive: Archive):
    with archive.write() as tx:
        ids = [keep(tx, title) for title in ("one", "two", "three")]
        add(tx, ids[0])
        add(tx, ids[1])
        add(tx, ids[2], reader="bob")
        number = outbox.put(tx, mail(), NOW)
        outbox.set_matches(tx, [outbox.matches_of(tx, ids[0])[0].id], MatchState.MAILED, number)
        stories = [articles.get(tx, each).story_id for each in ids]

        assert outbox.told_stories(tx, "ann", stories) == {stories[0]: NOW}
        assert outbox.told_stories(tx, "bob", stories) == {}
        assert outbox.readers_waiting(tx) == ["ann", "bob"]


def test_a_mail_to_two_addresses_is_one_mail_of_the_day_and_of_the_period(archive: Archive):
    with archive.write() as tx:
        outbox.put(tx, mail(address="ann@example.org"), NOW)
        outbox.put(tx, mail(address="ann@example.net"), NOW)

        assert outbox.mails_since(tx, "ann", NOW) == 1
        assert outbox.mails_since(tx, "ann", NOW + timedelta(seconds=1)) == 0
        assert outbox.has_mail(tx, "ann", "now chips 1")
        assert not outbox.has_mail(tx, "bob", "now chips 1")


def test_a_period_has_one_mail_to_an_address(archive: Archive):
    with archive.write() as tx:
        outbox.put(tx, mail(), NOW)
    with pytest.raises(IntegrityError), archive.write() as tx:
        outbox.put(tx, mail(), NOW)


def test_due_messages_come_longest_due_first_and_without_the_readers_left_out(archive: Archive):
    with archive.write() as tx:
        late, early = outbox.put(tx, mail("a"), NOW), outbox.put(tx, mail("b"), NOW - timedelta(hours=1))
        other = outbox.put(tx, mail("c", reader="bob"), NOW)
        outbox.put(tx, mail("d"), NOW + timedelta(seconds=1))

        assert [each.id for each in outbox.due_messages(tx, NOW, 10)] == [early, late, other]
        assert [each.id for each in outbox.due_messages(tx, NOW, 1)] == [early]
        assert [each.id for each in outbox.due_messages(tx, NOW, 10, without_readers={"ann"})] == [other]


def test_a_message_put_off_by_a_clock_that_was_wrong_is_due(archive: Archive):
    with archive.write() as tx:
        outbox.put(tx, mail("a"), NOW + timedelta(hours=4))
        lost = outbox.put(tx, mail("b"), NOW + timedelta(days=300))

        assert [each.id for each in outbox.due_messages(tx, NOW, 10)] == [lost]


def test_only_what_is_still_to_be_sent_is_withdrawn_and_what_may_have_arrived_is_left_unconfirmed(archive: Archive):
    ends = {"waiting": "withdrawn", "uncertain": "unconfirmed"}
    with archive.write() as tx:
        for state in MessageState:
            number = outbox.put(tx, mail(state), NOW)
            outbox.mark_failed(tx, number, state=state, attempts=1, next_try=NOW, error="before")
        other = outbox.put(tx, mail("other", reader="bob"), NOW)
        address = mail().address
        assert outbox.open_recipients(tx) == {("ann", address), ("bob", address)}
        outbox.withdraw(tx, "ann", address, "gone")

        left = {each.period_key: each for each in outbox.latest_messages(tx, 20) if each.id != other}
        assert {key: str(each.state) for key, each in left.items()} == {
            str(state): ends.get(state, str(state)) for state in MessageState
        }
        assert {key for key, each in left.items() if each.last_error == "gone"} == set(ends)
        assert outbox.open_recipients(tx) == {("bob", address)}


@pytest.mark.parametrize("state", list(MessageState))
def test_only_what_waits_or_is_uncertain_is_tried_again(archive: Archive, state):
    with archive.write() as tx:
        number = outbox.put(tx, mail(), NOW)
        outbox.mark_failed(tx, number, state=state, attempts=3, next_try=NOW, error="450 later")
        message = outbox.get_message(tx, number)

        assert bool(outbox.due_messages(tx, NOW, 10)) is (state in {MessageState.WAITING, MessageState.UNCERTAIN})
        assert message is not None
        assert (message.state, message.attempts, message.last_error) == (state, 3, "450 later")


def test_a_sent_message_keeps_its_content_and_its_day(archive: Archive):
    with archive.write() as tx:
        number = outbox.put(tx, mail(), NOW)
        outbox.mark_sent(tx, number, NOW + timedelta(minutes=1))
    with archive.read() as tx:
        message = outbox.get_message(tx, number)

        assert message is not None
        assert (message.state, message.sent, message.attempts) == (MessageState.SENT, NOW + timedelta(minutes=1), 1)
        assert message.content == mail().content
        assert outbox.message_counts(tx) == {"sent": 1}
        assert outbox.latest_messages(tx, 5, [MessageState.SENT]) == [message]
        assert outbox.latest_messages(tx, 5, [MessageState.REFUSED]) == []
        assert outbox.get_message(tx, number + 1) is None


def test_a_pause_is_kept_and_ended(archive: Archive):
    halt = Pause("535 wrong password", NOW, NOW + timedelta(minutes=15), 2)
    with archive.write() as tx:
        assert outbox.pause(tx) is None
        outbox.set_pause(tx, halt)
        assert outbox.pause(tx) == halt
        outbox.set_pause(tx, None)
        assert outbox.pause(tx) is None


def test_matches_are_counted_by_rule_and_state(archive: Archive):
    with archive.write() as tx:
        add(tx, keep(tx, "one"))
        add(tx, keep(tx, "two"), state=MatchState.TOO_OLD)

        assert outbox.match_counts(tx, NOW) == {("chips", "waiting"): 1, ("chips", "too-old"): 1}
        assert outbox.match_counts(tx, NOW + timedelta(seconds=1)) == {}
