"""The booklet as one HTML file: no script, nothing fetched from anywhere, the same bytes for the same figures."""

from __future__ import annotations

from importlib import resources

from streams.errors import SetupError
from streams.report.bulletin.booklet import Booklet
from streams.report.bulletin.pictures import picture
from streams.report.bulletin.words import Words

FONT = "Liberation Sans, Arial, DejaVu Sans, sans-serif"


def html(booklet: Booklet, say: Words) -> bytes:
    """Returns the file.

    Raises:
        SetupError: a library it needs is not installed.
    """
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise SetupError(f"{error.name} is not installed; the booklet needs it.", "Install shekara[bulletin].") from error
    pages = Environment(
        loader=PackageLoader("streams.report.bulletin", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pictures = {section.name: Markup(picture(section, say, FONT)) for section in booklet.sections}  # noqa: S704  # our own drawing
    style = resources.files("streams.report.bulletin").joinpath("templates", "bulletin.css").read_text(encoding="utf-8")
    text = pages.get_template("bulletin.html").render(booklet=booklet, say=say, pictures=pictures, style=Markup(style))  # noqa: S704
    return text.encode()
