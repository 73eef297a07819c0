"""Taking an environment away leaves nothing, and the next one begins anew."""

import json
import subprocess

from tests.cluster.terraform.environment import Environment
from tests.kafka import kubectl


def test_destroy_leaves_nothing_and_a_new_environment_is_whole(environ, tmp_path):
    environment = Environment(tmp_path, environ)
    environment.apply("messaging")
    environment.apply("apps")

    environment.destroy()

    states = [json.loads(environment.run(stack, "state", "pull").out)
              for stack in ("apps", "messaging")]
    left = [x for state in states for x in state["resources"] if x["mode"] == "managed"]
    there = subprocess.run(["kubectl", "get", "namespace", environment.name], env=environ,
                           capture_output=True, text=True, check=False)
    assert left == []
    assert "NotFound" in there.stderr


def test_what_others_put_into_the_namespace_goes_with_it_after_the_functions(environ, tmp_path):
    environment = Environment(tmp_path, environ)
    environment.apply("messaging")
    environment.apply("apps")
    kubectl.ask("-n", environment.name, "create", "configmap", "budgets")

    done = environment.run("apps", "destroy", "-auto-approve", "-input=false")

    assert done.code == 0
    assert environment.get("configmap", "budgets")
    assert environment.get("brokers.eventing.knative.dev", "default")
    assert environment.run("messaging", "destroy", "-auto-approve", "-input=false").code == 0
