"""Speaks to the cluster that the tests were given, through kubectl."""

import asyncio
import json
import shutil
import subprocess

TIMEOUT_S = 180
"""A topic of a new Broker, a dispatcher that was killed: longer means that it hangs."""

REFUSED = ("admission webhook", "strict decoding error", "is invalid:", "BadRequest")
"""What kubectl says when the API server does not want an object."""


class Unreachable(Exception):
    """The cluster cannot be asked, or does not become as it was told in time."""


class Refused(Exception):
    """The API server does not take an object."""


def ask(*arguments, text=None):
    """Return what kubectl prints.

    Raises:
        Unreachable: it failed, or took longer than `TIMEOUT_S`.
        Refused: the object is not valid.
    """
    if shutil.which("kubectl") is None:
        raise Unreachable("kubectl is not in PATH")
    try:
        run = subprocess.run(["kubectl", *arguments], input=text, capture_output=True, text=True,
                             timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"kubectl {' '.join(arguments)}: nothing after {TIMEOUT_S} s") from None
    if run.returncode:
        said = run.stderr.strip()
        kind = Refused if any(sign in said for sign in REFUSED) else Unreachable
        raise kind(f"kubectl {' '.join(arguments)}: {said}")
    return run.stdout


async def told(*arguments, text=None):
    """Do as `ask`, without holding up the event loop."""
    return await asyncio.to_thread(ask, *arguments, text=text)


async def apply(*objects):
    """Create or change objects, with unknown fields refused.

    Raises:
        Refused, Unreachable: see `ask`.
    """
    document = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    await told("apply", "--validate=strict", "-f", "-", text=document)


async def ready(namespace, *names):
    """Wait until objects are Ready.

    Raises:
        Unreachable: they are not within `TIMEOUT_S`.
    """
    await told("-n", namespace, "wait", "--for=condition=Ready", f"--timeout={TIMEOUT_S - 10}s",
               *names)
