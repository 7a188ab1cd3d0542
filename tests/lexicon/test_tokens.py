"""Texts become tokens that an index can keep and a phrase can name."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lexicon.folding import fold
from lexicon.places import places
from lexicon.tokens import index_text, tokens, words
from tests.lexicon.strategies import texts

anything = st.text(max_size=60) | texts()
han = st.text(st.sampled_from("华为人工智能芯片网"), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("华为AI芯片", "华为 为 ai 芯片 片"),
        ("人工智能", "人工 工智 智能 能"),
        ("芯", "芯"),
        ("GLM-5 GLM5", "glm 5 glm 5"),
        ("don't", "don t"),
        ("gpt-4o 3.5%", "gpt 4 o 3 5"),
        ("テスト한국", "テス スト ト한 한국 국"),
        ("C++ c# A + B", "c \ue02b\ue02b c \ue023 a b"),
        ("cafe\u0301s 芯\u200b片", "cafes 芯片 片"),
        ("½ … ＆ 🤖 _", ""),
    ],
)
def test_tokens_of(text, expected):
    """Words, numbers, pairs of Han characters and their run's last; a sign behind a word; nothing else."""
    assert index_text(fold(text)) == expected


@given(anything)
def test_tokens_and_index_text_are_the_same_and_places_are_true(text):
    """What is marked in the text is what was found in the index."""
    folded = fold(text)
    found = tokens(folded)

    assert " ".join(token.text for token in found) == index_text(folded)
    for token in found:
        assert 0 <= token.start < token.end <= len(text)
        if token.text[0] not in "\ue023\ue02b":  # which are tokens behind a word alone
            assert index_text(folded[token.start : token.end]).split()[0] == token.text


@settings(max_examples=60)
@given(st.lists(anything, min_size=1, max_size=5), st.sampled_from(["unicode61", "ascii", "unicode61 remove_diacritics 0"]))
def test_sqlite_reads_back_the_tokens_it_was_fed(written, tokenizer):
    """With its tokenizers as they are, nothing is merged, divided or dropped."""
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(f"CREATE VIRTUAL TABLE words USING fts5(body, tokenize='{tokenizer}')")
        base.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, instance)")
        fed = [index_text(fold(text)) for text in written]
        base.executemany("INSERT INTO words(rowid, body) VALUES (?, ?)", enumerate(fed))
        kept = base.execute("SELECT doc, term FROM terms ORDER BY doc, offset").fetchall()

    assert kept == [(number, term) for number, text in enumerate(fed) for term in text.split()]


def test_sqlite_reads_back_every_character_of_the_basic_plane():
    """Each in a word, by unicode61 with its default options, the most meddlesome of the three."""
    every = "\n".join(f"q{chr(point)}q" for point in range(0x10000) if not 0xD800 <= point < 0xE000)
    fed = index_text(fold(every))
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE VIRTUAL TABLE words USING fts5(body)")
        base.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, col)")
        base.execute("INSERT INTO words VALUES (?)", (fed,))
        kept = {term for (term,) in base.execute("SELECT term FROM terms")}

    assert kept == set(fed.split())


@given(han, han, han)
def test_every_part_of_a_han_run_is_found_in_it(before, part, after):
    """Substring search, whatever its length, single characters and the run's end included."""
    index = f" {index_text(before + part + after)} "
    wanted = words(part)

    assert wanted is not None
    assert wanted.needle in index
    assert f" {index_text(before + part)} ".count(wanted.needle) >= 1


@given(han, han)
def test_what_is_no_part_of_a_han_run_is_not_found_in_it(run, other):
    """A phrase of pairs is found exactly where the characters stand in a row."""
    wanted = words(other)

    assert wanted is not None
    assert (wanted.needle in f" {index_text(run)} ") is (other in run)


@given(texts(), st.sampled_from(["ai", "chip", "chips", "glm"]))
def test_a_latin_word_is_found_where_no_letter_stands_beside_it(text, word):
    """Digits, Han characters and signs are borders."""
    folded = re.sub("[\u0300-\u036f\u200b]", "", fold(text))
    alone = re.search(rf"(?<![a-zß]){word}(?![a-zß])", folded) is not None
    wanted = words(word)

    assert wanted is not None
    assert (wanted.needle in f" {index_text(fold(text))} ") is alone


@given(texts(), st.sampled_from(["芯片", "芯", "人工智能", "AI", "GLM5", "AI芯片", "片AI", "ch"]), st.booleans())
def test_places_are_found_exactly_where_the_needle_is(text, phrase, prefix):
    """Two ways to look for the same words."""
    wanted = words(fold(phrase), prefix=prefix)
    assert wanted is not None
    index = index_text(fold(text))
    found = places(wanted, index.split())

    assert bool(found) is (wanted.needle in f" {index} ")
    for place in found:
        start, end = place.span(tokens(fold(text)))
        assert wanted.needle in f" {index_text(fold(text[start:end]))} "


def test_nothing_to_look_for_is_none():
    """Signs alone are no words."""
    assert words("") is None
    assert words("—…") is None
