"""The tones of the light and the dark look, and the style made from them.

What is slow to import (the Qt namespace with all its enums, package resources) is imported after the first paint.
"""

from __future__ import annotations

from string import Template
from typing import NamedTuple

from PySide6.QtGui import QColor, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication


class Colours(NamedTuple):
    """One look. Every tone of a state has its shape as well (see shapes.py)."""

    background: str
    panel: str
    line: str
    text: str
    muted: str
    healthy: str
    degraded: str
    down: str
    accent: str
    idle: str
    planned: str
    selected: str
    hover: str
    caution: str
    alarm: str
    on_accent: str
    on_down: str


LIGHT = Colours(
    background="#f6f7f9",
    panel="#ffffff",
    line="#e2e5ea",
    text="#1b2230",
    muted="#5f6a7d",
    healthy="#17845b",
    degraded="#b5700b",
    down="#c43a34",
    accent="#2b62d9",
    idle="#b6bdc9",
    planned="#6d55b8",
    selected="#e8effd",
    hover="#f0f2f6",
    caution="#fdf1de",
    alarm="#fbe9e8",
    on_accent="#ffffff",
    on_down="#ffffff",
)
DARK = Colours(
    background="#15181e",
    panel="#1d2129",
    line="#2f3541",
    text="#e8ebf1",
    muted="#98a2b3",
    healthy="#3fbf8a",
    degraded="#e3a23a",
    down="#f0736b",
    accent="#6f9bff",
    idle="#4a5261",
    planned="#a893f0",
    selected="#1e2b4a",
    hover="#252a34",
    caution="#3a2d16",
    alarm="#3f1f1f",
    on_accent="#10141c",
    on_down="#1a0f0e",
)


def colours() -> Colours:
    """The look in use, told from the application's palette."""
    return DARK if _is_dark(QGuiApplication.palette()) else LIGHT


def wanted() -> Colours:
    """The look that the desktop asks for; where it does not say, the one that its own palette suggests."""
    from PySide6.QtCore import Qt

    scheme = QGuiApplication.styleHints().colorScheme()
    if scheme is Qt.ColorScheme.Unknown:
        return DARK if _is_dark(QGuiApplication.palette()) else LIGHT
    return DARK if scheme is Qt.ColorScheme.Dark else LIGHT


def use(tones: Colours) -> None:
    """Puts the whole application into this look; every widget repaints itself."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    application.setPalette(palette(tones))
    application.setStyleSheet(_style_sheet(tones))


def _is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorRole.Window).lightness() < 128


def text_size() -> int:
    """The height of plain text in pixels: 13, or more where the desktop has larger text."""
    return max(13, QFontInfo(QGuiApplication.font()).pixelSize())


def palette(tones: Colours) -> QPalette:
    """The look as Qt's own palette, which does without the style sheet."""
    role = QPalette.ColorRole
    made = QPalette(QColor(tones.panel), QColor(tones.background))
    for which, tone in (
        (role.WindowText, tones.text),
        (role.Base, tones.panel),
        (role.AlternateBase, tones.background),
        (role.Text, tones.text),
        (role.Button, tones.panel),
        (role.ButtonText, tones.text),
        (role.ToolTipBase, tones.panel),
        (role.ToolTipText, tones.text),
        (role.PlaceholderText, tones.muted),
        (role.Highlight, tones.accent),
        (role.HighlightedText, tones.on_accent),
        (role.Link, tones.accent),
        (role.Accent, tones.accent),
    ):
        made.setColor(which, QColor(tone))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(tones.muted))
    return made


def _style_sheet(tones: Colours) -> str:
    from importlib.resources import files

    size = text_size()
    resources = files("changeover") / "resources"
    template = Template((resources / "style.qss").read_text(encoding="utf-8"))
    icons = str(resources / "icons").replace("\\", "/")
    return template.substitute(tones._asdict(), size=size, small=size - 1, title=size + 7, icons=icons)
