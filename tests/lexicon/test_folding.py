"""Folding brings the ways of writing a character together, one character for one."""

from __future__ import annotations

import opencc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lexicon.folding import fold

anything = st.text(max_size=40)


@given(anything)
def test_length_stays_and_folding_twice_is_folding_once(text):
    """So that a place in the folded text is a place in the text."""
    folded = fold(text)

    assert len(folded) == len(text)
    assert fold(folded) == folded


@given(anything, anything, anything)
def test_a_part_of_a_text_is_a_part_of_the_folded_text(before, part, after):
    """Each character folds alone, whatever stands beside it."""
    assert fold(before + part + after) == fold(before) + fold(part) + fold(after)


def test_every_character_of_the_basic_plane_folds_to_one_that_stays():
    """The law above for all 65,536 of them."""
    every = "".join(map(chr, range(0x10000)))

    folded = fold(every)

    assert len(folded) == len(every)
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ＧＬＭ－５　ａｉ", "glm-5 ai"),
        ("華為發布國產晶片", "华为发布国产晶片"),
        ("臺灣、裡面、裏面", "台湾、里面、里面"),
        ("Nestlé, Ångström, Lǐ", "nestle, angstrom, li"),
        ("İstanbul", "istanbul"),
        ("𝐀𝐈 ⑤ ㊙", "ai 5 秘"),
        ("straße ﬁn …", "straße ﬁn …"),
        ("がぎ й 한국", "がぎ й 한국"),
        ("核心 文件 程序 建立", "核心 文件 程序 建立"),
        ("\ud800", "\ud800"),
    ],
)
def test_what_folds_and_what_stays(written, folded):
    """Width, forms, case, accents and script fold; what needs more characters, and what is another word, stays."""
    assert fold(written) == folded


def test_the_shipped_characters_are_those_of_opencc():
    """Made from its t2s, whose every single character leads where ours does, in one step or two."""
    convert = opencc.OpenCC("t2s").convert
    traditional = "\n".join(chr(point) for point in range(0x4E00, 0xA000))

    for before, after in zip(traditional.split("\n"), convert(traditional).split("\n"), strict=True):
        assert fold(before) == fold(after)
