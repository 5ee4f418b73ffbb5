"""XML from elsewhere, read without document types: there are no entities then, nor files. Pure."""

from dataclasses import dataclass, field

# expat itself, told to stop at the first document type: what `defusedxml` does, too
from xml.parsers import expat  # noqa: S407

MAX_DEPTH = 32  # the answers we read have five
MAX_ELEMENTS = 5000  # a person of many groups has some hundred


class StrictXmlError(ValueError):
    """Not well-formed, with a document type, or larger than anything we are sent in earnest."""


@dataclass
class Element:
    """One element: `{namespace}name`, how deep it stands, its attributes, and its own text."""

    name: str
    depth: int
    attributes: dict[str, str]
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()


def elements(document: bytes | str) -> list[Element]:
    """Every element in the order of its beginning; raises `StrictXmlError`.

    Of a `str` the encoding that its declaration names does not matter.
    """
    found: list[Element] = []
    open_ones: list[Element] = []

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(open_ones) >= MAX_DEPTH or len(found) >= MAX_ELEMENTS:
            raise StrictXmlError("too deep or too many elements")
        full = "{" + name if "}" in name else name
        element = Element(full, len(open_ones), attributes)
        found.append(element)
        open_ones.append(element)

    def end(_name: str) -> None:
        open_ones.pop()

    def text(piece: str) -> None:
        if open_ones:
            open_ones[-1].pieces.append(piece)

    def refuse(*_: object) -> None:
        raise StrictXmlError("it has a document type")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError, UnicodeError) as error:
        raise StrictXmlError(f"it is not well-formed: {error}") from error
    return found
