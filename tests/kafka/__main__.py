"""`make test-kafka`: the broker's tables and the whole system on the cluster that is given.

Ends in pytest's summary; 2 when the cluster cannot serve the tests.
"""

import os
import subprocess
import sys

from tests.kafka import kubectl
from tests.kafka.given import NAMESPACE
from tests.kafka.preflight import HOST, HOW, NotReady, look

DISPOSABLE = "TOLLGATE_BROKER_DISPOSABLE"
SUITE = ["tests/conformance", "tests/kafka", "--broker-under-test=tests.kafka.given:given"]
KILLS = "tests/kafka/test_kills.py"
EXIT_NOT_READY = 2


def main():
    """Look, run the tests in a namespace of their own, remove it."""
    try:
        host = look()
    except NotReady as error:
        print(f"{error}\n{HOW}", file=sys.stderr)  # noqa: T201 - the command's answer
        return EXIT_NOT_READY
    namespace = os.environ.get(NAMESPACE) or f"tollgate-test-{os.getpid()}"
    kubectl.ask("create", "namespace", namespace)
    try:
        return _pytest({HOST: host, NAMESPACE: namespace}, sys.argv[1:])
    finally:
        kubectl.ask("delete", "namespace", namespace, "--wait=false")


def _pytest(env, more):
    spared = [] if os.environ.get(DISPOSABLE) == "true" else [f"--ignore={KILLS}"]
    command = [sys.executable, "-m", "pytest", "-q", *SUITE, *spared, *more]
    return subprocess.run(command, env=os.environ | env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
