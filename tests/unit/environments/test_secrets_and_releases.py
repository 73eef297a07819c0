"""What is made or pinned outside Terraform: a namespace's Secrets, and the bytes of releases."""

import hashlib
import json
import os
import stat

import pytest

from eventing.environments import kubectl, namespace_secrets, releases
from shared.auth import ApiKeys, hash_key
from shared.errors import TollgateError

KUBECTL = """
case "$*" in
  *"get secret"*) [ -f "$HERE/has-$4" ] && echo secret/$4; exit 0;;
  *create*) cat >> "$HERE/created"; printf '\\n%s\\n' "$*" >> "$HERE/arguments";;
esac
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A kubectl that keeps what it is given in a folder."""
    file = tmp_path / "kubectl"
    file.write_text(f"#!/bin/sh\nHERE={tmp_path}\n{KUBECTL}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def created(cluster):
    lines = [line for line in (cluster / "created").read_text().splitlines() if line]
    objects = "".join(lines).replace("}{", "}\n{").splitlines()
    items = [item for text in objects for item in json.loads(text)["items"]]
    return {item["metadata"]["name"]: item["stringData"] for item in items}


def make(**more):
    return namespace_secrets.make("ns", {}, **{"tenant": "acme", "api_keys": None, **more})


def test_missing_secrets_are_made_and_the_key_is_said_once(cluster):
    done = make()

    secrets = created(cluster)
    (entry,) = json.loads(secrets["tollgate-api-keys"]["api-keys.json"])
    assert done.made == ("tollgate-grant-key", "tollgate-api-keys")
    assert len(secrets["tollgate-grant-key"]["key"]) == 64
    assert entry["key_sha256"] == hash_key(done.api_key)
    assert (entry["tenant"], sorted(entry["rights"])) == ("acme", ["admin", "platform"])


def test_what_is_made_is_what_functions_read(cluster, tmp_path):
    done = make()

    file = tmp_path / "api-keys.json"
    file.write_text(created(cluster)["tollgate-api-keys"]["api-keys.json"])
    assert ApiKeys.read(file).caller(f"Bearer {done.api_key}").tenant == "acme"


def test_no_value_is_in_an_argument(cluster):
    make()

    assert created(cluster)["tollgate-grant-key"]["key"] not in (cluster / "arguments").read_text()


def test_existing_secret_is_never_touched(cluster):
    (cluster / "has-tollgate-grant-key").touch()

    done = make()

    assert done.kept == ("tollgate-grant-key",)
    assert list(created(cluster)) == ["tollgate-api-keys"]


def test_given_keys_are_taken_as_they_are(cluster, tmp_path):
    text = json.dumps([{"key_sha256": "0" * 64, "tenant": "globex", "rights": ["tasks"]}])
    (tmp_path / "keys.json").write_text(text)

    done = make(api_keys=tmp_path / "keys.json")

    assert done.api_key is None
    assert created(cluster)["tollgate-api-keys"] == {"api-keys.json": text}


def test_file_without_keys_makes_nothing(cluster, tmp_path):
    (tmp_path / "keys.json").write_text("{}}")

    with pytest.raises(TollgateError, match=r"keys\.json"):
        make(api_keys=tmp_path / "keys.json")
    assert not (cluster / "created").exists()


def test_cluster_that_refuses_is_said(cluster):
    (cluster / "kubectl").write_text("#!/bin/sh\necho 'no rights' >&2; exit 1\n")

    with pytest.raises(kubectl.Unanswered, match="no rights"):
        make()


# ---- releases ---------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path):
    release = tmp_path / "serving"
    release.mkdir()
    (release / "VERSION").write_text("1.23.0\n")
    (release / "core.yaml").write_text("kind: Namespace\n")
    return tmp_path


def test_pins_are_versions_and_checksums(folder, capsys):
    assert releases.main([str(folder)]) == 0

    checksum = hashlib.sha256(b"kind: Namespace\n").hexdigest()
    assert json.loads(capsys.readouterr().out) == {
        "releases": {"serving": {"version": "1.23.0", "files": {"core.yaml": checksum}}}}


@pytest.mark.parametrize(("missing", "said"), [
    ("VERSION", "write the version of serving into"),
    ("core.yaml", "holds no *.yaml"),
], ids=["version", "manifests"])
def test_what_a_release_lacks_is_said(folder, capsys, missing, said):
    (folder / "serving" / missing).unlink()

    assert releases.main([str(folder)]) == 1
    assert said in capsys.readouterr().err


def test_folder_that_holds_no_release_is_said(tmp_path, capsys):
    assert releases.main([str(tmp_path)]) == 1
    assert "holds no folder" in capsys.readouterr().err
    assert releases.main([str(tmp_path / "no")]) == 1
    assert "is no folder" in capsys.readouterr().err


def test_wrong_use_is_said(capsys):
    with pytest.raises(SystemExit, match="2"):
        releases.main([])

    assert "usage: python -m eventing.environments.releases" in capsys.readouterr().err


def test_help_says_what_the_folder_holds(capsys):
    with pytest.raises(SystemExit, match="0"):
        releases.main(["--help"])

    assert "one folder for each release" in capsys.readouterr().out
