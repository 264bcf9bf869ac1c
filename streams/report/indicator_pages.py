"""Pages of the indicators, written from the catalogue: ``python -m streams.report.indicator_pages docs/indicators``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from streams.report.catalogue import THEMES, Indicator, indicators

_INTRODUCTION = """# Indicators

The Concept of migration policy asks for indicators to monitor and evaluate migration; its annex is lost,
so they are defined here.
Each indicator is a view: `shekara sql "SELECT * FROM mart_external_balance"`; `DESCRIBE` says what every column is.

- Views count facts by identity: repeats, late records, corrections and retractions leave nothing behind (ADR 0052).
- "Now" is the log's clock (`core_clock`), so that a replay gives the same answer.
- Cells may be small. Before anything is published it goes through disclosure control (ADR 0110): these views do not.
- `source` tells the Concept's figures from those of events where both stand in one view.

These pages are written from `streams/report/indicators/*.yaml`; edit those, then run
`python -m streams.report.indicator_pages docs/indicators`.
"""


def pages(catalogue: Sequence[Indicator]) -> dict[str, str]:
    """Returns every page by its file name.

    Args:
        catalogue: as ``indicators`` returns it.
    """
    by_theme = {theme: [one for one in catalogue if one.theme == theme] for theme in THEMES}
    index = [_INTRODUCTION]
    for theme, title in THEMES.items():
        index.append(f"## [{title}]({theme}.md)\n\n| indicator | view | unit |\n|---|---|---|")
        index.extend(f"| [{one.title}]({theme}.md#{_anchor(one.title)}) | `{one.view}` | {one.unit} |" for one in by_theme[theme])
        index.append("")
    index.append(f"{len(catalogue)} indicators.\n")
    return {"README.md": "\n".join(index)} | {
        f"{theme}.md": f"# {title}\n\n" + "\n".join(_entry(one) for one in by_theme[theme]) for theme, title in THEMES.items()
    }


def _entry(one: Indicator) -> str:
    rows = [
        ("name", f"`{one.name}`"),
        ("view", f"`{one.view}`"),
        ("numerator", one.numerator),
        ("denominator", one.denominator or "none: a count"),
        ("unit", one.unit),
        ("source events", ", ".join(f"`{event}`" for event in one.source_events)),
        ("caveats", one.caveats or "none known"),
        ("owner", one.owner),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"## {one.title}\n\n{one.definition}\n\n| | |\n|---|---|\n{table}\n"


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def main(directory: Path) -> None:
    """Writes every page into a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in pages(indicators()).items():
        (directory / name).write_text(content, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
