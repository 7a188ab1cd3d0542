"""Secrets are found where operators put them, and shown nowhere."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import secrets
from core.config import Config
from core.configuration_file import load_config
from core.errors import ChannelError, ConfigError
from core.log import LineFormatter, values
from core.redaction import masked_url, secret_files, shown
from core.secrets import HIDDEN, how_to_give, keep_hidden, look_up, mask, open_to_others, secrets_of_url

NAME = "JINGBAO_TEST_SECRET"


def test_a_secret_comes_from_the_environment_then_the_named_file_then_systemd(tmp_path: Path) -> None:
    (tmp_path / "own.secret").write_text("from the file\r\n")
    (tmp_path / NAME.lower()).write_text("from systemd\n")
    environment = {NAME: "from the environment", f"{NAME}_FILE": f"{tmp_path}/own.secret", "CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert look_up(NAME, environment) == "from the environment"
    del environment[NAME]
    assert look_up(NAME, environment) == "from the file"
    del environment[f"{NAME}_FILE"]
    assert look_up(NAME, environment) == "from systemd"
    (tmp_path / NAME).write_text("by its own name")
    assert look_up(NAME, environment) == "by its own name"
    assert look_up("ANOTHER", environment) == ""


def test_a_missing_secret_names_all_three_places_and_a_missing_file_is_an_error(tmp_path: Path) -> None:
    told = how_to_give(NAME)

    assert NAME in told
    assert f"{NAME}_FILE" in told
    assert "LoadCredential" in told
    with pytest.raises(FileNotFoundError):
        look_up(NAME, {f"{NAME}_FILE": str(tmp_path / "absent")})


def test_a_file_that_everybody_can_read_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "own.secret"
    file.write_text("x")
    file.chmod(0o604)
    assert open_to_others(file)
    file.chmod(0o640)
    assert not open_to_others(file)


@settings(max_examples=100)
@given(st.text(min_size=4).filter(str.strip), st.text(), st.text())
def test_what_is_hidden_is_in_no_text_in_no_form(secret: str, before: str, behind: str) -> None:
    secrets._hidden.clear()
    secrets._pattern = None
    encoded = secret.encode("utf-8", "surrogateescape") if not _lone(secret) else b""
    keep_hidden([secret] if encoded else [])
    forms = [secret, quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], base64.b64encode(encoded).decode()]
    for form in forms if encoded else []:
        shown_text = mask(before + form + behind)
        assert form not in shown_text.replace(HIDDEN, "\0") or form in HIDDEN


def _lone(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("proxy http://me:pass word@x", "proxy http://me:pass word@x"),
        ("socks5://me:p%40ss@10.0.0.1:1080 failed", f"socks5://me:{HIDDEN}@10.0.0.1:1080 failed"),
        ("Authorization: Bearer eyJabc.def", f"Authorization: Bearer {HIDDEN}"),
        ("https://example.org/a:b@c", "https://example.org/a:b@c"),
        ("basic research, bearer bonds", "basic research, bearer bonds"),
        ("", ""),
    ],
)
def test_passwords_in_addresses_and_bearer_tokens_go_without_being_known(text: str, told: str) -> None:
    assert mask(text) == told


def test_of_a_secret_address_its_keys_are_secret_and_its_host_is_not() -> None:
    found = secrets_of_url("mailgun://news@mg.example.org/0123456789abcdef-key?region=eu")

    assert "0123456789abcdef-key" in found
    assert not {"mg.example.org", "news", "eu"} & found
    assert secrets_of_url("http://[broken") == {"http://[broken"}


def test_log_lines_errors_and_tracebacks_show_no_secret() -> None:
    keep_hidden(["s3cret-value"])
    error = ChannelError("refused: s3cret-value")
    record = logging.LogRecord("jingbao", logging.ERROR, "", 0, "took s3cret-value", (), (type(error), error, None))
    record.__dict__.update(values(reason="s3cret-value"))

    assert "s3cret-value" not in LineFormatter().format(record)
    assert str(error) == f"refused: {HIDDEN}"


CONFIG = """\
operator: {ping_url: "https://ping.example/0123456789abcdef-ping"}
network: {proxy: "socks5://me:proxypass@127.0.0.1:1080", proxy_groups: {out: "http://me:grouppass@127.0.0.1:1"}}
"""


def test_the_configuration_is_shown_without_its_secrets_and_they_are_hidden_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    config = load_config(tmp_path / "config.yaml", environment={})
    told = json.dumps(shown(config))

    assert not any(each in told for each in ("abcdef-ping", "proxypass", "grouppass"))
    assert "socks5://me:" in told
    assert mask("GET https://ping.example/0123456789abcdef-ping, proxypass") == f"GET {HIDDEN}, {HIDDEN}"


SOURCES = """\
sources:
  catalogue: none
  add:
    - key: mine
      name: Mine
      kind: api
      language: en
      url: "https://me:urlpass9@mine.example/feed?page=2&access_token=tok-1234567&keyword=chips"
      proxy: "http://me:ownproxypass@127.0.0.1:1"
      headers:
        Accept: application/json
        Authorization: Bearer bear-canary-1
        X-Api-Key: apikey-canary-2
        Cookie: "lang=en; sid=cookie-canary-3"
        X-Anything: any-canary-4
      api: {items: a, fields: {url: u}, pages: ["https://mine.example/2?sig=sig-canary-5&key=AI"]}
