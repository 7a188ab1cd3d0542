"""config.yaml: every fault is told at once, where it stands and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import trustme

from core.config import Config
from core.configuration_file import load_config
from core.errors import ConfigError
from core.located_yaml import Problem


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, **kwargs) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, **kwargs)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


def test_an_empty_file_is_a_configuration_of_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""), environment={})

    assert config.data_dir == tmp_path / "data"
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'jingbao.sqlite3'}"


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
netwrk: {}
network: {timeout_seconds: soon}
readers:
  - {key: ann, addresses: [not an address], zone: Europe/Berln}
  - {key: ann, addresses: [ann@example.org]}
rules:
  - {name: chips, when: daily 25:00, query: a, readers: [anna]}
  - {name: chips, when: now}
""",
    )

    assert faults(path, environment={}) == [
        '1:1: netwrk: unknown key. Did you mean "network"?',
        "2:11: network.timeout_seconds: expected a number, not 'soon'",
        "4:28: readers[0].addresses[0]: expected a mail address, as in name@example.org, not 'not an address'",
        "4:45: readers[0].zone: expected a time zone's IANA name, as in Asia/Shanghai or Europe/Berlin, not 'Europe/Berln'",
        '5:6: readers[1].key: "ann" is already the key of readers[0]; each needs its own',
        "7:19: rules[0].when: expected now, hourly, daily HH:MM or weekly DAY HH:MM (as in: daily 08:00, weekly mon 08:00), "
        "not 'daily 25:00'",
        '7:58: rules[0].readers[0]: no reader has the key "anna". Did you mean "ann"?',
        "8:5: rules[1].query: this key is needed and missing",
        '8:6: rules[1].name: "chips" is already the name of rules[0]; each needs its own',
    ]


@pytest.mark.parametrize("again", ["ann@example.org", "ann@EXAMPLE.org"])
def test_an_address_that_stands_twice_is_told(tmp_path: Path, again: str) -> None:
    path = write(tmp_path, f"readers:\n  - {{key: ann, addresses: [ann@example.org, bo@example.org, {again}]}}\n")

    (fault,) = faults(path, environment={})
    assert f"readers[0].addresses: the address {again} stands twice" in fault


def test_addresses_that_differ_before_the_at_are_two(tmp_path: Path) -> None:
    path = write(tmp_path, "readers:\n  - {key: ann, addresses: [ann@example.org, Ann@example.org, ann@example.com]}\n")

    assert len(load_config(path, environment={}).readers[0].addresses) == 3


