"""Turns text, Markdown and HTML into pages of text."""

import re
from html.parser import HTMLParser

from pydantic import BaseModel

from functions.tools.declare import ToolError
from shared.limits import DOCUMENT_PAGE_CHARS_MAX

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HIDDEN = frozenset({"script", "style", "template", "noscript", "svg"})
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table",
                     "section", "article", "header", "footer", "pre", "title"})


class Text(BaseModel):
    """A page of a text."""

    kind: str
    """text, markdown or html"""
    characters: int
    """Of the whole text, or of the section that was asked for."""
    sections: list[str]
    """Headings of a Markdown text."""
    text: str
    next_offset: int | None
    """Where the next page begins, if there is one."""


def page(kind: str, text: str, *, section: str | None, offset: int) -> Text:
    """Return a page of at most `DOCUMENT_PAGE_CHARS_MAX` characters.

    Raises:
        ToolError: the section does not exist, or the offset is beyond the end.
    """
    plain = _visible(text) if kind == "html" else text
    headings = _headings(plain) if kind == "markdown" else []
    if section is not None:
        plain = _section(plain, headings, section)
    if offset and offset >= len(plain):
        raise ToolError(f"offset {offset} is beyond the end: {len(plain)} characters")
    end = offset + DOCUMENT_PAGE_CHARS_MAX
    return Text(kind=kind, characters=len(plain), sections=[h[1] for h in headings],
                text=plain[offset:end], next_offset=end if end < len(plain) else None)


def _headings(text: str) -> list[tuple[int, str, int]]:
    """Return level, title and position of every heading outside code blocks."""
    hidden = [match.span() for match in _FENCE.finditer(text)]
    return [(len(m[1]), m[2], m.start()) for m in _HEADING.finditer(text)
            if not any(start <= m.start() < end for start, end in hidden)]


def _section(text: str, headings: list[tuple[int, str, int]], name: str) -> str:
    """Return the section with its subsections."""
    for at, (level, title, start) in enumerate(headings):
        if title.casefold() == name.casefold():
            ends = (later[2] for later in headings[at + 1:] if later[0] <= level)
            return text[start:next(ends, len(text))].strip()
    known = ", ".join(title for _, title, _ in headings) or "none"
    raise ToolError(f"there is no section {name!r}; sections: {known}")


def _visible(html: str) -> str:
    parser = _Visible()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).splitlines())
    return "\n".join(line for line in lines if line)


class _Visible(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")
