"""Signatures: what makes texts comparable, in both languages."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.judgement.likeness import BANDS, MIN_WEIGHT, fingerprint, heading, letters, similarity, weight

ZH = (
    "北京一家初创公司周二发布了新一代开源语言模型，称其在数学与编程测试中超过上一代产品，推理成本下降约四成。公司创始人在发布会上表示，"
    "模型权重将在本周内全部开放下载，并允许商业使用。多位开发者在社区中反馈，新模型在长文档问答上的表现明显改善，但在少数方言任务上仍有不足。"
    "分析人士认为，这一发布将加剧国内厂商之间的价格竞争，也会促使海外同行重新评估各自的开放策略。公司计划下一季度推出面向机器人的小型版本。"
)
EN = (
    "A start-up in Beijing released a new open-weight language model on Tuesday and said it beats its predecessor at mathematics and "
    "programming while costing two fifths less to run. The founder told reporters that all weights could be downloaded within the week, "
    "also for commercial use. Developers who tried an early copy praised its answers about long documents, yet found it weak in a few "
    "dialects. Analysts expect the release to sharpen price competition at home and to make rivals abroad rethink how open they want to "
    "be. A smaller version for robots is planned for the coming quarter, together with a set of tools for testing its safety."
)
OTHER_EN = (
    "Lawmakers in the capital spent the afternoon arguing over a bill that would widen the tariff on imported steel, with farm states "
    "warning of retaliation against soybeans and the car industry asking for a year to adapt. The committee chair promised a vote before "
    "the recess, although two members of her own party said they had not decided. Outside, a few dozen union members cheered speakers "
    "from the mills along the river, and a brass band played until the rain began. Economists called the effect on prices modest."
)


def jaccard_of_sets(shared: int, only: int) -> tuple[str, str]:
    """Two random Han texts of which `shared` of `shared + 2 * only` places agree."""
    rng = np.random.default_rng(7)
    draw = lambda n: "".join(map(chr, rng.integers(0x4E00, 0x9F00, n)))
    common = draw(shared)
    return common + draw(only), common + draw(only)


def test_a_text_is_wholly_like_itself_however_it_is_spaced_and_punctuated():
    """Spacing around Latin words, full-width signs and line breaks differ between copies of one text."""
    one = fingerprint("t", ZH)
    other = fingerprint("t", ZH.replace("，", ", ").replace("。", "．\n\n"))
    assert one.text_hash == other.text_hash
    assert similarity(one.signature, other.signature) == 1.0


def test_script_and_case_do_not_tell_texts_apart():
    """A Traditional copy of a Simplified text and an English text in capitals are the same text."""
    traditional = ZH.replace("开", "開").replace("语", "語").replace("机", "機")
    assert fingerprint("", traditional).text_hash == fingerprint("", ZH).text_hash
    assert fingerprint("", EN.upper()).text_hash == fingerprint("", EN).text_hash


def test_the_estimate_is_near_the_true_likeness():
    """64 bins estimate Jaccard with a standard deviation near .06; four of them are allowed here."""
    for shared, only in ((3000, 0), (2000, 500), (1500, 1500), (500, 2500)):
        one, other = jaccard_of_sets(shared, only)
        estimate = similarity(fingerprint("", one).signature, fingerprint("", other).signature)
        assert abs(estimate - shared / (shared + 2 * only)) < 0.25


def test_unrelated_texts_of_one_language_are_hardly_alike():
    """English texts share most of their four-letter runs; eight letters keep strangers apart."""
    assert similarity(fingerprint("", EN).signature, fingerprint("", OTHER_EN).signature) < 0.1


def test_an_edited_copy_shares_a_band_and_a_stranger_does_not():
    """Bands are what a database finds copies by."""
    edited = fingerprint("", EN.replace("on Tuesday ", "").replace("Analysts expect", "Observers in Shanghai expect"))
    assert set(edited.bands) & set(fingerprint("", EN).bands)
    assert not set(fingerprint("", OTHER_EN).bands) & set(fingerprint("", EN).bands)


def test_bands_fit_a_signed_bigint():
    """PostgreSQL's BIGINT and SQLite's INTEGER end at 2**63 - 1."""
    bands = fingerprint("一家公司发布了新的开源模型", ZH).bands
    assert len(bands) == BANDS + 1
    assert all(0 <= band < 2**63 for band in bands)


def test_a_flash_has_no_signature_but_is_known_by_title_and_text():
    """One sentence says too little to be compared by its parts."""
    flash = fingerprint("某公司完成新一轮融资", "某公司宣布完成新一轮融资。")
    assert flash.signature == b""
    assert similarity(flash.signature, flash.signature) == 0.0
    assert flash.text_hash == fingerprint("某公司完成新一轮融资！", "某公司宣布完成新一轮融资").text_hash
    assert flash.text_hash != fingerprint("另一公司完成新一轮融资", "某公司宣布完成新一轮融资。").text_hash


def test_a_flash_of_some_length_is_the_same_text_under_another_title():
    """Its hash is of its text alone, so that an edited title does not hide it."""
    assert fingerprint("标题", ZH[:40]).text_hash == fingerprint("改过的标题", ZH[:40]).text_hash


def test_bare_headlines_without_text_are_not_all_equal():
    """The hash of nothing would make every headline the same article."""
    assert fingerprint("First headline", "").text_hash != fingerprint("Second headline", "").text_hash


def test_one_title_is_one_band_with_or_without_its_column():
    """Articles under one title find each other though one has no text; a column's name before it does not count."""
    pointer = fingerprint("欧盟要求平台开放人工智能接口", "")
    original = fingerprint("【快讯】欧盟要求平台开放人工智能接口", ZH)
    assert set(pointer.bands) & set(original.bands)


def test_a_short_title_finds_nothing_by_itself():
    """早报 stands over a thousand articles."""
    assert fingerprint("早报", "").bands == ()
    assert heading("【早报】要闻") == letters("【早报】要闻")


def test_a_han_character_weighs_three_latin_ones():
    """So that one threshold means about the same amount of news in both languages."""
    assert weight(letters("开源 model 2")) == 2 * 3 + 6
    assert fingerprint("", "新" * (MIN_WEIGHT // 3 - 1)).signature == b""
    assert fingerprint("", "新" * (MIN_WEIGHT // 3)).signature != b""


@given(st.text(max_size=800), st.text(max_size=40))
@settings(max_examples=80, deadline=None)
def test_any_text_gives_a_fingerprint_of_the_promised_shape(text: str, title: str):
    """16 bytes of hash, 0 or 256 of signature, bands inside 63 bits; always the same for the same text."""
    found = fingerprint(title, text)
    assert len(found.text_hash) == 16
    assert len(found.signature) in {0, 256}
    assert all(0 <= band < 2**63 for band in found.bands)
    assert found == fingerprint(title, text)


@given(st.text(alphabet="模型发布abc12", min_size=120, max_size=400), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_likeness_is_symmetric_and_between_nothing_and_all(text: str, cut: int):
    """similarity(a, b) = similarity(b, a), in 0..1."""
    one, other = fingerprint("", text).signature, fingerprint("", text[cut:]).signature
    assert similarity(one, other) == similarity(other, one)
    assert 0.0 <= similarity(one, other) <= 1.0
