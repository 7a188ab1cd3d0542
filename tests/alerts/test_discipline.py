from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.discipline import Decision, Standing, decide
from core.config import Reader, Rule
from core.schedule import Rhythm
from storage.outbox import OPEN_MATCHES, Match, MatchState

NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)  # a Tuesday
ANN = Reader(key="ann", addresses=("ann@example.org",))


def rule(name: str, when: str) -> Rule:
    return Rule(name=name, query="AI", when=when)


def found(number: int, rule_name: str, at: datetime, story: int = 0, state: MatchState = MatchState.WAITING) -> Match:
    return Match(number, rule_name, "ann", number, story or number, at, state)


def standing(told: dict[int, datetime] | None = None, mails_today: int = 0, served: frozenset[str] = frozenset()) -> Standing:
    return Standing(told or {}, mails_today, served.__contains__)


def stories(decision: Decision) -> list[list[int]]:
    return [[telling.match.story_id for telling in mail.tellings] for mail in decision.mails]


NOW, OTHER_NOW, DAILY, LATE, WEEKLY, HOURLY = (
    rule("now", "now"),
    rule("other", "now"),
    rule("daily", "daily 08:00"),
    rule("late", "daily 08:30"),
    rule("weekly", "weekly tue 08:00"),
    rule("hourly", "hourly"),
)


def test_one_pass_of_a_rule_that_speaks_at_once_is_one_mail():
    decision = decide(ANN, [NOW, OTHER_NOW], [found(1, "now", NINE), found(2, "now", NINE), found(3, "other", NINE)], standing(), NINE)

    assert stories(decision) == [[1, 2], [3]]


def test_a_story_two_rules_find_is_told_once_and_says_both():
    decision = decide(ANN, [NOW, OTHER_NOW], [found(1, "other", NINE, story=7), found(2, "now", NINE, story=7)], standing(), NINE)

    (mail,) = decision.mails
    (telling,) = mail.tellings
    assert telling.rules == ("now", "other")
    assert set(telling.settles) == {1, 2}


def test_a_story_already_told_is_not_mailed_at_once_again():
    decision = decide(ANN, [NOW], [found(1, "now", NINE, story=7)], standing(told={7: NINE}), NINE)

    assert decision.mails == ()
    assert [match.id for match in decision.told] == [1]


def test_a_digest_holds_what_was_found_before_its_hour_and_nothing_later():
    eight = NINE.replace(hour=8)
    matches = [found(1, "daily", eight - timedelta(hours=2)), found(2, "daily", eight + timedelta(minutes=1))]
    decision = decide(ANN, [DAILY], matches, standing(), NINE)

    assert stories(decision) == [[1]]


def test_a_digest_recalls_what_another_mail_told_and_is_not_made_for_that_alone():
    before = NINE - timedelta(hours=3)
    new, old = found(1, "daily", before), found(2, "daily", before, story=7)

    both = decide(ANN, [DAILY], [new, old], standing(told={7: before}), NINE)
    alone = decide(ANN, [DAILY], [old], standing(told={7: before}), NINE)

    assert stories(both) == [[1]]
    assert both.mails[0].reminders == (old,)
    assert alone.mails == ()
    assert alone.told == (old,)


def test_everything_due_at_one_time_is_one_mail():
    before = NINE - timedelta(hours=5)
    decision = decide(ANN, [DAILY, WEEKLY], [found(1, "daily", before), found(2, "weekly", before)], standing(), NINE)

    assert stories(decision) == [[1, 2]]
    assert decision.mails[0].rhythm is Rhythm.WEEKLY


def test_after_a_long_stop_there_is_one_catch_up_digest():
    matches = [found(n, name, NINE - timedelta(days=n)) for n in range(1, 9) for name in ("daily", "late", "hourly")]
    matches = [replace(match, id=number, article_id=number, story_id=number) for number, match in enumerate(matches, 1)]
    decision = decide(ANN, [DAILY, LATE, HOURLY], matches, standing(), NINE)

    assert len(decision.mails) == 1
    assert len(decision.mails[0].tellings) == len(matches)


def test_a_period_that_has_had_its_mail_gets_no_second():
    match = found(1, "daily", NINE - timedelta(hours=5))
    (mail,) = decide(ANN, [DAILY], [match], standing(), NINE).mails
    again = decide(ANN, [DAILY], [match], standing(served=frozenset({mail.period_key})), NINE + timedelta(minutes=1))

    assert again == Decision()


def test_quiet_hours_hold_everything_and_lose_nothing():
    quiet = ANN.model_copy(update={"quiet_hours": "22:00-09:30", "zone": "Europe/Berlin"})
    rules = [NOW, DAILY]
    matches = [found(1, "now", NINE - timedelta(hours=8)), found(2, "daily", NINE - timedelta(hours=8))]

    at_night = decide(quiet, rules, matches, standing(), datetime(2026, 3, 3, 8, 29, tzinfo=UTC))
    in_the_morning = decide(quiet, rules, matches, standing(), datetime(2026, 3, 3, 8, 30, tzinfo=UTC))

    assert at_night == Decision()
    assert stories(in_the_morning) == [[1], [2]]


