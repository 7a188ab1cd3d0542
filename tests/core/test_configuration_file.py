"""config.yaml: every fault is told at once, where it stands and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        "7:19: rules[0].when: expected now, hourly, daily HH:MM or weekly DAY HH:MM (as in: daily 08:00, weekly mon 08:00), "
        "not 'daily 25:00'",
        "8:5: rules[1].query: this key is needed and missing",
    ]


@pytest.mark.parametrize("again", ["ann@example.org", "ann@EXAMPLE.org"])
def test_an_address_that_stands_twice_is_told(tmp_path: Path, again: str) -> None:
    path = write(tmp_path, f"readers:\n  - {{key: ann, addresses: [ann@example.org, bo@example.org, {again}]}}\n")

    (fault,) = faults(path, environment={})
    assert f"readers[0].addresses: the address {again} stands twice" in fault


def test_addresses_that_differ_before_the_at_are_two(tmp_path: Path) -> None:
    path = write(tmp_path, "readers:\n  - {key: ann, addresses: [ann@example.org, Ann@example.org, ann@example.com]}\n")

    assert len(load_config(path, environment={}).readers[0].addresses) == 3


def test_duplicates_and_unknown_readers_are_found_once_the_shapes_are_right(tmp_path: Path) -> None:
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
    path = write(tmp_path, "network: {ca_file: own.pem}\n")
    monkeypatch.chdir("/")

    assert load_config(path, environment={}).network.ca_file == str(tmp_path / "own.pem")
