"""The bill of materials of an image: CycloneDX 1.5, made from what was staged."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from eventing.images.closure import ROOT

FILE = "/app/sbom.cdx.json"
"""Where an image has its bill."""


def bill(function: str, folders: Iterable[Path], files: Iterable[Path]) -> str:
    """Return the bill as JSON: packages found in the folders, and the project's own files.

    Equal content gives an equal text: no time, no serial number.
    """
    found = distributions(path=[str(folder) for folder in folders])
    components = [_library(each) for each in found] + [_own(file) for file in files]
    return json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": function, "group": "tollgate", "name": function,
            "version": version("tollgate")}},
        "components": sorted(components, key=lambda c: c["bom-ref"]),
    }, indent=1, sort_keys=True) + "\n"


def _library(found: Distribution) -> dict[str, Any]:
    name = canonicalize_name(found.metadata["Name"])
    purl = f"pkg:pypi/{name}@{found.version}"
    component = {"type": "library", "bom-ref": purl, "purl": purl, "name": name,
                 "version": found.version}
    licenses = list(_licenses(found))
    return component | ({"licenses": licenses} if licenses else {})


def _licenses(found: Distribution) -> Iterator[dict[str, Any]]:
    """Yield what the package declares: an SPDX expression, else its classifiers."""
    declared = found.metadata.get_all("License-Expression")
    if declared:
        yield {"expression": declared[0]}
        return
    for line in found.metadata.get_all("Classifier") or ():
        if line.startswith("License :: ") and line.count("::") > 1:
            yield {"license": {"name": line.rpartition(":: ")[2]}}


def _own(file: Path) -> dict[str, Any]:
    content = hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
    return {"type": "file", "bom-ref": f"file:{file}", "name": file.as_posix(),
            "hashes": [{"alg": "SHA-256", "content": content}]}
