import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.aaa.authenticators.strict_xml import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    StrictXmlError,
    elements,
)

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l "ha">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "&l;" * 10}">' for n in range(9))
    + "]><a>&l8;</a>"
)
HOSTILE = {
    "an external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "a billion laughs": LAUGHS,
    "a bare document type": "<!DOCTYPE a><a/>",
    "an external document type": '<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>',
    "a parameter entity": '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://192.0.2.1/p">%p;]><a/>',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_document_types_are_refused_in_every_encoding(kind, encoding):
    with pytest.raises(StrictXmlError, match="document type"):
        elements(HOSTILE[kind].encode(encoding))
    with pytest.raises(StrictXmlError, match="document type"):
        elements(HOSTILE[kind])


@pytest.mark.parametrize("text", ["", "<a>", "</a>", "<a/><b/>", "a", "<a>&x;</a>", "<a b=c/>"])
def test_what_is_no_xml_is_refused(text):
    with pytest.raises(StrictXmlError, match="not well-formed"):
        elements(text)


def test_elements_are_told_with_namespace_depth_attributes_and_text():
    found = elements('<c:a xmlns:c="urn:x" k="v"> one <b>&lt;two&gt;</b> three </c:a>')
    assert [(one.name, one.depth, one.text) for one in found] == [
        ("{urn:x}a", 0, "one  three"),
        ("b", 1, "<two>"),
    ]
    assert found[0].attributes == {"k": "v"}


def test_depth_and_number_have_limits():
    deep = "<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH
    assert len(elements(deep)) == MAX_DEPTH
    with pytest.raises(StrictXmlError, match="too deep"):
        elements("<b>" + deep + "</b>")
    many = "<b/>" * (MAX_ELEMENTS - 1)
    assert len(elements(f"<a>{many}</a>")) == MAX_ELEMENTS
    with pytest.raises(StrictXmlError, match="too many"):
        elements(f"<a>{many}<b/></a>")


@given(
    st.one_of(st.binary(max_size=300), st.text(alphabet="<>/!a&;[]?DOCTYPE \"'=\0é", max_size=80))
)
def test_nothing_else_ever_comes_out(document):
    try:
        found = elements(document)
    except StrictXmlError:
        return
    assert found[0].depth == 0
