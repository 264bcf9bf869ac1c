"""The booklet as PDF, tagged for screen readers: set by Typst with the fonts it carries, so that no machine's fonts matter."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from datetime import datetime
from importlib import resources
from pathlib import Path

from streams.errors import SetupError
from streams.report.bulletin.booklet import Booklet
from streams.report.bulletin.pictures import picture
from streams.report.bulletin.words import Words

FONT = "Libertinus Serif"


def pdf(booklet: Booklet, say: Words, *, dated: datetime) -> bytes:
    """Returns the file.

    Args:
        booklet: what is printed.
        say: its language.
        dated: the date in the file's properties: of the newest record, not of the wall's clock, so that the same figures give
            the same bytes.

    Raises:
        SetupError: Typst is not installed.
    """
    try:
        import typst
    except ImportError as error:
        raise SetupError(
            "typst is not installed; the PDF needs it.", "Install shekara[bulletin], or use --format html."
        ) from error
    words = {key: say(f"booklet.{key}") for key in ("at_a_glance", "facts", "rights", "how", "definition", "silent")}
    words |= {key: say(f"booklet.{key}") for key in ("row", "people", "total", "no_picture", "contents")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = {}
        for section in booklet.sections:
            svg = picture(section, say, FONT)
            drawn[section.name] = {
                "file": f"{section.name}.svg" if svg else "",
                "alt": say("booklet.picture", title=section.title),
            }
            if svg:
                (folder / f"{section.name}.svg").write_text(svg, encoding="utf-8")
        content = {**asdict(booklet), "words": words, "pictures": drawn}
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        source = resources.files("streams.report.bulletin").joinpath("templates", "bulletin.typ").read_text(encoding="utf-8")
        (folder / "bulletin.typ").write_text(source, encoding="utf-8")
        made = typst.compile(
            folder / "bulletin.typ",
            root=folder,
            format="pdf",
            ignore_system_fonts=True,
            timestamp=int(dated.timestamp()),
            pdf_standards=["ua-1"],
        )
    if not isinstance(made, bytes):
        raise TypeError("Typst gave no PDF.")
    return made
