"""What pages load beside themselves: our style and script, and the chart library of a package.

Names hold a checksum of the content, so browsers keep the files for good. The library is uPlot;
browsers check it against what its authors published, whoever packed it.
"""

import gzip
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha384
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from shared.errors import NotFound

UPLOT = {
    "uplot.js": "XMP23k7YSCFr13Xrkxh4IO0v1W+8fB6AP+3Vycxphp2Z0V2vocAZHyuGaFCysrtM",
    "uplot.css": "IfV0B7MIOYuO95kO9G5ySKPz/85zqFNOAs8iy4tkK5zd9izhJAB8b7lHrwYqqmYE",
}
"""SHA-384 of uPlot 1.6.31's `uPlot.iife.min.js` and `uPlot.min.css`."""

KEPT = "public, max-age=31536000, immutable"
TYPES = {"js": "text/javascript", "css": "text/css"}
_HERE = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as a page names it."""

    path: str
    integrity: str


@cache
def listed() -> Mapping[str, Asset]:
    """Return every asset by its plain name; the library's files are not read for it."""
    sums = {**UPLOT, **{name: checksum((_HERE / name).read_bytes())
                        for name in ("style.css", "app.js", "charts.js")}}
    return {name: Asset(f"/assets/{_tag(digest)}/{name}", f"sha384-{digest}")
            for name, digest in sums.items()}


async def served(request: Request) -> Response:
    """`GET /assets/{tag}/{name}`: the file, compressed where the browser takes it so.

    Raises:
        NotFound: there is no such file.
    """
    name = request.path_params["name"]
    if name not in listed():
        raise NotFound(f"no file {name!r}")
    headers = {"cache-control": KEPT, "x-content-type-options": "nosniff",
               "vary": "accept-encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(content(name), media_type=_type(name), headers=headers)
    return Response(_packed(name), media_type=_type(name),
                    headers={**headers, "content-encoding": "gzip"})


@cache
def content(name: str) -> bytes:
    """Return an asset's bytes."""
    if name in UPLOT:
        from youplot import vendor  # 36 ms that only a browser's first visit pays

        read: Callable[[], str] = vendor.uplot_js if name == "uplot.js" else vendor.uplot_css
        return read().encode()
    return (_HERE / name).read_bytes()


def checksum(data: bytes) -> str:
    """Return the SHA-384 of the bytes in base64, as subresource integrity has it."""
    return b64encode(sha384(data).digest()).decode()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(content(name), compresslevel=9, mtime=0)


def _tag(digest: str) -> str:
    return "".join(letter for letter in digest[:16] if letter.isalnum())


def _type(name: str) -> str:
    return TYPES[name.rpartition(".")[2]]
