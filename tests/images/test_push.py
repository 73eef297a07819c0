"""An image goes to a real registry under its full name, and is there what was built."""

import json
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

TAG = "pushed-1"


@pytest.fixture
def registry(tmp_path):
    """Yield the address of a registry on this machine."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    assert program, "no registry on PATH: apt-get install docker-registry"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    config.write_text(json.dumps({
        "version": 0.1, "log": {"level": "error"}, "http": {"addr": address},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "images")}}}))
    server = subprocess.Popen([program, "serve", str(config)])
    try:
        yield ready(address)
    finally:
        server.terminate()
        server.wait(20)


def ready(address):
    ends = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
            return address
        except OSError:
            assert time.monotonic() < ends, "the registry does not answer"
            time.sleep(0.05)


def test_pushed_image_is_in_the_registry_with_its_labels(registry):
    reference = f"{registry}/tollgate/calculator:{TAG}"
    made = subprocess.run(["make", "push", "fn=calculator", f"image={reference}"], text=True,
                          capture_output=True, timeout=600, check=False)
    assert made.returncode == 0, made.stdout + made.stderr

    with urllib.request.urlopen(f"http://{registry}/v2/tollgate/calculator/tags/list") as answer:
        assert json.load(answer)["tags"] == [TAG]
    inspected = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", f"docker://{reference}"],
        text=True, capture_output=True, check=True, timeout=60)
    labels = json.loads(inspected.stdout)["Labels"]
    assert labels["org.opencontainers.image.title"] == "tollgate/calculator"


def test_image_is_written_to_a_file(tmp_path):
    made = subprocess.run(["make", "image", "fn=calculator", "tag=filed",
                           f"out={tmp_path / 'calculator.tar'}"], text=True, capture_output=True,
                          timeout=600, check=False)

    assert made.returncode == 0, made.stdout + made.stderr
    assert (tmp_path / "calculator.tar").stat().st_size > 2**20


def test_reference_without_a_version_is_not_pushed():
    made = subprocess.run(["make", "push", "fn=calculator", "image=registry.example/calculator"],
                          text=True, capture_output=True, timeout=120, check=False)

    assert made.returncode != 0
    assert "names no fixed version" in made.stderr
