"""`make test-cluster`: everything, end to end, on a real cluster.

Ends in pytest's summary; 2 when the cluster cannot serve the tests.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from eventing.images.errors import ImageFault
from tests.cluster.conftest import FOLDER
from tests.cluster.forward import Forward
from tests.cluster.given import HOST, HOW, NotReady, loaded, looked_at, started
from tests.cluster.images import built
from tests.cluster.workspace import NAMESPACE, gone
from tests.kafka import kubectl
from tests.kafka.given import NAMESPACE as SUITE_NAMESPACE
from tests.kafka.given import URL

HERE = Path(__file__).parent
SUITE = [*sorted(map(str, HERE.glob("test_*.py"))), "tests/conformance",
         *sorted({str(file.parent) for file in HERE.glob("*/test_*.py")}),
         "--broker-under-test=tests.cluster.broker:in_memory"]
"""The whole system first: what it cannot do, the rest need not look at."""

EXIT_NOT_READY = 2


def main():
    """Look, build, load, test; return pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="tollgate-cluster-") as folder:
        try:
            host = _prepared(Path(folder))
        except (NotReady, ImageFault, kubectl.Unreachable) as error:
            print(f"{error}\n{HOW}", file=sys.stderr)  # noqa: T201 - the command's answer
            return EXIT_NOT_READY
        return _tested({HOST: host, FOLDER: folder}, sys.argv[1:])


def _prepared(folder):
    started()
    host = looked_at()
    if not gone():
        raise NotReady(f"the cluster has a namespace {NAMESPACE} already: the tests would change "
                       f"what runs there. Remove it: kubectl delete namespace {NAMESPACE}")
    loaded(built(folder / "images"))
    return host


def _tested(env, more):
    namespace = f"tollgate-test-{os.getpid()}"
    kubectl.ask("create", "namespace", namespace)
    try:
        with Forward("knative-eventing", "service/broker-ingress", 80) as broker:
            url = "http://{}:{}".format(*broker.address)
            return _pytest(env | {URL: url, SUITE_NAMESPACE: namespace}, more)
    finally:
        kubectl.ask("delete", "namespace", namespace, "--wait=false")


def _pytest(env, more):
    command = [sys.executable, "-m", "pytest", "-q", *SUITE, *more]
    with subprocess.Popen(command, env=os.environ | env) as run:
        try:
            return run.wait()
        except BaseException:
            run.send_signal(signal.SIGINT)  # it takes away what it has made
            run.wait()
            raise


def _ended(number, _frame):
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ended)
    sys.exit(main())
