"""Starts what a demo needs: a runtime of its own with short windows, files, a webhook."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eventing.cli import processes
from eventing.cli.place import Place
from eventing.cli.webhook import Webhook
from eventing.local.options import ROOT, WINDOW_DEFAULT_S

WINDOW_S = 0.2
"""A function sleeps after this time without work: less than a tool needs to start from zero, so
that an agent can be seen asleep while its tools run; 60 s on a cluster."""

EXAMPLES = ROOT / "examples"
MANIFESTS = ROOT / "knative" / "base"
FACTOR = round(WINDOW_DEFAULT_S / WINDOW_S)


@dataclass(frozen=True, slots=True)
class System:
    """A running demo system."""

    place: Place
    webhook: Webhook


@contextmanager
def system(data: Path | None, files: Path) -> Iterator[System]:
    """Run a system for the block, whose agents read `files`; without `data` its state goes."""
    with tempfile.TemporaryDirectory(prefix="tollgate-demo-") as scratch, Webhook() as webhook:
        folder = data or Path(scratch)
        arguments = processes.command(folder, "--window-s", str(WINDOW_S))
        process, _ = processes.start(
            arguments, _environment(files), folder / "runtime.log")
        try:
            yield System(Place(folder), webhook)
        finally:
            processes.end(process.pid)


def _environment(files: Path) -> dict[str, str]:
    env = dict(os.environ) | {"READER_ROOT": str(files.resolve()), "NOTIFY_ALLOW_PRIVATE": "true"}
    for name in ("GATEWAY", "LEDGER", "COSTS", "DEADLETTERS", "BROKER", "DASHBOARD", "API_KEY"):
        os.environ.pop(f"TOLLGATE_{name}", None)  # the demo speaks to its own system
    env.pop("REDIS_URL", None)  # and keeps its state there
    if not env.get("TOLLGATE_MODEL"):
        env["TOLLGATE_SCRIPT"] = str(EXAMPLES / "demo.yaml")
    return env
