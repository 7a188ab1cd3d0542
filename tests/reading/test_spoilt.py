"""20,000 spoilt documents: no exception comes out of a reader but the one that names why, none passes its limits.

`python -m bench.spoilt` goes on with other seeds for as long as it is told to.
"""

from __future__ import annotations

import random

import pytest

from core.document import DocumentKind
from tests.reading.mutation import SEEDS, spoil_and_read, spoilt

SHARES = {
    DocumentKind.FEED: 10_000,
    DocumentKind.PAGE: 2_000,
    DocumentKind.LIST: 1_500,
    DocumentKind.SITEMAP: 3_500,
    DocumentKind.API: 3_000,
}
AT_ONCE = 500
PORTIONS = [(kind, start) for kind, count in SHARES.items() for start in range(0, count, AT_ONCE)]


@pytest.mark.parametrize(("kind", "start"), PORTIONS, ids=str)
def test_a_spoilt_document_is_read_or_refused_by_name(kind: DocumentKind, start: int) -> None:
    ends = spoil_and_read(kind, start, AT_ONCE)

    assert ends.total() == AT_ONCE
    assert ends["unreasoned"] == 0
    assert ends["read"] > AT_ONCE / 20, ends  # it still asks the readers something


def test_the_portions_are_20_000_documents_and_a_seed_spoils_alike_every_time() -> None:
    assert len(PORTIONS) * AT_ONCE == 20_000
    assert [spoilt(random.Random(7), SEEDS[DocumentKind.FEED]) for _ in range(2)] == [spoilt(random.Random(7), SEEDS[DocumentKind.FEED])] * 2
