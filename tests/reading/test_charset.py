"""Bytes become the text their author wrote, whatever their labels claim."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.reading.charset import decode, python_name

CHINESE = "<html><p>这家公司今天发布了新的大模型，用户可以在手机上使用。</p></html>"
TRADITIONAL = "<html><p>這家公司今天發佈了新的大模型，我們可以在手機上使用。</p></html>"


@pytest.mark.parametrize("label", ["gb2312", "GBK", "gb18030", "x-gbk"])
def test_the_gb_family_is_read_as_gb18030(label):
    text = CHINESE.replace("公司", "公司龘𠀀")

    decoded = decode(text.encode("gb18030"), f"text/html; charset={label}")

    assert (decoded.text, decoded.encoding) == (text, "gb18030")


@pytest.mark.parametrize(
    ("body", "header", "how"),
    [
        (codecs.BOM_UTF8 + CHINESE.encode(), "text/html; charset=gbk", "byte order mark"),
        (codecs.BOM_UTF8 * 2 + CHINESE.encode(), "", "byte order mark"),
        (CHINESE.encode(), "text/html; charset=gb2312", "its bytes are valid UTF-8"),
        (CHINESE.encode("gb18030"), "text/html; charset=gbk", "HTTP header"),
        (CHINESE.encode("gb18030"), "text/html; charset=utf-8", "detected"),
        (CHINESE.encode("gb18030"), "", "detected"),
        (CHINESE.encode("gb18030"), "text/html; charset=ISO-8859-1", "detected"),
        (CHINESE.replace("<html>", "<html><meta charset=gb2312>").encode("gb18030"), "", "meta element"),
        (CHINESE.replace("<html>", "<?xml version='1.0' encoding='GBK'?>").encode("gb18030"), "", "XML declaration"),
        (CHINESE.encode("utf-16-le"), "", "markup begins so in it"),
        (CHINESE.encode("utf-16-be"), "", "markup begins so in it"),
        (CHINESE.encode("utf-32-le"), "", "markup begins so in it"),
    ],
)
def test_the_most_trusted_claim_that_decodes_wins(body, header, how):
    decoded = decode(body, header)

    assert "这家公司今天发布了新的大模型" in decoded.text
    assert decoded.how == how
    assert not decoded.text.startswith("\ufeff")


def test_a_western_label_is_believed_for_western_text():
    body = "<?xml version='1.0' encoding='iso-8859-1'?><a>d\u00e9j\u00e0 vu, na\u00efve, \u00fcber</a>".encode("latin-1")

    assert decode(body).encoding == "cp1252"
    assert "d\u00e9j\u00e0 vu" in decode(body).text


def test_big5_without_a_label_is_recognised():
    assert decode(TRADITIONAL.encode("big5hkscs")).text == TRADITIONAL


def test_the_sources_own_encoding_stands_above_all():
    assert decode("纯".encode("gb18030"), "text/html; charset=utf-8", declared="gbk").text == "纯"


def test_one_broken_byte_costs_one_character():
    body = CHINESE.encode("gb18030").replace("手机".encode("gb18030"), b"\xff\xff")

    decoded = decode(body, "text/html; charset=gbk")

    assert decoded.encoding == "gb18030"
    assert "这家公司" in decoded.text
    assert 0 < decoded.damaged <= 4


@pytest.mark.parametrize("label", ["utf-7", "no-such-code", "", "rot13", "base64", "unicode_escape", "../../etc"])
def test_labels_that_name_no_safe_text_encoding_are_ignored(label):
    assert python_name(label) == ""


@given(st.binary(max_size=400), st.sampled_from(["", "text/html; charset=big5", "text/xml; charset=utf-16", "x; charset=hz"]))
@settings(max_examples=60, deadline=None)
def test_any_bytes_decode_to_something(body, header):
    """No input makes decode raise."""
    assert isinstance(decode(body, header).text, str)
