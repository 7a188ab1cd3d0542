"""Feeds written for the tests, one of every kind."""

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>北方科技</title><link>https://news.example.com/</link><description>科技新闻</description>
<item><title>某公司发布新一代模型</title><link>/a/1.html?f=rss</link><guid isPermaLink="false">n-1</guid>
<pubDate>Mon, 23 Nov 2026 09:05:00 +0800</pubDate><dc:creator>甲、乙</dc:creator><description>&lt;p&gt;一句话摘要。&lt;/p&gt;</description>
<content:encoded><![CDATA[<p>第一段。</p><p>第二段，提到 <b>芯片</b>。</p>]]></content:encoded></item>
<item><title><![CDATA[芯片 <em>出口</em>新规]]></title><link>https://news.example.com/a/2.html</link><pubDate>2026-11-22 18:00</pubDate></item>
<item><title>只有永久 GUID</title><guid>https://news.example.com/a/3.html</guid></item>
<item><title>没有链接</title><guid isPermaLink="false">n-4</guid></item>
<item><title>坏链接</title><link>javascript:alert(1)</link></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://lab.example.org/blog/"><title>Lab notes</title><id>urn:lab</id>
<entry><title type="html">A &lt;i&gt;small&lt;/i&gt; model &amp;amp; its data</title><link href="one"/><id>urn:lab:1</id>
<published>2026-11-20T09:00:00Z</published><updated>2026-11-21T10:00:00Z</updated><author><name>Ada Li</name></author>
<content type="html">&lt;p&gt;First.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;&lt;p&gt;Second.&lt;/p&gt;</content></entry>
<entry><title>Only updated</title><link rel="alternate" href="https://lab.example.org/two"/><id>urn:lab:2</id>
<updated>2026-11-19T08:00:00+08:00</updated><summary>Short.</summary></entry></feed>"""

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://old.example.net/"><title>Old site</title><link>https://old.example.net/</link>
<items><rdf:Seq><rdf:li resource="https://old.example.net/1"/></rdf:Seq></items></channel>
<item rdf:about="https://old.example.net/1"><title>One</title><link>https://old.example.net/1</link><dc:date>2026-11-18T07:00:00+09:00</dc:date></item>
</rdf:RDF>"""

RSS_091 = """<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Older</title><link>https://o.example/</link><item><title>T</title><link>https://o.example/1</link></item></channel></rss>"""

ATOM_03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Three</title>
<entry><title>T</title><link rel="alternate" type="text/html" href="https://t.example/1"/><issued>2026-11-17T07:00:00Z</issued>
<modified>2026-11-18T07:00:00Z</modified></entry></feed>"""

JSON_FEED = """{"version": "https://jsonfeed.org/version/1.1", "title": "Digest", "items": [
{"id": 7, "url": "https://j.example/7", "title": "Seven", "content_html": "<p>One.</p><p>Two.</p>", "date_published": "2026-11-20T09:00:00+08:00",
 "authors": [{"name": "Bo Sun"}]},
{"id": "https://j.example/8", "title": "Eight", "content_text": "Plain.", "author": {"name": "C"}},
{"id": "9", "title": "No link"}]}"""


def long_rss(count, *, changed=()):
    """An RSS feed of so many items; those in `changed` have another text."""
    items = "\n".join(
        f"<item><title>第{number}条{' 更新' if number in changed else ''}</title><link>https://news.example.com/i/{number}</link>"
        f"<description><![CDATA[<item>假的</item> {number}]]></description></item>"
        for number in range(count)
    )
    return f'<rss version="2.0"><channel><title>长</title><lastBuildDate>now</lastBuildDate>\n<!-- <item> -->{items}</channel></rss>'
