"""XML that an API sends is read; XML that attacks its reader is not."""

from __future__ import annotations

import pytest

from changeover.dns.http.xml_answer import BadXml, read_xml

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def test_elements_become_data() -> None:
    """Texts, objects and lists; white space between elements does not count, within a text it does."""
    text = b"""<?xml version="1.0"?>
        <Answer xmlns="https://example/"><Things><Thing><Name> a &quot;b&quot; </Name></Thing> <Thing/></Things>
        <Empty/><Others></Others><Many>true</Many></Answer>"""
    assert read_xml(text, ("Things", "Others")) == {
        "Things": [{"Name": ' a "b" '}, ""],
        "Empty": "",
        "Others": [],
        "Many": "true",
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', id="an entity"),
        pytest.param('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>', id="a file"),
        pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', id="another host"),
        pytest.param(f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;</a>', id="a text without end"),
        pytest.param("<!DOCTYPE a><a/>", id="a bare DOCTYPE"),
        pytest.param("<a>&e;</a>", id="an unknown entity"),
        pytest.param("<a>" * 100_000, id="without end"),
        pytest.param("<a>" * 40 + "</a>" * 40, id="deep"),
        pytest.param("", id="nothing"),
        pytest.param("{}", id="JSON"),
        pytest.param("<a/><b/>", id="two"),
        pytest.param("<a>\x00</a>", id="a zero"),
        pytest.param('<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a><', id="another encoding"),
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    """At once, whatever is promised behind it."""
    with pytest.raises(BadXml):
        read_xml(text.encode(), ())
    with pytest.raises(BadXml):
        read_xml(text.encode("utf-16"), ())
