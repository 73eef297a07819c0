"""Which image of each function an environment runs: a file beside its `apps` stack, kept in Git.

One function's delivery changes one line, so that the others stay as they are.
"""

import json
import re
from pathlib import Path

from eventing.images.closure import functions
from eventing.pipelines.errors import PipelineFault

FILE = "images.auto.tfvars.json"
REFERENCE = re.compile(r"[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][\w.-]{0,127}|@sha256:[0-9a-f]{64})")


def pin(environment: str, function: str, image: str, *, folder: Path) -> str | None:
    """Set the image that an environment runs of a function; return the one before it.

    The same again changes nothing. The file is replaced as a whole. `folder` holds environments.

    Raises:
        PipelineFault: an unknown environment or function, or an image without a fixed version.
    """
    _refuse_unknown(environment, function, image, folder)
    file = folder / environment / "apps" / FILE
    images = json.loads(file.read_text())["images"] if file.exists() else {}
    before: str | None = images.get(function)
    if before != image:
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps({"images": images | {function: image}}, indent=2,
                                      sort_keys=True) + "\n")
        partial.replace(file)
    return before


def _refuse_unknown(environment: str, function: str, image: str, folder: Path) -> None:
    known = sorted(path.parent.name for path in folder.glob("*/apps"))
    if environment not in known:
        raise PipelineFault(f"no environment is called {environment!r}: there are "
                            f"{', '.join(known)}")
    if function not in functions():
        raise PipelineFault(f"no function is called {function!r}: there are "
                            f"{', '.join(functions())}")
    refuse_moving(image)


def refuse_moving(image: str) -> None:
    """Return if the reference names one version for ever.

    Raises:
        PipelineFault: it has no tag, or `latest`.
    """
    if not REFERENCE.fullmatch(image) or image.endswith(":latest"):
        raise PipelineFault(f"{image!r} names no fixed version of an image: give "
                            "<registry>/<function>:<tag> with a tag that never moves, or a digest")
