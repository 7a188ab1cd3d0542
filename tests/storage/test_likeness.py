"""Articles a new one may be like are found by equal text or shared bands, and by nothing else."""

from __future__ import annotations

from datetime import timedelta

from storage import articles, likeness
from storage.archive import Archive
from tests.builders import NOW, draft, judgement, keep

DAY = timedelta(days=1)


def _like(archive: Archive, text: str = "", bands: tuple[int, ...] = (), days: int = 60) -> list[int]:
    with archive.read() as tx:
        found = likeness.candidates(tx, judgement(text, bands=bands).fingerprint, NOW - days * DAY)
    return [candidate.article_id for candidate in found]


def test_equal_text_is_found_however_old(archive: Archive) -> None:
    with archive.write() as tx:
        old = keep(tx, "same words", at=NOW - 400 * DAY)
        keep(tx, "other words")

    assert _like(archive, "same words") == [old]


def test_shared_bands_are_found_within_the_window_most_first(archive: Archive) -> None:
    with archive.write() as tx:
        one, two = keep(tx, "a", bands=(1, 9)), keep(tx, "b", bands=(1, 2, 3))
        keep(tx, "c", bands=(7, 8))
        keep(tx, "d", bands=(1, 2, 3), at=NOW - 100 * DAY)

    assert _like(archive, "new", bands=(1, 2, 4)) == [two, one]


def test_the_window_looks_at_discovery_not_at_publication(archive: Archive) -> None:
    """A first collection brings articles of last month, and their copies, today."""
    with archive.write() as tx:
        number = keep(tx, "a", bands=(1,), at=NOW - 100 * DAY, discovered=NOW)

    assert _like(archive, "new", bands=(1,)) == [number]


def test_a_candidate_carries_what_deciding_takes(archive: Archive) -> None:
    with archive.write() as tx:
        number = keep(tx, "same words", outlet="财新", source="caixin")
        kept = articles.get(tx, number)
        fingerprint = judgement("same words").fingerprint
        (found,) = likeness.candidates(tx, fingerprint, NOW)

    assert (found.story_id, found.outlet, found.source, found.url) == (kept.story_id, "财新", "caixin", kept.canonical_url)
    assert (found.title, found.text_hash, found.weight, found.at) == ("same words", fingerprint.text_hash, 10, NOW)


def test_a_changed_text_is_found_by_its_new_bands_alone(archive: Archive) -> None:
    with archive.write() as tx:
        number = keep(tx, "a", bands=(1, 2))
        articles.update(tx, number, draft("b"), judgement("b", bands=(3,)), now=NOW, watchlist_version="1")

    assert _like(archive, "new", bands=(1, 2)) == []
    assert _like(archive, "new", bands=(3,)) == [number]


def test_old_bands_are_forgotten_and_equal_text_is_not(archive: Archive) -> None:
    with archive.write() as tx:
        old = keep(tx, "a", bands=(1, 2), at=NOW - 100 * DAY)
        new = keep(tx, "b", bands=(1,))
        assert likeness.forget_bands(tx, NOW - 60 * DAY) == 2

    assert _like(archive, "x", bands=(1, 2), days=1000) == [new]
    assert _like(archive, "a") == [old]


def test_boilerplate_of_hundreds_does_not_bring_hundreds(archive: Archive) -> None:
    with archive.write() as tx:
        for number in range(130):
            keep(tx, f"page {number}", bands=(1,))
        true = keep(tx, "the one", bands=(1, 2, 3))

    found = _like(archive, "new", bands=(1, 2, 3))
    assert found[0] == true
    assert len(found) == 100
