"""Hostile and broken documents, made here: name → (kind, bytes). One entry a case of docs/design/reading.md's list."""

from __future__ import annotations

import gzip
import zlib

RSS_HEAD = '<rss version="2.0"><channel><title>t</title>'
RSS_TAIL = "</channel></rss>"


def rss(*items: str, head: str = "") -> bytes:
    return (head + RSS_HEAD + "".join(items) + RSS_TAIL).encode("utf-8", "surrogatepass")


def item(title="标题", link="https://n.example/1", more="") -> str:
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"


def page(body: str, head: str = "") -> bytes:
    return f"<html><head><title>一篇文章的标题</title>{head}</head><body>{body}</body></html>".encode("utf-8", "surrogatepass")


def _laughs() -> str:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE rss [<!ENTITY l0 "ha">{lines}]>'


ENTITIES = {
    "billion laughs": rss(item("&l11;"), head=_laughs()),
    "quadratic growth": rss(item("&a;" * 200_000), head=f'<!DOCTYPE rss [<!ENTITY a "{"x" * 190}">]>'),
    "external entity from a file": rss(item("&x;"), head='<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "external entity from the net": rss(item("&x;"), head='<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>'),
    "parameter entity": rss(item(), head='<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x.dtd">%p;]>'),
    "unclosed doctype": b"<!DOCTYPE rss [<!ENTITY a 'b'",
}
READABLE_DOCTYPES = {"external DTD": rss(item(), head='<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd">')}

SIZES = {
    "20,000 items": rss(*(item(f"第{n}条", f"https://n.example/{n}") for n in range(20_000))),
    "a title of 1 MB": rss(item("长" * 350_000)),
    "an attribute of 2 MB": rss(item(more=f'<category domain="{"d" * 2_000_000}">c</category>')),
    "one item of 3 MB": rss(item(more=f"<description>{'<![CDATA[' + 'x' * 3_000_000 + ']]>'}</description>"), item(link="https://n.example/2")),
    "100,000 unclosed tags in a description": rss(item(more=f"<description><![CDATA[{'<a>' * 100_000}]]></description>")),
    "100,000 unclosed CDATA sections": (RSS_HEAD + "<![CDATA[" * 100_000).encode(),
    "100,000 nested elements": (RSS_HEAD + "<a>" * 100_000).encode(),
    "100,000 nested items": (RSS_HEAD + "<item>" * 100_000).encode(),
    "9 MB of one letter": b"a" * 9_000_000,
    "JSON nested 100,000 deep": b'{"items":' + b"[" * 100_000,
    "an integer of 100,000 digits": b'{"items": [' + b"9" * 100_000 + b"]}",
}

CHARACTERS = {
    "surrogate reference": rss(item("a&#xD800;b")),
    "reference past Unicode": rss(item("a&#x110000;b&#99999999999999999999;c")),
    "reference to NUL": rss(item("a&#0;b")),
    "raw NUL": rss(item("a\x00b")),
    "raw lone surrogate": rss(item("a\ud800b")),
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + rss(item()),
    "UTF-16 without a mark": rss(item()).decode().encode("utf-16-le"),
    "UTF-7 claimed": rss(item(), head='<?xml version="1.0" encoding="utf-7"?>'),
    "ISO-2022-JP claimed": rss(item(), head='<?xml version="1.0" encoding="iso-2022-jp"?>'),
    "gb2312 claimed, gb18030 meant": rss(item("朱镕基"), head='<?xml version="1.0" encoding="gb2312"?>').decode().encode("gb18030"),
    "Big5": rss(item("這個公司的標題"), head='<?xml version="1.0" encoding="big5"?>').decode().encode("big5"),
    "UTF-8 and GBK mixed": rss(item("甲"), item("乙" * 30, "https://n.example/2")).replace("乙".encode(), "乙".encode("gbk")),
    "bidi override": rss(item("abc\u202egpj.exe")),
    "zero width": rss(item("人\u200b工\u2060智\ufeff能")),
    "line separators": rss(item("one&#13;&#10;Bcc: x\u2028two\u2029three")),
    "emoji and private use": rss(item("🤖\ue000机器人")),
    "full width": rss(item("ＡＩ芯片")),
}

STRUCTURES = {
    "two roots": rss(item()) + rss(item(link="https://n.example/2")),
    "feed inside a comment": b"<!-- " + rss(item()).replace(b"--", b"") + b" -->",
    "nothing": b"",
    "only white space": b" \n\t ",
    "HTML": page("<h1>Hello</h1>"),
    "JSON of another kind": b'{"error": "no"}',
    "JSON list": b"[1, 2, 3]",
    "unclosed CDATA": (RSS_HEAD + "<item><title><![CDATA[never closed</title></item>").encode(),
    "no title, no date, no guid": rss("<item><link>https://n.example/1</link></item>"),
    "one GUID for all": rss(*(item(link=f"https://n.example/{n}", more="<guid>same</guid>") for n in range(5))),
    "no link": rss("<item><title>t</title></item>"),
    "wrong nesting": rss("<item><title>a<link>https://n.example/1</title></link></item>"),
    "tag soup": b"<<<rss><>>&&&;<item<title>>",
    "items as numbers": b'{"version": "https://jsonfeed.org/version/1", "items": [1, null, "x", {"url": {}}, {"url": 5, "title": []}]}',
    "gzip inside": gzip.compress(rss(item())),
}

DATES = {
    date: rss(item(more=f"<pubDate>{date}</pubDate>"))
    for date in ("Tue, 01 Jan 2099 00:00:00 GMT", "1970-01-01", "0000-00-00", "昨天", "3小时前", "2026年11月24日 09:05", "2026-02-30", "9" * 400,
                 "2026-11-24 09:05 GMT+8", "2026-11-24T23:59:60Z", "Mon, 99 Foo 2026", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00")
}  # fmt: skip

LINKS = {
    link[:60]: rss(item(link=link.replace("&", "&amp;").replace("<", "&lt;")))
    for link in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "mailto:a@b.example", "http:///", "https://n.example/" + "p" * 10_000,
                 "https://n.example/a b", "https://пример.example/", "https://user:pw@n.example/", "#only", "//n.example/x", "https://n.example./x",
                 "https://n.example:99999/", "https://[bad/", "http://n.example/%zz\x01", "https://n.example\\@evil.example/")
}  # fmt: skip

PAGES = {
    "svg onload": page("<svg/onload=alert(1)></svg><p>" + "一段正文，说了些事情。" * 20 + "</p>"),
    "mutation XSS": page("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>" + "正文。" * 60),
    "meta refresh": page("<p>" + "一段正文，说了些事情。" * 20 + "</p>", '<meta http-equiv="refresh" content="0;url=http://127.0.0.1/">'),
    "base to elsewhere": page("<p>" + "一段正文，说了些事情。" * 20 + "</p>", '<base href="http://127.0.0.1/"><link rel="canonical" href="http://127.0.0.1/x">'),
    "only an iframe": page('<iframe src="http://127.0.0.1/"></iframe>'),
    "10,000 links": page("".join(f'<a href="/{n}">链接{n}</a>' for n in range(10_000))),
    "100,000 nested divs": page("<div>" * 100_000 + "内"),
    "100,000 unclosed fonts": page("<font>" * 100_000 + "内"),
    "an attribute of 2 MB": page(f'<p title="{"x" * 2_000_000}">内</p>'),
    "2 MB of letters": page("<p>" + "字。" * 330_000 + "</p>"),
    "8 MB of tags": page("<p>x</p>" * 1_000_000),
    "JSON-LD nested deep": page("<p>" + "正文。" * 60 + "</p>", '<script type="application/ld+json">' + "[" * 50_000 + "</script>"),
    "JSON-LD of odd types": page("<p>" + "正文。" * 60 + "</p>", '<script type="application/ld+json">{"@type":["NewsArticle"],"headline":{"a":1},"author":[[],5,null],"datePublished":99}</script>'),
    "NUL everywhere": page("\x00".join("一段正文，说了些事情。" * 20)),
    "lone surrogates": page("\ud800" + "一段正文，说了些事情。" * 20),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    "random bytes": bytes((n * 7919 + (n >> 3)) % 256 for n in range(40_000)),
    "comments never closed": page("<!--" * 50_000),
    "attributes without end": b"<html><body><p " + b"a=b " * 300_000,
}

SITEMAPS = {
    "gzip bomb": gzip.compress(b"<urlset>" + b" " * 120_000_000),
    "broken gzip": gzip.compress(b"<urlset></urlset>")[:-9],
    "raw deflate": zlib.compress(b"<urlset></urlset>"),
    "60,000 addresses": ("<urlset>" + "".join(f"<url><loc>https://n.example/{n}</loc></url>" for n in range(60_000)) + "</urlset>").encode(),
    "laughs": (_laughs().replace("rss", "urlset") + "<urlset><url><loc>&l11;</loc></url></urlset>").encode(),
    "deep": b"<urlset>" + b"<url>" * 100_000,
}
