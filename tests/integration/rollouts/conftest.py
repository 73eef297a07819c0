import json

import pytest

from tests.integration.rollouts.api_server import ApiServer


@pytest.fixture
def api():
    server = ApiServer().start()
    yield server
    server.stop()


@pytest.fixture
def kubeconfig(api, tmp_path, monkeypatch):
    """A configuration for that server; kubectl's cache of what a server has is its own too."""
    monkeypatch.setenv("KUBECACHEDIR", str(tmp_path / "cache"))
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": api.url}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}]}))
    return str(file)


@pytest.fixture
def credentials(api, tmp_path):
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "namespace").write_text(api.namespace)
    (folder / "token").write_text("t0ken\n")
    return folder
