"""`jingbao init`: four questions, and a config.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from alerts.transports.chosen import mail_folder
from console.asking import Given
from console.first_config import PLACEHOLDER, SECRETS, Answers, what_is_there, write
from console.init_wording import INIT_WORDS, InitWords
from console.interview import Interview
from console.place import config_file
from console.settings import load_settings
from console.surroundings import local_language
from console.terminal import out, plain, talk
from core.config import Config
from core.errors import JingbaoError
from core.secrets import look_beside

HELP = """\
Ask four things (who reads the mails; how to send them; where this machine is; how sites can reach you), try each answer at
once, and write a commented config.yaml. What is said by an option is not asked; without a terminal, or with --yes, nothing is.

\b
Examples:
  jingbao init
  jingbao init --force                          other answers; all else in the file stays, and the old one is kept as .bak
  jingbao init --yes --address ann@example.org --language en --zone Europe/Berlin --send gmail
  JINGBAO_SMTP_PASSWORD=... jingbao init --yes --address a@example.org --send smtp.example.org:465 /etc/jingbao/config.yaml
"""


@click.command(help=HELP)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--address", default="", help="The reader's mail address.")
@click.option("--language", default="", help="Of the mails' own words: en or zh.")
@click.option("--zone", default="", help="The reader's time zone, as Asia/Shanghai.")
@click.option("--send", default="", metavar="WAY", help="A provider, a mail server HOST[:PORT], sendmail, api or folder.")
@click.option("--security", default="", help="Of a mail server: starttls, tls or none.")
@click.option("--user", default="", help="Who signs in to the mail server; the password: $JINGBAO_SMTP_PASSWORD.")
@click.option("--client-id", default="", help="Of the application that signs in to Microsoft's mail.")
@click.option("--tenant", default="", help="Its directory: a domain, or consumers.")
@click.option("--sender", default="", help="The sender's address.")
@click.option("--location", default="", help="auto, outside or mainland (of China).")
@click.option("--contact", default="", help="A mail address or page, sent with every request.")
@click.option("--yes", is_flag=True, help="Ask nothing: defaults for all that is not given.")
@click.option("--force", is_flag=True, help="Even if there is such a file: it gets the new answers, and is kept as .bak.")
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
    look_beside(path)
    before = what_is_there(path)
    if path.exists() and not before.own:
        talk.print(plain(words.begun_anew.format(path=path), "yellow"), soft_wrap=True)
    asks = sys.stdin.isatty() and not yes
    try:
        answers = Interview(Given(**given), words, language, path.resolve().parent, before, asks=asks).answers()
    except (click.Abort, KeyboardInterrupt) as leaving:
        talk.print(plain(f"\n{words.left}"), soft_wrap=True)
        raise click.Abort from leaving
    kept = write(path, answers, before.text, force=force)
    _conclude(path, answers, kept, words)
    return 0


def _conclude(path: Path, answers: Answers, kept: Path | None, words: InitWords) -> None:
    settings = load_settings(path)
    told = {
        "path": path,
        "sources": len(settings.sources),
        "rules": sum(rule.enabled for rule in settings.config.rules),
        "address": answers.addresses[0],
        "way": _way(settings.config, words),
    }
    out.print()
    out.print(plain(words.written.format(**told), "bold"), soft_wrap=True)
    if kept:
        out.print(plain(words.kept.format(path=kept)), soft_wrap=True)
    if answers.secrets:
        out.print(plain(words.secrets.format(folder=path.parent / SECRETS)), soft_wrap=True)
    if answers.addresses[0] == PLACEHOLDER:
        out.print(plain(words.placeholder.format(path=path), "yellow"), soft_wrap=True)
    for note in answers.notes:
        out.print(plain(words.note.format(note=note), "yellow"), soft_wrap=True)
    named = "" if path.name == "config.yaml" and path.resolve().parent == Path.cwd() else f" --config {path}"
    out.print(plain(words.next_steps.format(command=f"jingbao{named} run")), soft_wrap=True)


def _way(config: Config, words: InitWords) -> str:
    """How mails leave, in the person's language."""
    mail = config.mail
    if mail.smtp is not None:
        return words.by["smtp"].format(host=mail.smtp.host, port=mail.smtp.port)
    if mail.sendmail:
        return words.by["sendmail"].format(program=mail.sendmail)
    if mail.api is not None:
        return words.by["api"].format(name=mail.api.url_env)
    return words.by["folder"].format(folder=mail_folder(config))
