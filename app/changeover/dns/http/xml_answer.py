"""XML of an API as plain data, for the few that do not speak JSON.

A document with a DOCTYPE is refused, and with that every entity that the document itself would declare: those that
name files and addresses, and those that grow without end. No API needs one. That is also what the package defusedxml
does; with the parser of the standard library it takes one line.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from xml.parsers import expat

#: Elements within each other. Answers of an API have ten or so.
_DEEPEST = 32
_CHUNK = 65536


class BadXml(ValueError):
    """The text is no XML that an API sends."""


def read_xml(content: bytes, lists: Collection[str]) -> Any:
    """What is within the outermost element.

    An element is its text; or where it has others within, an object of these by their names; or where its own name is
    one of `lists`, a list of them. Attributes, and texts between elements, are left out. BadXml where that cannot be.
    """
    above: list[list[tuple[str, Any]]] = [[]]
    texts: list[list[str]] = [[]]

    def start(name: str, _: dict[str, str]) -> None:
        if len(above) > _DEEPEST:
            raise BadXml("elements are nested too deeply")
        above.append([])
        texts.append([])

    def end(name: str) -> None:
        within, text = above.pop(), "".join(texts.pop())
        if name in lists:
            value: Any = [one for _, one in within]
        else:
            value = dict(within) if within else text
        above[-1].append((name, value))

    def doctype(*_: object) -> None:
        raise BadXml("it has a DOCTYPE")

    # UTF-8, whatever other encoding the document claims to have.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    parser.StartDoctypeDeclHandler = doctype
    try:
        # After a handler's refusal the parser reads its chunk to the end, and no further.
        for place in range(0, len(content), _CHUNK):
            parser.Parse(content[place : place + _CHUNK], False)
        parser.Parse(b"", True)
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise BadXml(f"it is no XML: {error}") from None
    return above[0][0][1]
