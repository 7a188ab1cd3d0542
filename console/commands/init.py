"""`jingbao init`: four questions, and a config.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from alerts.trying import way_of
from console.first_config import SECRETS, Answers, shipped, write
from console.init_wording import INIT_WORDS, InitWords
from console.interview import PLACEHOLDER, Given, Interview
from console.place import config_file
from console.settings import load_settings
from console.surroundings import local_language
from console.terminal import out, plain
from core.errors import JingbaoError

HELP = """\
Ask four things (who reads the mails; how to send them; where this machine is; how sites can reach you), try each answer at
once, and write a commented config.yaml. What is said by an option is not asked; without a terminal, or with --yes, nothing is.

\b
Examples:
  jingbao init
  jingbao init --force                          anew; the old file is kept as config.yaml.bak
  jingbao init --yes --address ann@example.org --language en --zone Europe/Berlin --send gmail
  JINGBAO_SMTP_PASSWORD=... jingbao init --yes --address a@example.org --send smtp.example.org:465 /etc/jingbao/config.yaml
"""


@click.command(help=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--address", default="", help="The reader's mail address.")
@click.option("--language", default="", help="Of the mails' own words: en or zh.")
@click.option("--zone", default="", help="The reader's time zone, as Asia/Shanghai.")
@click.option("--send", default="", metavar="WAY", help="A provider, a mail server HOST[:PORT], sendmail, api or folder.")
@click.option("--user", default="", help="Who signs in to the mail server.")
@click.option("--sender", default="", help="The sender's address.")
@click.option("--location", default="", help="auto, outside or mainland (of China).")
@click.option("--contact", default="", help="A mail address or page, sent with every request.")
@click.option("--yes", is_flag=True, help="Ask nothing: defaults for all that is not given.")
@click.option("--force", is_flag=True, help="Even if there is such a file; it is kept as .bak.")
@click.pass_obj
def command(config_path: Path | None, /, file: Path | None, yes: bool, force: bool, **given: str) -> int:
    """Ask, write, and say how to go on."""
    path = file or config_file(config_path)
    if path.exists() and not force:  # before four questions, not after
        raise JingbaoError(
            f"{path} is there already. `jingbao init --force` makes it anew, and keeps this one as {path.name}.bak."
        )
    language = local_language()
    words = INIT_WORDS[language]
    asks = sys.stdin.isatty() and not yes
    answers = Interview(Given(**given), words, language, path.resolve().parent, asks=asks).answers()
    kept = write(path, answers, shipped(), force=force)
    _conclude(path, answers, kept, words)
    return 0


def _conclude(path: Path, answers: Answers, kept: Path | None, words: InitWords) -> None:
    settings = load_settings(path)
    told = {
        "path": path,
        "sources": len(settings.sources),
        "rules": sum(rule.enabled for rule in settings.config.rules),
        "address": answers.address,
        "way": way_of(settings.config),
    }
    out.print()
    out.print(plain(words.written.format(**told), "bold"), soft_wrap=True)
    if kept:
        out.print(plain(words.kept.format(path=kept)), soft_wrap=True)
    if answers.secrets:
        out.print(plain(words.secrets.format(folder=path.parent / SECRETS)), soft_wrap=True)
    if answers.address == PLACEHOLDER:
        out.print(plain(words.placeholder.format(path=path), "yellow"), soft_wrap=True)
    named = "" if path.name == "config.yaml" and path.resolve().parent == Path.cwd() else f" --config {path}"
    out.print(plain(words.next_steps.format(command=f"jingbao{named} run")), soft_wrap=True)
