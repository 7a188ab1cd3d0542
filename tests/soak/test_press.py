"""The soak's press: the same sites for the same seed, never dry, in both languages."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bench.soak.journal import FIRST_DAY
from bench.soak.press import DAYS_OUT, REWRITTEN_AFTER, Press

DAY = timedelta(days=1)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = FIRST_DAY

    def __call__(self):
        return self.now


def press(hand: Hand, seed: int = 1, count: int = 12) -> Press:
    return Press(hand, seed, count)


def test_a_press_begun_later_finds_what_an_earlier_one_wrote() -> None:
    hand = Hand()
    early, late = press(hand), None
    seen = [early.issued(outlet) for outlet in early.outlets]
    hand.now += DAY
    late = press(hand)

    assert [early.issued(outlet) for outlet in early.outlets] == [late.issued(outlet) for outlet in late.outlets]
    hand.now -= DAY
    assert [late.issued(outlet) for outlet in late.outlets] == seen
    other = press(hand, seed=2)
    assert [other.issued(outlet) for outlet in other.outlets] != seen


def test_it_goes_on_writing_and_what_is_old_goes() -> None:
    hand = Hand()
    made = press(hand)
    for _ in range(20):
        before = {issue.url for outlet in made.outlets for issue in made.issued(outlet)}
        hand.now += DAY
        now = [issue for outlet in made.outlets for issue in made.issued(outlet)]
        assert {issue.url for issue in now} - before
        assert all(hand.now - DAYS_OUT * DAY <= issue.at <= hand.now for issue in now)


def test_some_pieces_are_carried_by_many_and_some_are_rewritten() -> None:
    hand = Hand()
    made = press(hand, count=40)
    issues = [issue for outlet in made.outlets for issue in made.issued(outlet)]
    copies = Counter(issue.story.text for issue in issues)
    fresh = {issue.url: issue.story.text for issue in issues if issue.at > hand.now - REWRITTEN_AFTER}
    hand.now += REWRITTEN_AFTER
    later = {issue.url: issue.story.text for outlet in made.outlets for issue in made.issued(outlet)}

    assert max(copies.values()) > 1
    assert 0 < sum(later[url] != text for url, text in fresh.items()) < len(fresh)
    assert all(later[url].startswith(text) for url, text in fresh.items())
    assert {outlet.language for outlet in made.outlets} == {"en", "zh-Hans"}