def test_duplicates_and_unknown_readers_are_found(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
readers:
  - {key: ann, addresses: [ann@example.org]}
  - {key: ann, addresses: [ann@example.com]}
rules:
  - {name: chips, when: now, query: a, readers: [anm]}
""",
    )

    assert faults(path, environment={}) == [
        '3:6: readers[1].key: "ann" is already the key of readers[0]; each needs its own',
        '5:50: rules[0].readers[0]: no reader has the key "anm". Did you mean "ann"?',
    ]


def test_a_key_written_twice_is_a_fault_at_its_second_place(tmp_path: Path) -> None:
    path = write(tmp_path, "data_dir: a\ndata_dir: b\n")

    assert faults(path, environment={}) == ["2:1: data_dir: this key is written twice; the first is in line 1"]


def test_aliases_and_tags_are_refused_before_they_grow_or_run(tmp_path: Path) -> None:
    path = write(tmp_path, "data_dir: &a x\nstorage: {url: *a}\nmail: !!python/object:os.system {}\n")

    told = faults(path, environment={})

    assert any("aliases" in line for line in told)
    assert any("tag" in line for line in told)


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, "readers:\n  - key: [ann\nrules: {}\n")

    (told,) = faults(path, environment={})

    assert told.startswith("3:6: not YAML:")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load_config(tmp_path / "absent.yaml", environment={})


def test_the_environment_sets_single_values(tmp_path: Path) -> None:
    path = write(tmp_path, "network: {contact: a@example.org}\n")

    config = load_config(path, environment={"JINGBAO__NETWORK__TIMEOUT_SECONDS": "7", "JINGBAO__DATA_DIR": "elsewhere"})

    assert config.network.timeout_seconds == 7
    assert config.network.contact == "a@example.org"
    assert config.data_dir == tmp_path / "elsewhere"


def test_checks_handed_down_point_at_places_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "rules:\n  - {name: chips, when: now, query: '('}\n")

    told = faults(path, checks=[lambda _: [Problem(("rules", 0, "query"), "unbalanced")]], environment={})

    assert told == ["2:30: rules[0].query: unbalanced"]


def test_paths_are_relative_to_the_file_wherever_jingbao_is_started(tmp_path: Path, monkeypatch) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "own.pem"))
    path = write(tmp_path, "network: {ca_file: own.pem}\nstorage: {url: sqlite:///kept/news.sqlite3}\n")
    monkeypatch.chdir("/")

    config = load_config(path, environment={})

    assert config.network.ca_file == str(tmp_path / "own.pem")
    assert config.database_url == f"sqlite:///{tmp_path}/kept/news.sqlite3"


@pytest.mark.parametrize("url", ["postgresql://me:se%40cret@db:5433/news", "postgresql+psycopg://me@/news?host=/run/postgresql"])
def test_an_archive_may_be_on_a_server(tmp_path: Path, url: str) -> None:
    assert load_config(write(tmp_path, f"storage: {{url: '{url}'}}"), environment={}).database_url == url


def test_a_faulty_address_of_a_server_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        load_config(write(tmp_path, "{}"), environment={"JINGBAO__STORAGE__URL": "postgres://me:se-cret@db/news"})
    assert "JINGBAO__STORAGE__URL: storage.url: expected" in str(told.value)
    assert "se-cret" not in str(told.value) + repr(told.value)


SOURCE = "{key: x, name: X, kind: listing, url: http://a.example/, language: zh, %s}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("network: {proxy: '127.0.0.1:7890'}", "network.proxy: expected a proxy as in http://127.0.0.1:7890"),
        ("network: {proxy_groups: {abroad: 'ftp://a.example:21'}}", "network.proxy_groups.abroad: expected a proxy"),
        ("network: {ca_file: absent.pem}", "network.ca_file: expected a file of certificates (PEM); absent.pem: No such file"),
        ("network: {ca_file: config.yaml}", "network.ca_file: expected a file of certificates (PEM); config.yaml:"),
        ("data_dir: config.yaml", "data_dir: expected a folder; config.yaml is a file"),
        ("storage: {url: 'mysql://db/news'}", "storage.url: expected sqlite:///PATH, or postgresql://"),
        ("storage: {url: 'postgresql://db'}", "storage.url: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("storage: {url: 'postgresql://u:se/cret@db/news'}", "storage.url: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("storage: {url: 'postgresql://db:port/news'}", "storage.url: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("storage: {url: 'postgresql://db/news?password=se-cret'}", "storage.url: expected the password between the user and the @"),
        ("storage: {url: 'sqlite:///:memory:'}", "storage.url: expected sqlite:///PATH"),
        ("alerts: {link_base: news}", "alerts.link_base: expected an address that starts with http"),
        ("mail: {smtp: {host: ''}}", "mail.smtp.host: expected some text"),
        ("security: {allow_networks: [10.0.0.0/33]}", "security.allow_networks[0]: expected a network or address, as in 192"),
        ("sources: {add: [" + SOURCE % "encoding: utf-9" + "]}", "sources.add[0].encoding: expected a character encoding's name"),
        ("sources: {add: [" + SOURCE % "encoding: hex" + "]}", "sources.add[0].encoding: expected a character encoding's name"),
        ("sources: {add: [" + SOURCE % "country: cn" + "]}", "sources.add[0].country: expected a country's two capital letters"),
        ("sources: {add: [" + SOURCE % "proxy: 'socks5://gate'" + "]}", "sources.add[0].proxy: expected a proxy"),
        ("sources: {add: [" + SOURCE % "listing: {item: 'div['}" + "]}", "sources.add[0].listing.item: expected a CSS selector"),
        ("sources: {add: [" + SOURCE % "page: {text: 'p:nope'}" + "]}", "sources.add[0].page.text: expected a CSS selector"),
    ],
)
def test_what_could_not_run_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (line,) = faults(write(tmp_path, text + "\n"), environment={})

    assert line.startswith("1:")
    assert told in line


@pytest.mark.parametrize("proxy", ["", "direct", "http://127.0.0.1:7890", "https://gate.example", "socks5://u:p@gate.example:1080"])
def test_what_can_run_is_taken(tmp_path: Path, proxy: str) -> None:
    source = SOURCE % f"encoding: GB2312, country: CN, proxy: '{proxy}', page: {{text: 'div.text > p:not(.ad)'}}"
    path = write(tmp_path, f"network: {{proxy: '{proxy}'}}\nsources: {{add: [{source}]}}\n")

    assert load_config(path, environment={}).network.proxy == proxy


def test_checks_handed_down_see_what_parsed_beside_faults_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, "rules:\n  - 3\n  - {name: [x], when: never, query: '(', enabled: 3}\nreaders: 7\nsources: {add: {}}\n")

    def check(config: Config) -> Iterable[Problem]:
        assert (config.readers, config.sources.add, config.network.proxy_groups, config.mail.smtp) == ((), (), {}, None)
        assert [(rule.name, rule.query, rule.readers) for rule in config.rules] == [("", "", ()), ("", "(", ())]
        yield Problem(("rules", 1, "query"), "unbalanced")
        yield Problem(("rules", 1, "when"), "told already")

    told = faults(path, checks=[check], environment={})

    assert "3:30: rules[1].query: unbalanced" in told
    assert not any("told already" in line for line in told)


def test_a_fault_of_an_environment_variable_names_the_variable(tmp_path: Path) -> None:
    told = faults(
        write(tmp_path, "network: {timeout_seconds: 5}\n"),
        environment={"JINGBAO__NETWORK__MAX_BYTES": "[a", "JINGBAO__NETWORK__TIMEOUT_SECONDS": "soon", "JINGBAO__NETWRK": "1"},
    )

    assert sorted(line.split(": ", 2)[:2] for line in told) == [
        ["JINGBAO__NETWORK__MAX_BYTES", "network.max_bytes"],
        ["JINGBAO__NETWORK__TIMEOUT_SECONDS", "network.timeout_seconds"],
        ["JINGBAO__NETWRK", "netwrk"],
    ]


def test_values_nested_without_end_are_refused_and_not_followed(tmp_path: Path) -> None:
    (told,) = faults(write(tmp_path, "rules: " + "[" * 100_000), environment={})

    assert "levels" in told
