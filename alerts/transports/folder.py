"""Mails kept as files, for who has no mail server yet."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import TryLaterError

if TYPE_CHECKING:
    from alerts.transport import Parcel


@dataclass(frozen=True, slots=True)
class FolderTransport:
    """Keeps messages as `<time>-<number>.eml`, with the HTML part beside it for a browser.

    Names come from time and number alone, never from titles. A message sent twice overwrites itself.
    """

    folder: Path

    async def send(self, parcel: Parcel) -> None:
        """Write both files, each whole or not at all. Raises TryLaterError if the folder cannot be written."""
        try:
            await asyncio.to_thread(self._write, parcel)
        except OSError as error:
            raise TryLaterError(f"the mail folder {self.folder} cannot be written: {error.strerror or error}") from error

    def file_of(self, parcel: Parcel) -> Path:
        """Where a message is kept."""
        return self.folder / f"{parcel.created.astimezone(UTC):%Y%m%dT%H%M%SZ}-{parcel.number:06}.eml"

    def _write(self, parcel: Parcel) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.file_of(parcel)
        html = message_from_bytes(parcel.content, policy=policy.default).get_body(("html",))
        if html is not None:
            _write_whole(file.with_suffix(".html"), html.get_content().encode())
        _write_whole(file, parcel.content)


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
