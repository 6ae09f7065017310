"""A secret that does not show itself."""

from __future__ import annotations


class Secret:
    """Holds a credential. Nothing that prints it, logs it or serialises it gives it away; `reveal()` is the one way."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    @property
    def is_blank(self) -> bool:
        """Is there nothing but space?"""
        return not self._text.strip()

    def after(self, text: str) -> Secret:
        """A secret that begins with `text`, such as "Bearer "."""
        return Secret(text + self._text)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")
