"""Gets the bytes of a document from the documents' folder or from the web, within limits."""

import asyncio
import os
import stat
from pathlib import Path

import httpx2

from functions.tools.declare import ToolError
from functions.tools.outside import Target, checked, client_for
from shared.limits import DOCUMENT_BYTES_MAX, DOCUMENT_REDIRECTS_MAX, DOCUMENT_TIMEOUT_S


def from_folder(root: str, path: str) -> bytes:
    """Return a file below `root`, whatever links and dots the path has.

    Raises:
        ToolError: the file is outside, missing, too large, or no regular file.
    """
    if not root:
        raise ToolError("no documents folder is configured (READER_ROOT): use url")
    folder = Path(root).resolve()
    try:
        inside = (folder / path).resolve(strict=True).relative_to(folder)
        return _opened(folder, inside)
    except (OSError, ValueError) as error:
        raise ToolError(f"there is no file {path!r} in the documents folder") from error


async def from_web(url: str, *, is_private_allowed: bool) -> tuple[bytes, str]:
    """Return the body and the content type of a web address, redirects followed.

    Raises:
        ToolError: the address is not allowed, does not answer well in time, or sends too much.
    """
    try:
        async with asyncio.timeout(DOCUMENT_TIMEOUT_S):
            return await _followed(url, is_private_allowed)
    except TimeoutError as error:
        raise ToolError(f"{url} took longer than {DOCUMENT_TIMEOUT_S:g} s") from error
    except httpx2.HTTPError as error:
        raise ToolError(f"{url}: {type(error).__name__}: {error}") from error


def _opened(folder: Path, inside: Path) -> bytes:
    """Read the file by a walk that follows no link, in case one was put there just now."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for part in inside.parts:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("no regular file")
        return _limited(file.read(DOCUMENT_BYTES_MAX + 1), str(inside))


async def _followed(url: str, is_private_allowed: bool) -> tuple[bytes, str]:
    for _ in range(DOCUMENT_REDIRECTS_MAX + 1):
        target = await checked(url, is_private_allowed=is_private_allowed)
        body, content_type, location = await _got(target)
        if not location:
            return body, content_type
        url = str(target.url.join(location))
    raise ToolError(f"more than {DOCUMENT_REDIRECTS_MAX} redirects")


async def _got(target: Target) -> tuple[bytes, str, str]:
    """Return body, content type and, after a redirect, where it leads."""
    client = client_for(target)
    request = target.request(client, "GET", DOCUMENT_TIMEOUT_S,
                             headers={"accept-encoding": "identity"})
    answer = await client.send(request, stream=True)
    try:
        if answer.has_redirect_location:
            return b"", "", answer.headers["location"]
        if not answer.is_success:
            raise ToolError(f"{target.url} answered {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            _limited(body, str(target.url))
        return bytes(body), answer.headers.get("content-type", ""), ""
    finally:
        await answer.aclose()


def _limited(body: bytes | bytearray, name: str) -> bytes:
    if len(body) > DOCUMENT_BYTES_MAX:
        raise ToolError(f"{name} has more than {DOCUMENT_BYTES_MAX} bytes")
    return bytes(body) if isinstance(body, bytearray) else body
