"""Rollouts on a real Knative: shares, tags, an abort by cost, a rollback at once.

The tests follow one function through its rollouts, in this order.
"""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.forward import Forward
from tests.cluster.given import INGRESS
from tests.cluster.rollouts.place import SECOND, Place
from tests.kafka import kubectl

OLD, NEW = "thinker-00001", "thinker-00002"
SOON_S = 90
"""A round comes each minute; a verdict is looked for with every event."""


@pytest.fixture(scope="module")
def ingress():
    if given := os.environ.get(INGRESS):
        yield given.rstrip("/")
    else:
        with Forward("kourier-system", "service/kourier", 80) as forwarded:
            yield "http://{}:{}".format(*forwarded.address)


@pytest.fixture(scope="module")
def place(ingress):
    made = Place(f"tollgate-rollouts-{os.getpid()}", ingress)
    try:
        yield made.make()
    finally:
        made.end()


def eventually(holds, within_s=SOON_S):
    until = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < until, f"not within {within_s} s"
        time.sleep(0.2)
    return found


def seen(place, number=60, path="/"):
    with ThreadPoolExecutor(4) as pool:
        return Counter(pool.map(lambda _: place.ask(path), range(number)))


def test_start_gives_the_new_revision_its_share(place):
    said = place.tollgate("start", "thinker", "--image", SECOND, "--percent", "30",
                          "--min-samples", "20", "--max-duration", "10m")

    assert (said["stable"], said["candidate"], said["traffic"]) == (OLD, NEW, {OLD: 70, NEW: 30})
    eventually(lambda: seen(place, 20)[NEW])
    share = seen(place, 200)[NEW] / 200
    assert 0.15 < share < 0.45


def test_every_revision_is_reached_by_its_tag_inside_the_cluster(place):
    inside = "http://{}-thinker.{}.svc.cluster.local"

    assert place.inside(inside.format("r00001", place.name)) == OLD
    assert place.inside(inside.format("r00002", place.name)) == NEW
    assert place.inside(inside.format("r00009", place.name)) == "gaierror"


def test_dearer_revision_is_taken_out_by_itself(place, figures):
    began, tasks = time.monotonic(), Counter()

    def aborted():
        if place.tollgate("status", "thinker")["phase"] == "running":
            tasks.update(seen(place, 20, "/work"))
            return None
        return place.tollgate("status", "thinker")

    said = eventually(aborted, 300)

    figures["dearer revision out after"] = (
        f"{time.monotonic() - began:.0f} s, {tasks[NEW]} of {tasks.total()} tasks")
    assert (said["phase"], said["verdict"], said["traffic"]) == ("aborted", "fail", {OLD: 100})
    assert said["reason"].startswith("fail: cost per success ×1.")
    assert said["figures"]["candidate"]["samples"] >= 20
    eventually(lambda: set(seen(place, 20)) == {OLD})
    eventually(lambda: place.inside(
        f"http://r00002-thinker.{place.name}.svc.cluster.local") == "gaierror")
    eventually(lambda: place.tollgate("status", "thinker")["announced"] == "aborted")


def test_promotion_keeps_the_previous_revision_within_reach_of_a_rollback(place, figures):
    place.tollgate("start", "thinker", "--revision", NEW, "--percent", "0")
    place.tollgate("promote", "thinker")
    eventually(lambda: set(seen(place, 20)) == {NEW})
    assert place.inside(f"http://r00001-thinker.{place.name}.svc.cluster.local") == OLD

    began = time.monotonic()
    place.tollgate("rollback", "thinker")
    eventually(lambda: set(seen(place, 10)) == {OLD})

    figures["rollback until the first answers of the old revision"] = (
        f"{time.monotonic() - began:.1f} s, the command included")
    assert place.tollgate("rollback", "thinker")["phase"] == "reverted"


def test_image_that_does_not_start_gets_no_request(place):
    said = place.tollgate("start", "thinker", "--image", "dev.local/tollgate/nothing:local",
                          "--ready-timeout", "60", code=1)

    assert "not ready" in said["error"]
    assert set(seen(place, 20)) == {OLD}


def test_function_may_not_touch_anything_but_services(place):
    account = f"system:serviceaccount:{place.name}:rollouts"

    def can(*what):
        return place.kubectl("auth", "can-i", *what, "--as", account).strip()

    assert can("patch", "services.serving.knative.dev") == "yes"
    for verb, what in (("get", "secrets"), ("delete", "services.serving.knative.dev"),
                       ("create", "services.serving.knative.dev"), ("get", "pods")):
        with pytest.raises(kubectl.Unreachable):  # it answers "no" and fails
            can(verb, what)
