"""The table of documents and that of a document's students: sorted and filtered. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from eop import collation
from eop.documents.store import Document, Student

SORTS = ("given", "reference", "class")
STATES = ("collect", "return", "hidden", "trouble", "done")
STUDENT_SORTS = ("trouble", "name", "placed", "opened", "collected", "returned")
STUDENT_STATES = ("trouble", "unopened", "uncollected", "collected", "returned")


@dataclass(frozen=True)
class Wanted:
    """How a table is wanted; the sort begins with `-` where it is reversed."""

    sort: str = ""
    state: str = ""
    class_name: str = ""
    text: str = ""

    @property
    def by(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_reversed(self) -> bool:
        return self.sort.startswith("-")


def state_of(document: Document, now_ms: int) -> str:
    """Which of `STATES` a document is in; the first that fits."""
    if document.counts.troubles:
        return "trouble"
    if document.hidden_until is not None and document.hidden_until > now_ms:
        return "hidden"
    return document.next_step or "done"


def documents(
    found: Iterable[Document], wanted: Wanted, now_ms: int, language: str
) -> list[Document]:
    """The documents that are wanted, in that order; the newest first where none is said."""
    text = collation.fold(wanted.text)
    kept = [
        one
        for one in found
        if (not wanted.class_name or one.class_name == wanted.class_name)
        and (not wanted.state or _is_in(one, wanted.state, now_ms))
        and text in collation.fold(one.reference)
    ]
    if wanted.by == "given" or wanted.by not in SORTS:
        return sorted(kept, key=lambda one: one.created_at, reverse=wanted.sort != "given")
    column = {"reference": "reference", "class": "class_name"}[wanted.by]
    return sorted(
        kept,
        key=lambda one: collation.key(getattr(one, column), language),
        reverse=wanted.is_reversed,
    )


def _is_in(document: Document, state: str, now_ms: int) -> bool:
    """`collect` and `return` also where something failed at a few."""
    return state in (state_of(document, now_ms), document.next_step)


def students(found: Iterable[Student], wanted: Wanted, language: str) -> list[Student]:
    """The students that are wanted; where no order is said, those in trouble or late first."""
    text = collation.fold(wanted.text)
    kept = [
        one
        for one in found
        if text in collation.fold(f"{one.name} {one.login}")
        and (not wanted.state or _fits(one, wanted.state))
    ]
    kept.sort(key=lambda one: collation.key(one.name, language))
    if wanted.by == "name":
        return kept[::-1] if wanted.is_reversed else kept
    if wanted.by in STUDENT_SORTS[2:]:
        column = f"{wanted.by}_at"
        return sorted(kept, key=lambda one: getattr(one, column) or 0, reverse=wanted.is_reversed)
    return sorted(kept, key=_rank)


def _fits(student: Student, state: str) -> bool:
    return {
        "trouble": student.trouble is not None,
        "unopened": student.placed_at is not None and student.opened_at is None,
        "uncollected": student.collected_at is None,
        "collected": student.collected_at is not None,
        "returned": student.returned_at is not None,
    }.get(state, True)


def _rank(student: Student) -> int:
    """The worst first."""
    if student.trouble:
        return 0
    moments = (student.placed_at, student.opened_at, student.collected_at, student.returned_at)
    return 1 + sum(moment is not None for moment in moments)
