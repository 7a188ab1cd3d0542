"""Dates are read as written, never invented, and keep how exact they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.article import Precision
from crawler.reading.dates import date_in_url, from_epoch, parse_date

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 5, 20, tzinfo=UTC)  # 13:20 in Shanghai
SECOND, MINUTE, DAY, MONTH = Precision.SECOND, Precision.MINUTE, Precision.DAY, Precision.MONTH

SHAPES = [
    ("刚刚", "2026-11-24 13:20", MINUTE),
    ("剛剛", "2026-11-24 13:20", MINUTE),
    ("3分钟前", "2026-11-24 13:17", MINUTE),
    ("3 分鐘前", "2026-11-24 13:17", MINUTE),
    ("半小时前", "2026-11-24 12:50", MINUTE),
    ("4小时前", "2026-11-24 09:20", MINUTE),
    ("兩小時前", "2026-11-24 11:20", MINUTE),
    ("3天前", "2026-11-21 00:00", DAY),
    ("三天前", "2026-11-21 00:00", DAY),
    ("2周前", "2026-11-10 00:00", DAY),
    ("今天 08:30", "2026-11-24 08:30", MINUTE),
    ("昨天 15:58", "2026-11-23 15:58", MINUTE),
    ("昨日下午3:15", "2026-11-23 15:15", MINUTE),
    ("前天18:56", "2026-11-22 18:56", MINUTE),
    ("昨天", "2026-11-23 00:00", DAY),
    ("2026年11月24日 09:05", "2026-11-24 09:05", MINUTE),
    ("2026年11月24日09:05", "2026-11-24 09:05", MINUTE),
    ("2026年11月23日 下午3点20分", "2026-11-23 15:20", MINUTE),
    ("2026年11月23日凌晨1点半", "2026-11-23 01:30", MINUTE),
    ("2026年11月23日晚8时", "2026-11-23 20:00", MINUTE),
    ("二〇二六年十一月二十三日", "2026-11-23 00:00", DAY),
    ("07月05日", "2026-07-05 00:00", DAY),
    ("12月05日", "2025-12-05 00:00", DAY),
    ("11-23 21:05", "2026-11-23 21:05", MINUTE),
    ("7/5", "2026-07-05 00:00", DAY),
    ("09:15", "2026-11-24 09:15", MINUTE),
    ("22:15", "2026-11-23 22:15", MINUTE),
    ("2026.11.20 09:05", "2026-11-20 09:05", MINUTE),
    ("2026/11/20 09:05:03", "2026-11-20 09:05:03", SECOND),
    ("20261120", "2026-11-20 00:00", DAY),
    ("20261120090503", "2026-11-20 09:05:03", SECOND),
    ("发布时间：2026-11-20 09:05　来源：某社", "2026-11-20 09:05", MINUTE),
    ("1795500000", "2026-11-24 14:00:00", SECOND),
    ("1795500000000", "2026-11-24 14:00:00", SECOND),
    ("2026-11-20T09:05:00Z", "2026-11-20 17:05:00", SECOND),
    ("2026-11-20T09:05:00.123+08:00", "2026-11-20 09:05:00", SECOND),
    ("2026-11-20T09:05+0800", "2026-11-20 09:05", MINUTE),
    ("2026-11-20 09:05:00 GMT+8", "2026-11-20 09:05:00", SECOND),
    ("2026-11-20 09:05:60", "2026-11-20 09:05:59", SECOND),
    ("2026-11-20 09:05 CST", "2026-11-20 09:05", MINUTE),
    ("北京时间2026年11月20日 09:05", "2026-11-20 09:05", MINUTE),
    ("Fri, 20 Nov 2026 09:05:00 GMT", "2026-11-20 17:05:00", SECOND),
    ("Fri, 20 Nov 26 09:05:00 EST", "2026-11-20 22:05:00", SECOND),
    ("Fri Nov 20 09:05:00 2026", "2026-11-20 09:05:00", SECOND),
    ("Nov 20, 2026", "2026-11-20 00:00", DAY),
    ("November 20th, 2026 at 9:05 pm", "2026-11-20 21:05", MINUTE),
    ("Nov. 20, 2026, 9 a.m.", "2026-11-20 09:00", MINUTE),
    ("09:05, 20-Nov-2026", "2026-11-20 09:05", MINUTE),
    ("20.11.2026 10:00", "2026-11-20 10:00", MINUTE),
    ("24/10/2026", "2026-10-24 00:00", DAY),
    ("an hour ago", "2026-11-24 12:20", MINUTE),
    ("yesterday", "2026-11-23 00:00", DAY),
    ("Nov 20", "2026-11-20 00:00", DAY),
    ("2026年10月", "2026-10-01 00:00", MONTH),
    ("October 2026", "2026-10-01 00:00", MONTH),
    ("2026-11-20T00:00:00+08:00", "2026-11-20 00:00", DAY),
    ("2099-01-01", "2099-01-01 00:00", DAY),
]


@pytest.mark.parametrize(("text", "local", "precision"), SHAPES)
def test_a_date_is_read_as_written(text, local, precision):
    moment = parse_date(text, SHANGHAI, NOW)

    assert moment is not None
    assert moment.at == datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)
    assert moment.at.tzinfo is UTC
    assert moment.precision is precision


@pytest.mark.parametrize(
    "text",
    ["", "2026年2月30日", "2026-13-01", "0000-00-00", "1970-01-01", "03/04/2026", "价格 3/4", "第12期", "H20 2026", "25:00", "2026", "前 10 名",
     "一个月前", "2年前", "99999999999999999999", "2026-02-29"],
)  # fmt: skip
def test_what_is_no_date_or_an_impossible_or_ambiguous_one_is_none(text):
    assert parse_date(text, SHANGHAI, NOW) is None


def test_a_stated_zone_is_kept_and_an_unstated_one_is_the_sources():
    stated = parse_date("2026-11-20T09:05:00-05:00", SHANGHAI, NOW)
    unstated = parse_date("2026-11-20 09:05", SHANGHAI, NOW)

    assert (stated.zone, stated.zone_stated) == ("-05:00", True)
    assert (unstated.zone, unstated.zone_stated) == ("Asia/Shanghai", False)


def test_cst_is_chinas_in_asia_and_us_central_elsewhere():
    text = "Fri, 20 Nov 2026 09:00:00 CST"

    assert parse_date(text, SHANGHAI, NOW).at.hour == 1
    assert parse_date(text, ZoneInfo("UTC"), NOW).at.hour == 15


@pytest.mark.parametrize(
    ("url", "day", "precision"),
    [
        ("https://a.test/2026-07/13/c_169.htm", "2026-07-13", DAY),
        ("https://a.test/tech/20260708/0f3a/c.html", "2026-07-08", DAY),
        ("https://a.test/202609/t20260926_1.html", "2026-09-26", DAY),
        ("https://a.test/2026/9/4/post", "2026-09-04", DAY),
        ("https://a.test/2026/01/31234.html", "2026-01-01", MONTH),
        ("https://a.test/2026/01/12.html", "2026-01-01", MONTH),
    ],
)
def test_an_address_tells_its_day_or_month(url, day, precision):
    moment = date_in_url(url, SHANGHAI, NOW)

    assert moment.at.astimezone(SHANGHAI).date().isoformat() == day
    assert moment.precision is precision


@pytest.mark.parametrize("url", ["https://20260101.test/a", "https://a.test/p/3012345678901", "https://a.test/20991301/x", "https://a.test/20270101/x"])
def test_a_number_in_an_address_that_is_no_day_or_lies_ahead_is_none(url):
    assert date_in_url(url, SHANGHAI, NOW) is None


@pytest.mark.parametrize("value", [0, -1, 5, 1e30, float("inf")])
def test_a_number_outside_the_webs_time_is_no_date(value):
    assert from_epoch(value, SHANGHAI) is None


@given(st.datetimes(min_value=datetime(1991, 1, 1), max_value=datetime(2090, 1, 1)))
@settings(max_examples=80)
def test_full_dates_in_every_common_shape_come_back_to_the_minute(when):
    """Law: formatting a moment and reading it gives the moment back."""
    for shape in ("%Y-%m-%d %H:%M", "%Y年%m月%d日 %H:%M", "%d %b %Y %H:%M", "%B %d, %Y %H:%M"):
        moment = parse_date(when.strftime(shape), SHANGHAI, NOW)
        expected = when.replace(second=0, microsecond=0, tzinfo=SHANGHAI).astimezone(UTC)
        assert moment.at == expected


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_the_reader_raise(text):
    moment = parse_date(text, SHANGHAI, NOW)

    assert moment is None or 1990 <= moment.at.year <= 2101
