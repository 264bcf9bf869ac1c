"""Tables as pictures: bars, drawn from released figures only. What is not shown in the table is not in the picture either."""

from __future__ import annotations

from typing import Any

from streams.errors import SetupError
from streams.report.bulletin.booklet import Section
from streams.report.bulletin.words import Words

INK = "#1b2226"
SOFT = "#4d5a61"
BAR = "#0b6e7f"
WIDTH = 360
STEP = 38


def picture(section: Section, say: Words, font: str) -> str:
    """Returns a table as an SVG picture; empty if nothing of it can be shown.

    Args:
        section: the table.
        say: writes the figures on the bars.
        font: family of the letters.

    Raises:
        SetupError: the drawing library is not installed.
    """
    shown = [line for line in section.lines if line.people is not None]
    if not shown:
        return ""
    try:
        import altair
        import vl_convert
    except ImportError as error:
        raise SetupError(f"{error.name} is not installed; the pictures need it.", "Install shekara[bulletin].") from error
    data = altair.InlineData(values=[{"name": line.name, "people": line.people, "shown": line.shown} for line in shown])
    most = max(line.people or 0 for line in shown)
    rows = altair.Y("name:N", sort=None, axis=None)
    along = altair.X("people:Q", axis=None, scale=altair.Scale(domain=[0, most * 1.2]))
    # The name stands above its bar: names are long in three languages, and none may be cut off.
    base = altair.Chart(data).encode(y=rows)
    names = base.mark_text(align="left", dy=-9, color=INK, fontSize=13, limit=WIDTH).encode(text="name:N", x=altair.value(0))
    bars = base.mark_bar(color=BAR, height=13, yOffset=9).encode(x=along)
    figures = base.mark_text(align="left", dx=5, dy=9, color=SOFT, fontSize=13).encode(text="shown:N", x=along)
    drawn = altair.layer(names, bars, figures).properties(width=WIDTH, height=altair.Step(STEP), background="transparent")
    drawn = drawn.configure(font=font, padding=2).configure_view(stroke=None)
    specification: dict[str, Any] = drawn.to_dict()
    svg: str = vl_convert.vegalite_to_svg(specification)
    return svg
