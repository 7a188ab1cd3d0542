"""What is written for the made-up sites is a configuration that jingbao accepts."""

from __future__ import annotations

import yaml

from core.config import Config
from tests.newsroom.mailbox import Mailbox
from tests.newsroom.outlets import load_outlets
from tests.newsroom.setting import configuration, shipped_rules, write_configuration


def test_the_configuration_is_valid_and_names_every_outlet(tmp_path) -> None:
    box = Mailbox()
    box.host, box.port = "127.0.0.1", 2525
    outlets = load_outlets()
    rule = {"name": "all", "query": "lang:zh OR lang:en", "when": "now"}

    values = configuration(outlets, proxy="http://127.0.0.1:8080", mailbox=box, rules=[rule], interval_minutes=1.5)
    file = write_configuration(tmp_path, values)
    config = Config.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))

    assert [source.key for source in config.sources.add] == [outlet.key for outlet in outlets]
    assert {source.kind for source in config.sources.add} == {"feed", "listing", "api", "sitemap"}
    assert all(source.url.startswith("http://") and source.url.partition("/")[2] for source in config.sources.add)


def test_only_shipped_rules_that_are_on_are_taken(tmp_path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "rules:\n- {name: a, query: x, when: now, readers: [me]}\n- {name: b, query: y, when: now, enabled: false}\n"
    )

    assert shipped_rules(file) == [{"name": "a", "query": "x", "when": "now", "readers": []}]
