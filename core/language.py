"""The languages jingbao tells apart."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """BCP 47 tags, as stored and shown."""

    ZH_HANS = "zh-Hans"
    ZH_HANT = "zh-Hant"
    EN = "en"
    OTHER = "other"

    @property
    def chinese(self) -> bool:
        """Whether this is Chinese, in either script."""
        return self in {Language.ZH_HANS, Language.ZH_HANT}

    @property
    def press(self) -> str:
        """The press it belongs to: `zh`, `en` or `other`."""
        return "zh" if self.chinese else str(self)
