"""What the machine itself suggests as answers: the zone of its clock, the language of its user, whether it can send mail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import available_timezones

from core.mail_presets import PRESETS

_SENDMAIL_PLACES = ("/usr/sbin/sendmail", "/usr/lib/sendmail")
# Domains whose mail a provider of the presets carries (their public pages for mail programs).
_PROVIDER_OF_DOMAIN = {
    "gmail.com": "gmail", "googlemail.com": "gmail", "outlook.com": "outlook", "hotmail.com": "outlook", "live.com": "outlook",
    "qq.com": "qq", "foxmail.com": "qq", "163.com": "163", "126.com": "126", "139.com": "139", "sina.com": "sina",
    "aliyun.com": "aliyun", "icloud.com": "icloud", "me.com": "icloud", "yahoo.com": "yahoo", "fastmail.com": "fastmail",
    "zoho.com": "zoho", "yandex.com": "yandex", "gmx.net": "gmx", "gmx.de": "gmx", "proton.me": "proton",
}  # fmt: skip


def local_zone(environment: Mapping[str, str] | None = None, localtime: Path = Path("/etc/localtime")) -> str:
    """The IANA name of the machine's zone: TZ, else where /etc/localtime leads; UTC if neither names one."""
    named = (os.environ if environment is None else environment).get("TZ", "").removeprefix(":")
    linked = str(localtime.resolve()).partition("zoneinfo/")[2] if localtime.is_symlink() else ""
    known = available_timezones()
    return next((zone for zone in (named, linked) if zone in known), "UTC").replace("Etc/UTC", "UTC")


def local_language(environment: Mapping[str, str] | None = None) -> str:
    """`zh` where the user's locale is Chinese, else `en` (POSIX: LC_ALL before LC_MESSAGES before LANG)."""
    given = os.environ if environment is None else environment
    locale = next((given[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if given.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"


def sendmail() -> str:
    """The path of a sendmail program; empty if there is none."""
    found = shutil.which("sendmail")
    return found or next((place for place in _SENDMAIL_PLACES if os.access(place, os.X_OK)), "")


def provider_for(address: str) -> str:
    """The preset of the provider an address belongs to; empty if none is known."""
    preset = _PROVIDER_OF_DOMAIN.get(address.rpartition("@")[2].lower(), "")
    return preset if preset in PRESETS else ""
