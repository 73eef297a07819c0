"""Reads documents from a folder or the web."""

import asyncio
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import Field

from functions.tools.declare import Context, Price, ToolError, tool
from functions.tools.reader.fetch import from_folder, from_web
from functions.tools.reader.settings import ReaderSettings
from functions.tools.reader.table import Table, table
from functions.tools.reader.text import Text, page
from shared.limits import DOCUMENT_ROWS_MAX

Kind = Literal["text", "csv", "markdown", "html"]
_SUFFIXES: dict[str, Kind] = {".csv": "csv", ".tsv": "csv", ".md": "markdown", ".htm": "html",
                              ".markdown": "markdown", ".html": "html"}
_CONTENT_TYPES: dict[str, Kind] = {"text/csv": "csv", "text/markdown": "markdown",
                                   "text/html": "html", "application/xhtml+xml": "html"}


@tool(version="1.0.0", idempotent=True, price=Price.free(), timeout_s=30)
async def read(  # noqa: PLR0913 - the parameters are the contract
    context: Context[ReaderSettings], *,
    path: Annotated[str | None, Field(
        max_length=512, description="A file of the documents folder; or give url.")] = None,
    url: Annotated[str | None, Field(
        max_length=2048, description="An http or https address; or give path.")] = None,
    format: Annotated[Kind | None, Field(  # noqa: A002 - the name a model expects
        description="Only if the name does not say it.")] = None,
    section: Annotated[str | None, Field(
        max_length=256, description="Markdown: only the section of this heading.")] = None,
    group_by: Annotated[str | None, Field(
        max_length=256, description="CSV: sums per value of this column.")] = None,
    columns: Annotated[list[str], Field(
        max_length=64, description="CSV: only these columns.")] = [],  # noqa: B006 - never changed
    offset: Annotated[int, Field(ge=0, description="First row (CSV) or character (text).")] = 0,
    limit: Annotated[int, Field(
        ge=0, le=DOCUMENT_ROWS_MAX, description="CSV: how many rows to show.")] = 0,
) -> Table | Text:
    """Read a document: text, Markdown, HTML, or CSV.

    A CSV file comes as an exact profile (rows; per column filled, distinct, sum, min, max; sums
    per group), so there is no need to read its rows to add them up. Long texts come in pages.

    Raises:
        ToolError: the document cannot be read; the message says why.
    """
    if (path is None) == (url is None):
        raise ToolError("give either path or url")
    if path is not None:
        body = await asyncio.to_thread(from_folder, context.settings.root, path)
        kind = format or _SUFFIXES.get(PurePath(path).suffix.lower(), "text")
    else:
        body, content_type = await from_web(
            str(url), is_private_allowed=context.settings.is_private_allowed)
        kind = format or _kind(str(url), content_type)
    text = _decoded(body)
    if kind == "csv":
        return await asyncio.to_thread(table, text, group_by=group_by, columns=columns,
                                       offset=offset, limit=limit)
    return await asyncio.to_thread(page, kind, text, section=section, offset=offset)


def _kind(url: str, content_type: str) -> Kind:
    suffix = PurePath(url.partition("?")[0]).suffix.lower()
    named = _CONTENT_TYPES.get(content_type.partition(";")[0].strip().lower())
    return named or _SUFFIXES.get(suffix, "text")


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ToolError("the document is not text in UTF-8") from error
