"""From the configuration to requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.config import Config
from core.document import DocumentKind
from core.errors import ConfigError
from core.source import Source
from crawler.net.manners import Manners

PROXY, OTHER = "http://127.0.0.1:7890", "socks5://127.0.0.1:1080"


def source(**more: Any) -> Source:
    return Source.model_validate(
        {"key": "one", "name": "One", "kind": "feed", "url": "https://one.example/feed", "language": "zh", **more}
    )


def manners(**network: Any) -> Manners:
    return Manners.from_config(Config.model_validate({"network": network}), "1.2")


@pytest.mark.parametrize(
    ("network", "of_source", "proxy"),
    [
        ({}, {}, ""),
        ({"proxy": PROXY}, {}, PROXY),
        ({"proxy": PROXY}, {"proxy": OTHER}, OTHER),
        ({"proxy": PROXY}, {"proxy": "direct"}, ""),
        ({"proxy": PROXY, "proxy_groups": {"abroad": OTHER}}, {"proxy_group": "abroad"}, OTHER),
        ({"proxy": PROXY, "proxy_groups": {"home": "direct"}}, {"proxy_group": "home"}, ""),
        ({"proxy": PROXY, "proxy_groups": {"home": "direct"}}, {"proxy_group": "abroad"}, PROXY),
        ({"proxy_groups": {"abroad": OTHER}}, {"proxy_group": "abroad", "proxy": PROXY}, PROXY),
        ({"proxy_groups": {"abroad": OTHER}}, {}, ""),
    ],
)
def test_the_nearest_proxy_wins(network: dict[str, Any], of_source: dict[str, Any], proxy: str) -> None:
    made = manners(**network)

    assert made.proxy_for(source(**of_source)) == proxy
    assert made.request_for(source(**of_source)).proxy == proxy


def test_a_request_is_for_the_sources_own_list_unless_told_otherwise() -> None:
    made = manners()
    one = source(kind="sitemap", delay_seconds=4, headers={"X-Key": "k"}, user_agent="Other/1")

    own = made.request_for(one, etag='"a"', last_modified="then")
    page = made.request_for(one, "https://one.example/a", DocumentKind.PAGE)

    assert (own.url, own.kind, own.source) == ("https://one.example/feed", DocumentKind.SITEMAP, "one")
    assert (own.etag, own.last_modified, own.delay_seconds) == ('"a"', "then", 4)
    assert own.headers == {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5", "X-Key": "k", "User-Agent": "Other/1"}
    assert (page.url, page.kind, page.etag, page.headers) == ("https://one.example/a", DocumentKind.PAGE, "", own.headers)


def test_the_list_of_an_api_source_is_posted_and_its_pages_are_not() -> None:
    api = {"method": "POST", "body": "{}", "items": "data", "fields": {}}
    one = source(kind="api", api=api)

    own, page = manners().request_for(one), manners().request_for(one, "https://one.example/a", DocumentKind.PAGE)

    assert (own.method, own.body, own.headers["Content-Type"]) == ("POST", b"{}", "application/json")
    assert (page.method, page.body, "Content-Type" in page.headers) == ("GET", b"", False)


def test_the_user_agent_names_jingbao_and_a_contact() -> None:
    assert manners(contact="https://desk.example/bot").user_agent == "jingbao/1.2 (+https://desk.example/bot)"
    assert manners().user_agent == "jingbao/1.2"


def test_certificates_that_cannot_be_used_are_a_fault_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(ConfigError, match=rf"network\.ca_file: .*{name} cannot be used"):
            manners(ca_file=str(tmp_path / name))
