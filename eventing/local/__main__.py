"""Runs the embedded runtime until SIGTERM or Ctrl-C: `python -m eventing.local`."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

from eventing.local.manifests.deployment import load
from eventing.local.options import ROOT, RuntimeOptions, Scale
from eventing.local.runtime import Runtime
from shared.errors import TollgateError

EXIT_REFUSED = 2


def main() -> int:
    """Run; return 0 after a clean stop, 2 when it could not start."""
    given = _arguments()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr,
                        format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        if given.check:
            found = load(given.manifests)
            said = {"no_effect": found.no_effect, "left_out": found.left_out}
            print(json.dumps(said, indent=2))  # noqa: T201 - the command's answer
            return 0
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(given))
    except TollgateError as error:
        print(f"{error.title}: {error.detail}", file=sys.stderr)  # noqa: T201
        return EXIT_REFUSED
    return 0


async def _run(given: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, ended)
    async with Runtime(given.manifests, _options(given)) as runtime:
        line = {"pid": os.getpid(), "addresses": runtime.addresses,
                "left_out": runtime.left_out, "no_effect": runtime.no_effect,
                **runtime.addresses}
        print(json.dumps(line), flush=True)  # noqa: T201 - one line when ready
        await ended.wait()


def _stop(ended: asyncio.Event) -> None:
    if ended.is_set():
        os._exit(130)  # the second time: children die with this process
    ended.set()


def _options(given: argparse.Namespace) -> RuntimeOptions:
    scale = Scale.compressed(given.time_scale)
    if given.window_s is not None:
        scale = Scale(given.window_s, scale.timers, scale.backoff)
    return RuntimeOptions(
        data_dir=given.data.resolve(), port=given.port, scale=scale,
        redis_url=given.redis_url or None, disturbable=given.disturbable)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eventing.local", description=__doc__)
    parser.add_argument("--manifests", type=Path, default=ROOT / "knative" / "base",
                        help="folder of manifests, or an overlay")
    parser.add_argument("--data", type=Path, default=Path(".tollgate"))
    parser.add_argument("--port", type=int, default=0, help="the gateway's; 0 takes a free one")
    parser.add_argument("--redis-url", default=os.environ.get("REDIS_URL"))
    parser.add_argument("--time-scale", type=float, default=1.0,
                        help="factor on windows, timers and back-off")
    parser.add_argument("--window-s", type=float, help="scale-down window of every function")
    parser.add_argument("--check", action="store_true",
                        help="only read the manifests; list what has no effect on one machine")
    parser.add_argument("--disturbable", action="store_true", help="for tests: POST /disturb")
    parser.add_argument("--json", action="store_true", help="accepted: the output is JSON anyway")
    return parser.parse_args()


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


if __name__ == "__main__":
    sys.exit(main())
