"""Images built for real: what is in them, that they are equal each time, that they run."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import httpx2
import pytest

from eventing.images.base import make_base
from eventing.images.builder import Builder
from eventing.images.closure import ROOT, closure
from eventing.images.making import make_image
from eventing.images.sources import PACKAGES
from eventing.images.surroundings import surroundings

FUNCTION = "calculator"
STARTED_S = 60


@pytest.fixture(scope="session", autouse=True)
def fetched(tmp_path_factory):
    assert shutil.which("buildah"), "buildah is not installed: apt-get install buildah"
    assert shutil.which("apt-get"), "the base image is made from Debian's packages"


def store(folder, monkeypatch):
    """Give buildah a store of its own: nothing is there yet, nothing stays."""
    folder.mkdir()
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "{os.environ.get("STORAGE_DRIVER", "overlay")}"\n'
        f'graphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
    return Builder("buildah")


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """Build a base and an image on it, from nothing."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        builder = store(folder / "store", patch)
        make_base(builder, folder / "base")
        made = make_image(builder, FUNCTION, "test", out=folder / "image.tar")
        yield made
        subprocess.run(["buildah", "rmi", "--all", "--force"], check=True, capture_output=True)


@pytest.fixture(scope="session")
def root(image, tmp_path_factory):
    """Unpack the layers into a folder, base first."""
    folder = tmp_path_factory.mktemp("root")
    folder.chmod(0o755)
    with tarfile.open(image.path) as outer:
        (manifest,) = json.load(outer.extractfile("manifest.json"))
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=outer.extractfile(name)) as layer:
                layer.extractall(folder, filter="fully_trusted")
    return folder


def test_two_builds_from_nothing_give_the_same_bytes(image, tmp_path, monkeypatch):
    builder = store(tmp_path / "store", monkeypatch)
    make_base(builder, tmp_path / "base")

    again = make_image(builder, FUNCTION, "test", out=tmp_path / "again.tar")

    assert again.layers == image.layers
    assert again.config == image.config
    subprocess.run(["buildah", "rmi", "--all", "--force"], check=True, capture_output=True)


def test_image_has_exactly_the_files_of_the_closure(root):
    own = {path.relative_to(root / "app").as_posix() for package in PACKAGES
           for path in (root / "app" / package).rglob("*")
           if path.is_file() and "__pycache__" not in path.parts}

    assert own == {file.as_posix() for file in closure(FUNCTION).files}


def test_image_has_exactly_the_distributions_of_the_closure(root):
    names = {re.sub(r"[-_.]+", "-", info.name.split("-")[0]).lower()
             for info in (root / "app" / "lib").glob("*.dist-info")}

    assert names == {*closure(FUNCTION).distributions}


def test_image_runs_as_nobody_and_starts_the_server_itself(image):
    assert image.config["User"] == "65532:65532"
    assert image.config["Entrypoint"] == ["python3", "-m", "eventing.local.serve"]
    assert f"FUNCTION_SOURCE=/app/functions/tools/{FUNCTION}/main.py" in image.config["Env"]


def test_labels_say_what_the_image_is(image, root):
    labels = image.config["Labels"]
    sbom = (root / labels["dev.tollgate.sbom"].lstrip("/")).read_bytes()

    assert labels["org.opencontainers.image.title"] == f"tollgate/{FUNCTION}"
    assert labels["org.opencontainers.image.version"]
    assert re.fullmatch(r"([0-9a-f]{40}(-dirty)?)?", labels["org.opencontainers.image.revision"])
    assert labels["dev.tollgate.sbom.sha256"] == hashlib.sha256(sbom).hexdigest()


def test_bill_names_exactly_what_is_installed(image, root):
    bill = json.loads((root / "app" / "sbom.cdx.json").read_text())

    libraries = {c["name"] for c in bill["components"] if c["type"] == "library"}
    assert bill["bomFormat"] == "CycloneDX"
    assert libraries == {*closure(FUNCTION).distributions}


def test_nothing_of_the_host_is_in_the_image(image):
    settings = {value for name, value in os.environ.items()
                if name.startswith("PIP_") and value.startswith(("http", "/"))}
    config = json.dumps(image.config)

    assert not [value for value in settings if value in config]
    assert str(ROOT) not in config


def test_base_has_no_shell_and_no_setuid_program(root):
    programs = {path.name for path in (root / "usr" / "bin").iterdir()}

    assert not programs & {"sh", "bash", "dash", "perl", "apt-get", "dpkg", "openssl"}
    assert not [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()
                and path.stat().st_mode & 0o6000]


def test_every_module_that_is_loaded_has_its_bytecode(root):
    """With a read-only root and no bytecode, each cold start would compile for a second."""
    missing = [path for path in (root / "app").rglob("*.py")
               if not [*(path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc")]]

    assert not missing
    assert [*(root / "usr/lib").glob("python3.*/__pycache__/argparse.*.pyc")]


@pytest.fixture
def process(image, root, free_port, tmp_path, redis_url):
    """Start the image's command in its root file system, as its user."""
    settings = surroundings(FUNCTION, tmp_path, redis_url)
    env = dict(variable.split("=", 1) for variable in image.config["Env"])
    env |= {name: value for name, value in settings.items() if name not in os.environ}
    user, *command = image.config["User"], *image.config["Entrypoint"]
    with subprocess.Popen(
            ["chroot", f"--userspec={user}", root, *command], stderr=subprocess.PIPE, text=True,
            env={**env, "PORT": str(free_port), "TOLLGATE_API_KEYS": "/none"}) as started:
        yield started
        started.kill()


def test_function_answers_inside_its_image(process, free_port):
    until = time.monotonic() + STARTED_S
    while True:
        try:
            answer = httpx2.get(f"http://127.0.0.1:{free_port}/ready", timeout=30)
            break
        except httpx2.ConnectError:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until, "the function does not listen"
            time.sleep(0.05)
    process.send_signal(signal.SIGTERM)

    assert answer.status_code == 200
    assert process.wait(30) in (0, -signal.SIGTERM)


def test_unknown_function_ends_make_with_the_known_ones():
    done = subprocess.run(["make", "image", "fn=calculater"], cwd=ROOT, capture_output=True,
                          text=True, check=False)

    assert done.returncode
    assert "no function is called 'calculater'; there are: calculator" in done.stderr


def test_make_without_a_function_says_how():
    done = subprocess.run(["make", "image"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode
    assert "make image fn=calculator" in done.stdout


@pytest.fixture
def first_process(free_port, tmp_path):
    """Start a server that never ends starting, as process 1 of its own namespace; return its id."""
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(300)\n")
    with subprocess.Popen(
            ["unshare", "--pid", "--fork", sys.executable, "-m", "eventing.local.serve",
             "--source", tmp_path / "slow.py"],
            cwd=ROOT, env={**os.environ, "PORT": str(free_port)}) as outside:
        children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children")
        wait_for(lambda: children.read_text().strip())
        inside = int(children.read_text())
        yield outside, inside
        with contextlib.suppress(ProcessLookupError):
            os.kill(inside, signal.SIGKILL)


def wait_for(holds):
    until = time.monotonic() + STARTED_S
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.005)


def catches_sigterm(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"SigCgt:\s+(\w+)", status)[1], 16) >> (signal.SIGTERM - 1) & 1


def test_process_1_that_is_still_starting_ends_on_sigterm(first_process):
    outside, inside = first_process
    wait_for(lambda: catches_sigterm(inside))

    os.kill(inside, signal.SIGTERM)

    assert outside.wait(30) == 0
