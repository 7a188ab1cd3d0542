"""What was measured, on the terminal and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass
class Report:
    """Collects tables and claims; each is shown as it comes and written to `file`."""

    file: Path
    out: Console = field(default_factory=lambda: Console(highlight=False))
    broken: list[str] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Open a part."""
        self.out.rule(f"[bold]{text}")
        self._write(f"## {text}\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Show a table; the first column is text, the others are figures."""
        shown = Table(*columns, box=None, pad_edge=False)
        for column in shown.columns[1:]:
            column.justify = "right"
        for row in rows:
            shown.add_row(*(str(cell) for cell in row))
        self.out.print(shown)
        lines = [_line(columns), _line(["---", *["---:"] * (len(columns) - 1)]), *(_line(row) for row in rows)]
        self._write("\n".join(lines) + "\n")

    def figures(self, values: Mapping[str, object]) -> None:
        """Show single figures with their names."""
        self.table(("figure", "value"), list(values.items()))

    def claim(self, text: str, *, holds: bool) -> None:
        """State something that must hold; one that does not makes the exit code 1."""
        self.out.print(f"[bold green]holds:[/] {text}" if holds else f"[bold red]does not hold:[/] {text}")
        self._write(f"- {'holds' if holds else '**does not hold**'}: {text}\n")
        if not holds:
            self.broken.append(text)

    def note(self, text: str) -> None:
        """A line of talk, not kept."""
        self.out.print(text, style="dim", markup=False, soft_wrap=True)

    def conclude(self) -> int:
        """Say where the report is; gives the exit code."""
        self.out.print(f"\nThe report is {self.file}.")
        return 1 if self.broken else 0

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("\n".join(self._parts), encoding="utf-8")


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
