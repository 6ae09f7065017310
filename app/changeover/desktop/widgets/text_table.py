"""A table as one text: hundreds of rows as widgets would take seconds."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QTextBrowser


class TextTable(QTextBrowser):
    """HTML that is as high as it needs to be, and breaks a long name rather than cut it off. No link is opened."""

    def __init__(self, name: str, html: str = "") -> None:
        super().__init__()
        self.setProperty("role", "table")
        self.setAccessibleName(name)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setOpenLinks(False)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(
            lambda size: self.setFixedHeight(ceil(size.height()) + 2)
        )
        self.setHtml(html)