"""
CANARIES = (
    "urlpass9", "tok-1234567", "ownproxypass", "bear-canary-1", "apikey-canary-2", "cookie-canary-3", "any-canary-4", "sig-canary-5"
)  # fmt: skip


def test_secrets_of_sources_are_not_shown_and_hidden_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(SOURCES)
    config = load_config(tmp_path / "config.yaml", environment={})
    told = json.dumps(shown(config))

    assert [canary for canary in CANARIES if canary in told] == []
    assert all(word in told for word in ("application/json", "X-Api-Key", "keyword=chips", "page=2"))
    assert [canary for canary in CANARIES if canary in mask(f"failed: {' '.join(CANARIES)}")] == []
    assert mask("the key of AI chips, application/json") == "the key of AI chips, application/json"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a.example/f?token=abc&n=1", f"https://a.example/f?token={HIDDEN}&n=1"),
        ("https://a.example/f?apiKey=abc#x", f"https://a.example/f?apiKey={HIDDEN}#x"),
        ("https://a.example/f?key=abc", f"https://a.example/f?key={HIDDEN}"),
        ("https://me:pass@a.example/f", f"https://me:{HIDDEN}@a.example/f"),
        ("https://a.example/f?author=qwen&keyword=x&design=1", "https://a.example/f?author=qwen&keyword=x&design=1"),
    ],
)
def test_an_address_is_shown_without_its_keys(url: str, told: str) -> None:
    assert masked_url(url) == told


@pytest.mark.parametrize(
    "text",
    [
        'operator: {ping_url: "ping.example/s3cret-path-of-it"}',
        'storage: {url: "mysql://me:s3cret@db/x"}',
        'network: {proxy: "ftp://me:s3cret@127.0.0.1:1"}',
        'network: {proxy_groups: {out: "s3cret:1"}}',
        "mail: {smtp: {host: mail.example.org, password_env: [s3cret]}}",
        "mail: {smtp: {host: mail.example.org, password: s3cret}}",
        "mail: {api: {url_env: {a: s3cret}}}",
        'mail: {api: {url_env: "mailgun://news@mg.example.org/s3cret"}}',
        'mail: {smtp: {host: mail.example.org, user: ann, password_env: "s3cret!9"}}',
        'mail: {smtp: {host: mail.example.org, user: ann, password_env: "9s3cret"}}',
        'mail: {smtp: {host: a.b, auth: xoauth2, user: ann, oauth: {client_id: x, provider: google, client_secret_env: "GOCSPX-s3cret"}}}',
        'mail: {smtp: {host: a.b, auth: xoauth2, user: ann, oauth: {client_id: x, provider: google, refresh_token_env: "1//s3cret"}}}',
        'sources: {add: [{key: m, name: M, kind: feed, language: en, url: "m.example/f?token=s3cret"}]}',
        'sources: {add: [{key: m, name: M, kind: feed, language: en, url: "http://m.example/f", proxy: "me:s3cret@p"}]}',
    ],
)
def test_a_fault_near_a_secret_is_told_without_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / "config.yaml", environment={})

    assert "s3cret" not in "\n".join(raised.value.problems)


def test_the_name_of_a_secret_is_a_name_and_what_is_none_is_told_as_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text('mail: {smtp: {host: mail.example.org, user: ann, password_env: "swordfish!"}}')
    with pytest.raises(ConfigError, match="and not the secret itself"):
        load_config(tmp_path / "config.yaml", environment={})

    (tmp_path / "config.yaml").write_text("mail: {smtp: {host: mail.example.org, user: ann, password_env: my_Mail_2}}")
    assert load_config(tmp_path / "config.yaml", environment={}).mail.smtp is not None


def test_files_of_secrets_are_those_of_the_chosen_way(tmp_path: Path) -> None:
    smtp = {"host": "mail.example.org", "user": "ann", "password_env": "MAIL"}
    oauth = {"provider": "google", "client_id": "x", "refresh_token_env": "REFRESH"}
    environment = {"MAIL_FILE": "a", "REFRESH_FILE": "b", "URL_FILE": "c"}

    def found(mail: dict[str, object]) -> set[str]:
        return set(secret_files(Config.model_validate({"mail": mail}), environment))

    assert found({"smtp": smtp}) == {"MAIL"}
    assert found({"smtp": smtp | {"auth": "xoauth2", "oauth": oauth}}) == {"REFRESH"}
    assert found({"api": {"url_env": "URL"}}) == {"URL"}
    assert found({}) == set()
