"""`python -m eventing.environments COMMAND NAME`: the last line says what changed."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from eventing.environments import runs
from eventing.environments.bootstrap import make_state_bucket
from eventing.environments.process import Interrupted
from eventing.environments.stacks import Failed, Stack, environments

DONE, FAILED, DRIFTED, INTERRUPTED = 0, 1, 2, 130
COMMANDS = ("plan", "apply", "destroy", "drift", "kubeconfig", "state")
REPOSITORY = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 done, 1 failed, 2 drift found, 130 interrupted."""
    given = _parser().parse_args(arguments)
    name = given.name or "environment"
    try:
        code, line = _run(given)
    except Failed as failure:
        code, line = FAILED, f"{name}: {given.command} failed: {failure}"
    except (Interrupted, KeyboardInterrupt):
        code, line = INTERRUPTED, f"{name}: {given.command} interrupted; run it again to go on"
    sys.stdout.write(f"{line}\n")
    return code


def _run(given: argparse.Namespace) -> tuple[int, str]:
    folder = Path(given.folder)
    if given.command == "state":
        return DONE, make_state_bucket(folder, given.name, os.environ)
    if not given.name:
        raise Failed(f"say env=NAME with one of {', '.join(environments(folder / 'environments'))}")
    run, stacks = runs.begin(given.name, folder / "environments", os.environ, runs.to_stderr)
    stacks = _chosen(run, stacks, given.only)
    match given.command:
        case "kubeconfig":
            runs.look(run, [stack for stack in stacks if stack.name == "platform"])
            return _kubeconfig(run)
        case "plan":
            return DONE, runs.plan(run, stacks)
        case "apply":
            return DONE, runs.apply(run, stacks, is_loss_allowed=given.yes)
        case "destroy":
            _confirm(given)
            return DONE, runs.destroy(run, stacks)
        case _:
            is_found, line = runs.drift(run, stacks)
            return (DRIFTED if is_found else DONE), line


def _chosen(run: runs.Run, stacks: list[Stack], only: str | None) -> list[Stack]:
    """Return the stacks to work on; of those before them, what they give is read."""
    if only is None:
        return stacks
    names = [stack.name for stack in stacks]
    if only not in names:
        raise Failed(f"there is no stack {only!r}: there are {', '.join(names)}")
    position = names.index(only)
    runs.look(run, stacks[:position])
    return [stacks[position]]


def _kubeconfig(run: runs.Run) -> tuple[int, str]:
    path = run.environ.get("KUBECONFIG")
    if not path:
        raise Failed("there is no cluster yet: make apply makes it")
    return DONE, path


def _confirm(given: argparse.Namespace) -> None:
    """Let people type the name of what they destroy; pipelines have said so by starting it."""
    if given.yes or os.environ.get("CI"):
        return
    if not sys.stdin.isatty():
        raise Failed(f"nobody is here to confirm: make destroy env={given.name} yes=1")
    sys.stderr.write(f"This destroys everything in {given.name}. Type its name to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != given.name:
        raise Failed("not confirmed, nothing was destroyed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eventing.environments", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("name", nargs="?", default="", help="environment, or bucket for `state`")
    parser.add_argument("--yes", action="store_true", help="go ahead where data would be lost")
    parser.add_argument("--only", metavar="STACK", help="platform, messaging or apps alone")
    parser.add_argument("--folder", default=str(REPOSITORY / "terraform"), help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
