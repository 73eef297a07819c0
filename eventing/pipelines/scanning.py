"""Scans what an image contains for known vulnerabilities, by the scanner that is installed.

The scan reads the list of contents (SBOM) that goes into the image: it needs no image and no
container engine, and finds what the locked versions have.
"""

import os
import shutil
import subprocess
from pathlib import Path

from eventing.pipelines.errors import PipelineFault

SCANNERS = {
    "grype": ("--fail-on", "high", "sbom:{sbom}"),
    "trivy": ("sbom", "--exit-code", "1", "--severity", "HIGH,CRITICAL", "{sbom}"),
    "osv-scanner": ("scan", "--sbom", "{sbom}"),
}
"""Each ends with another code than 0 when it finds something of high severity."""


def scan(sbom: Path) -> str:
    """Run the first scanner found, or $SCANNER; return its name when it finds nothing.

    Raises:
        PipelineFault: no scanner is installed, or it found something, or it failed.
    """
    program = os.environ.get("SCANNER") or next(filter(None, map(shutil.which, SCANNERS)), "")
    name = Path(program).name
    if name not in SCANNERS:
        raise PipelineFault(f"nothing here scans images: install {', '.join(SCANNERS)}, or let "
                            "SCANNER name one. An image that nobody scanned is not delivered.")
    arguments = [part.format(sbom=sbom) for part in SCANNERS[name]]
    code = subprocess.run([program, *arguments], check=False).returncode  # noqa: S603
    if code:
        raise PipelineFault(f"{name} ended with {code}: see above what it found")
    return name