def test_past_the_cap_a_story_folds_and_comes_with_the_next_daily_digest():
    capped = ANN.model_copy(update={"mails_per_day": 3})
    first = decide(capped, [NOW, OTHER_NOW, DAILY], [found(1, "now", NINE), found(2, "other", NINE)], standing(mails_today=2), NINE)
    waiting = found(2, "other", NINE, state=MatchState.FOLDED)
    same_day = decide(capped, [NOW, OTHER_NOW, DAILY], [waiting], standing(mails_today=3), NINE + timedelta(hours=10))
    next_day = decide(capped, [NOW, OTHER_NOW, DAILY], [waiting], standing(), NINE + timedelta(hours=23))

    assert stories(first) == [[1]]
    assert [match.id for match in first.folded] == [2]
    assert same_day == Decision()
    assert stories(next_day) == [[2]]
    assert next_day.mails[0].kind == "digest"


def test_without_a_daily_digest_the_folded_come_at_eight():
    waiting = found(1, "now", NINE, state=MatchState.FOLDED)
    before = decide(ANN, [NOW, WEEKLY], [waiting], standing(), datetime(2026, 3, 4, 7, 59, tzinfo=UTC))
    after = decide(ANN, [NOW, WEEKLY], [waiting], standing(), datetime(2026, 3, 4, 8, 0, tzinfo=UTC))

    assert before == Decision()
    assert stories(after) == [[1]]


def test_the_cap_never_holds_a_daily_digest_but_folds_an_hourly_one():
    before = NINE - timedelta(hours=2)
    decision = decide(
        ANN, [DAILY, HOURLY], [found(1, "daily", before), found(2, "hourly", before)], standing(mails_today=12), NINE
    )

    assert stories(decision) == [[1]]
    assert [match.id for match in decision.folded] == [2]


def test_a_rule_that_is_gone_withdraws_its_matches():
    decision = decide(ANN, [NOW], [found(1, "gone", NINE)], standing(), NINE)

    assert [match.id for match in decision.withdrawn] == [1]


def test_the_hour_that_winter_time_repeats_makes_one_digest():
    berlin = ANN.model_copy(update={"zone": "Europe/Berlin"})
    nightly = rule("nightly", "daily 02:30")
    keys = set()
    for minutes in range(0, 180, 10):
        at = datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=minutes)
        decision = decide(berlin, [nightly], [found(1, "nightly", at - timedelta(days=1))], standing(), at)
        keys |= {mail.period_key for mail in decision.mails if "10-25" in mail.period_key}

    assert keys == {"digest 2026-10-25T00:30Z"}


RULES = (NOW, OTHER_NOW, DAILY, LATE, WEEKLY, HOURLY)
FINDS = st.lists(st.tuples(st.sampled_from(RULES), st.integers(1, 12), st.integers(0, 6 * 24 * 60)), max_size=30)


@settings(max_examples=40, deadline=None)
@given(FINDS, st.integers(1, 4), st.lists(st.integers(1, 240), min_size=1, max_size=40))
def test_whenever_it_is_found_every_story_is_told_exactly_once(finds, cap, steps):
    """Played over two weeks: no story twice, none forgotten, no period twice, and never more mails at once than the cap."""
    reader = ANN.model_copy(update={"mails_per_day": cap, "quiet_hours": "23:00-06:00"})
    now = datetime(2026, 3, 2, tzinfo=UTC)
    matches = {
        number: found(number, rule.name, now + timedelta(minutes=minute), story)
        for number, (rule, story, minute) in enumerate(finds, 1)
    }
    told: dict[int, datetime] = {}
    made: dict[str, datetime] = {}
    at_once: Counter[date] = Counter()
    for step in [*steps, *[60] * 24 * 15]:
        now += timedelta(minutes=step)
        waiting = [match for match in matches.values() if match.at <= now and match.state in OPEN_MATCHES]
        today = sum(at.date() == now.date() for at in made.values())
        decision = decide(reader, RULES, waiting, standing(dict(told), today, frozenset(made)), now)
        for state, moved in ((MatchState.TOLD, decision.told), (MatchState.FOLDED, decision.folded)):
            matches |= {match.id: replace(match, state=state) for match in moved}
        for mail in decision.mails:
            assert mail.period_key not in made
            made[mail.period_key] = now
            at_once[now.date()] += mail.kind == "now"
            for telling in mail.tellings:
                assert telling.match.story_id not in told
                told[telling.match.story_id] = now
                matches |= {number: replace(matches[number], state=MatchState.MAILED) for number in telling.settles}

    assert set(told) == {match.story_id for match in matches.values()}
    assert max(at_once.values(), default=0) <= cap
