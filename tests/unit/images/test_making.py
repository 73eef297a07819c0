"""What is said of an image: its bill of materials, commit, sizes; and of a missing builder."""

import io
import json
import subprocess
import tarfile

import pytest

from eventing.images import builder, revision
from eventing.images.archive import read_archive
from eventing.images.builder import Builder, find_builder
from eventing.images.closure import closure
from eventing.images.command import call, succeeds
from eventing.images.errors import CommandFailed, NoBuilder
from eventing.images.making import size_line, sum_line
from eventing.images.sbom import bill


def packed(path, name, *sizes):
    config = {"config": {"User": "65532"}, "rootfs": {"diff_ids": [f"sha256:{s}" for s in sizes]}}
    manifest = [{"Config": "c.json", "RepoTags": [name],
                 "Layers": [f"{s}.tar" for s in sizes]}]
    with tarfile.open(path, "w") as tar:
        add(tar, "manifest.json", json.dumps(manifest).encode())
        add(tar, "c.json", json.dumps(config).encode())
        for size in sizes:
            add(tar, f"{size}.tar", bytes(size))
    return read_archive(path)


def add(tar, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def test_archive_tells_its_layers_and_what_it_runs_as(tmp_path):
    image = packed(tmp_path / "a.tar", "tollgate/a:1", 10, 20)

    assert image.name == "tollgate/a:1"
    assert image.layers == (("sha256:10", 10), ("sha256:20", 20))
    assert image.config["User"] == "65532"


def test_sum_counts_shared_layers_once(tmp_path):
    mib = 2**20
    images = [packed(tmp_path / "a.tar", "a", 5 * mib, mib, 2 * mib),
              packed(tmp_path / "b.tar", "b", 5 * mib, mib, 3 * mib)]

    assert "11.0 MiB" in sum_line(images)
    assert "8.0 MiB" in size_line(images[0])


def test_bill_names_packages_with_version_and_licence_and_every_file(tmp_path):
    info = tmp_path / "some_lib-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: Some_Lib\nVersion: 1.2\n"
                                   "License-Expression: MIT\n")
    files = closure("calculator").files

    components = json.loads(bill("calculator", [tmp_path], files))["components"]

    assert {"bom-ref": "pkg:pypi/some-lib@1.2", "purl": "pkg:pypi/some-lib@1.2", "type": "library",
            "name": "some-lib", "version": "1.2", "licenses": [{"expression": "MIT"}]} in components
    assert {c["name"] for c in components if c["type"] == "file"} == {f.as_posix() for f in files}


def test_bill_of_equal_content_is_equal(tmp_path):
    files = closure("calculator").files

    assert bill("calculator", [tmp_path], files) == bill("calculator", [tmp_path], reversed(files))


def test_no_builder_names_each_that_was_tried(monkeypatch):
    monkeypatch.setattr(builder.shutil, "which", {"docker": "/bin/docker"}.get)
    monkeypatch.setattr(builder, "succeeds", lambda *words: False)

    with pytest.raises(NoBuilder) as fault:
        find_builder()

    said = str(fault.value)
    assert "docker is here but does not work" in said
    assert "podman is not installed" in said
    assert "apt-get install buildah" in said


def test_client_without_a_daemon_is_passed_over(monkeypatch):
    monkeypatch.setattr(builder.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(builder, "succeeds", lambda program, *words: program == "podman")

    assert find_builder() == Builder("podman")


@pytest.mark.parametrize("program", ["buildah", "docker", "podman"])
def test_every_builder_gets_a_fixed_time_and_the_arguments(monkeypatch, tmp_path, program):
    called = []
    monkeypatch.setattr(builder, "call", lambda *words: called.append(words))

    Builder(program).build(tmp_path, "a:1", file=tmp_path / "Dockerfile", args={"x": "y"})

    (words,) = called
    assert words[0] == program
    assert "--build-arg=x=y" in words
    assert any(str(builder.EPOCH_S) in str(word) for word in words)


def test_failing_program_is_named_with_what_it_said():
    with pytest.raises(CommandFailed, match=r"sh -c .*failed:\nno such thing"):
        call("sh", "-c", "echo no such thing >&2; exit 3")


def test_program_that_is_not_there_is_named():
    with pytest.raises(CommandFailed, match=r"no-such-program cannot be run: No such file"):
        call("no-such-program")
    assert not succeeds("no-such-program")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e@example.com", *words],
                       cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    for name in ("in.py", "out.py"):
        (tmp_path / name).write_text("1\n")
        git("add", name)
        git("commit", "-qm", name)
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    monkeypatch.setattr(revision, "ALSO", ())
    monkeypatch.setattr(revision, "closure", lambda name: type("C", (), {"files": ("in.py",)}))
    return git


def test_revision_is_the_commit_that_changed_the_function(repository, tmp_path):
    before = revision.revision_of("any")
    (tmp_path / "out.py").write_text("2\n")
    repository("commit", "-qam", "another function")

    assert revision.revision_of("any") == before
    assert len(before[0]) == 40


def test_revision_says_that_a_file_is_not_committed(repository, tmp_path):
    (tmp_path / "in.py").write_text("2\n")

    assert revision.revision_of("any")[0].endswith("-dirty")


def test_source_is_told_without_a_password(repository):
    repository("remote", "add", "origin", "https://me:secret@git.example/tollgate.git")
    revision.source_url.cache_clear()

    assert revision.source_url() == "https://git.example/tollgate.git"
    revision.source_url.cache_clear()
