"""Both clients of Knative Services do the same, and say the same of failures."""

import asyncio
from pathlib import Path

import pytest

from eventing.cli.exits import Failure
from eventing.cli.rollout_cluster import Cluster
from functions.rollouts.cluster import Services, client
from shared.errors import Busy, Forbidden, NotFound, Permanent, TollgateError, Transient

NOTE = {"metadata": {"annotations": {"note": "1"}}}


class InCluster:
    """The function's client, as the other one is called."""

    def __init__(self, api, credentials):
        self._url, self._credentials = api.url, credentials

    def services(self):
        return asyncio.run(self._asked(lambda services: services.all()))

    def patch(self, name, patch):
        return asyncio.run(self._asked(lambda services: services.patch(name, patch)))

    async def _asked(self, question):
        async with client(self._credentials) as http:
            return await question(Services(self._url, self._credentials, http))


@pytest.fixture(params=["kubectl", "rest"])
def both(request, api, kubeconfig, credentials):
    api.create("researcher")
    return Cluster("prod", kubeconfig) if request.param == "kubectl" else InCluster(
        api, credentials)


def test_all_services_are_listed(both):
    assert [s["metadata"]["name"] for s in both.services()] == ["researcher"]


def test_patch_returns_the_service_as_it_is_then(both):
    assert both.patch("researcher", NOTE)["metadata"]["annotations"] == {"note": "1"}


def test_patch_of_an_old_version_is_busy_and_changes_nothing(api, both):
    old = both.services()[0]["metadata"]["resourceVersion"]
    both.patch("researcher", NOTE)

    with pytest.raises(Busy):
        both.patch("researcher", {"metadata": {
            "resourceVersion": old, "annotations": {"note": "2"}}})

    assert api.get("researcher")["metadata"]["annotations"] == {"note": "1"}


def test_missing_service_is_named(both):
    with pytest.raises((NotFound, Failure), match="nobody"):
        both.patch("nobody", NOTE)


@pytest.mark.parametrize(("status", "error"), [
    (400, Permanent), (401, Transient), (403, Forbidden), (500, Transient)])
def test_failure_of_the_api_server_is_one_of_ours(api, credentials, status, error):
    api.refuse = (status, "because")

    with pytest.raises(error, match="because"):
        InCluster(api, credentials).services()


def test_api_server_that_is_away_is_transient(api, credentials):
    services = InCluster(api, credentials)
    api.stop()

    with pytest.raises(Transient, match=api.url):
        services.services()
    api.start()


def test_missing_credentials_say_what_the_manifest_lacks(api):
    services = InCluster(api, Path("/nowhere"))

    with pytest.raises(TollgateError, match="serviceAccountName"):
        services.services()
