"""The scan runs the scanner that is installed, and lets nothing pass that it does not."""

import pytest

from eventing.pipelines.errors import PipelineFault
from eventing.pipelines.scanning import SCANNERS, scan


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return an empty folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("SCANNER", raising=False)
    return folder


def scanner(path, name, code):
    program = path / name
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> "{path}/calls"\nexit {code}\n')
    program.chmod(0o755)


@pytest.mark.parametrize("name", SCANNERS)
def test_scanner_reads_the_bill_of_contents(path, name):
    scanner(path, name, 0)

    assert scan(path / "sbom.cdx.json") == name
    assert str(path / "sbom.cdx.json") in (path / "calls").read_text()


def test_scanner_may_be_anywhere(path, tmp_path, monkeypatch):
    scanner(tmp_path, "trivy", 0)
    monkeypatch.setenv("SCANNER", str(tmp_path / "trivy"))

    assert scan(path / "sbom.cdx.json") == "trivy"


def test_what_the_scanner_finds_stops_the_delivery(path):
    scanner(path, "grype", 2)

    with pytest.raises(PipelineFault, match="grype ended with 2"):
        scan(path / "sbom.cdx.json")


def test_without_a_scanner_nothing_is_delivered(path):
    assert not list(path.iterdir())

    with pytest.raises(PipelineFault, match="install grype, trivy, osv-scanner"):
        scan(path / "sbom.cdx.json")
