"""Article pages written for the tests."""

PARAGRAPHS = [
    "江南某机器人公司今天说，它的新一代人形机器人已经在三家工厂试用，每台一天能搬运四百只箱子。",
    "公司负责人介绍，这批机器人使用自己设计的关节和控制芯片，售价比去年的型号低了三成，明年春天开始交货。",
    "两位参加试用的工程师表示，机器人在夜班里最有用，但在湿滑的地面上仍会停下来等人处理，需要继续改进。",
    "行业协会的数据显示，今年前十个月全国人形机器人的订货量是去年同期的两倍，大多数订单来自汽车和家电企业。",
]


def chinese_page(paragraphs=PARAGRAPHS, *, head="", info="2026年11月23日 09:05　来源：<a>东岸日报</a>", tail="（责任编辑：某甲）", title="人形机器人进入三家工厂试用"):
    body = "\n".join(f"<p>　　{text}</p>" for text in paragraphs)
    return f"""<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}_财经频道_示例网</title>
<meta property="og:site_name" content="示例网">{head}</head><body>
<nav><a href="/">首页</a><a href="/tech/">科技</a><a href="/auto/">汽车</a></nav>
<div class="main"><h1>{title}</h1><div class="info">{info}</div>
<div class="content">{body}<p>{tail}</p></div>
<div class="more"><h3>热门文章</h3><ul><li><a href="/a/9.html">另一篇文章的标题，很长很长的标题</a></li><li><a href="/a/8.html">还有一篇</a></li></ul></div></div>
<footer>版权所有 示例网 京ICP备00000000号</footer></body></html>"""


ENGLISH_PAGE = """<html lang="en"><head><title>Harbour lab opens its speech model | Example Times</title>
<link rel="canonical" href="https://news.example.com/2026/11/harbour-lab"/>
<meta property="og:title" content="Harbour lab opens its speech model">
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [{"@type": "NewsArticle",
"headline": "Harbour lab opens its speech model", "datePublished": "2026-11-20T09:05:00-05:00",
"author": [{"@type": "Person", "name": "Ann Example"}, {"@type": "Person", "name": "Bo Sample"}]}]}</script></head>
<body><header><a href="/">Example Times</a></header><article><h1>Harbour lab opens its speech model</h1>
<p>HARBOUR CITY, Nov 20 (Xinhua) -- A small laboratory by the sea has published the weights of its speech model, and asked others to test it.</p>
<p>The model follows spoken orders in six languages, its authors say, and runs on a telephone without a connection to a server.</p>
<p>Two universities have already reported results that match the laboratory's own, although both found it weak in noisy rooms.</p>
<p>The laboratory said that it would publish the training data next spring, once the speakers have agreed to that.</p></article>
<footer><p>Copyright Example Times. All rights reserved.</p></footer></body></html>"""
