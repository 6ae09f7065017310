"""The charset of a page, found as browsers find it: by byte order mark, header, then what the page says of itself.

Names as the WHATWG's Encoding Standard has them (section 4.2), where a few mean more than they say.
"""

from __future__ import annotations

import codecs
import re

#: A page says its charset near its beginning; browsers take it also beyond the 1024 bytes of HTML, 13.2.3.2.
_BEGINNING = 65536
#: Nothing in a comment counts; one without an end goes on to the end.
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_XML = re.compile(rb"""\s{0,20}<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([-\w:.]{1,40})""")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(rb"""<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([-\w:.]{1,40})""", re.IGNORECASE)
_SAID = re.compile(r"""charset\s*=\s*["']?\s*([-\w:.]{1,40})""", re.IGNORECASE)

_MEANT = {
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "l1", "us-ascii", "ascii", "windows-1252", "cp1252"), "cp1252"),
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk", "x-gbk", "gb18030", "chinese"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601", "windows-949", "korean"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5", "cn-big5"), "big5hkscs"),
    **dict.fromkeys(("iso-8859-9", "latin5", "windows-1254"), "cp1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620", "windows-874"), "cp874"),
    **dict.fromkeys(("utf-16", "utf-16le", "unicode"), "utf-16-le"),
    **dict.fromkeys(("koi8-r", "koi8"), "koi8-r"),
    **dict.fromkeys(("macintosh", "x-mac-roman", "mac"), "mac-roman"),
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    "utf-16be": "utf-16-be",
    "x-mac-cyrillic": "mac-cyrillic",
}
#: These are called the same by Python, which knows many that are no charsets of texts.
_SAME = re.compile(r"iso-8859-(?:[2-8]|10|13|14|15|16)|windows-125[0-8]|euc-jp|iso-2022-jp|koi8-u|ibm866")


def decoded(body: bytes, content_type: str) -> str:
    """A body as text; UTF-8 where nobody says what it is. What is no text of its charset becomes U+FFFD."""
    for bom, codec in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(codec, "replace")
    beginning = _COMMENT.sub(b"", body[:_BEGINNING])
    said, meta = _SAID.search(content_type), _XML.match(beginning) or _META.search(beginning)
    codec = (said and _codec(said[1])) or (meta and _codec(meta[1].decode("ascii", "replace"))) or "utf-8"
    if said is None and meta is not None and codec.startswith("utf-16"):
        codec = "utf-8"  # who could read that was not reading UTF-16
    return body.decode(codec, "replace")


def _codec(label: str) -> str | None:
    label = label.lower()
    return _MEANT.get(label) or (label if _SAME.fullmatch(label) else None)
