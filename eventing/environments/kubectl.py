"""Asks the cluster with kubectl, the one that the operator has."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS_MAX = 120
"""More than any single call takes; a cluster that is silent for longer is away."""
FOR_TERRAFORM = "TF_VAR_kubeconfig_path"
REQUEST = "--request-timeout=30s"
NOISE = re.compile(r"Warning:|[IWEF]\d{4} ")
"""Begins a line that says nothing about the outcome: a warning, or the client's own log."""

UNTOLD = "The connection to the server localhost:8080 was refused"
"""What kubectl says when nothing tells it of a cluster."""
WHICH = ("set KUBECONFIG to the file of the cluster; make kubeconfig env=NAME says where an "
         "environment's is")


class Unanswered(Exception):
    """kubectl is not there, or its cluster does not answer: the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call of kubectl ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> str:
        """Return what went wrong, without warnings and the client's log."""
        if UNTOLD in self.err:
            return f"there is no kubeconfig: {WHICH}"
        kept = [line for line in self.err.splitlines() if not NOISE.match(line)]
        return "\n".join(kept).strip().removeprefix("error: ")


def run(args: Sequence[str], env: Mapping[str, str], given: str = "") -> Answer:
    """Run kubectl with a text on its standard input.

    Raises:
        Unanswered: there is no kubectl or no kubeconfig, or it took longer than SECONDS_MAX.
    """
    variables = _with_kubeconfig(env)
    _refuse_missing(variables.get("KUBECONFIG", ""))
    try:
        done = subprocess.run(  # noqa: S603 - the program's name is fixed
            ["kubectl", REQUEST, *args],  # noqa: S607 - the operator's own
            input=given, env=variables, capture_output=True,
            text=True, timeout=SECONDS_MAX, check=False)
    except FileNotFoundError:
        raise Unanswered("kubectl is not in PATH: install one of the cluster's version") from None
    except subprocess.TimeoutExpired:
        raise Unanswered(f"the cluster did not answer in {SECONDS_MAX} s: kubectl version says "
                         "more") from None
    return Answer(done.returncode, done.stdout, done.stderr)


def done(args: Sequence[str], env: Mapping[str, str], given: str = "") -> str:
    """Return what kubectl prints.

    Raises:
        Unanswered: it failed, or `run` raises it; the text says how.
    """
    answer = run(args, env, given)
    if answer.code:
        raise Unanswered(answer.errors or answer.out.strip())
    return answer.out


def listed(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return objects as one document, for `-f -`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def _with_kubeconfig(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which kubectl means the cluster that Terraform means."""
    inherited = "" if "KUBECONFIG" in env else os.environ.get(FOR_TERRAFORM, "")
    path = env.get(FOR_TERRAFORM) or inherited
    chosen = {"KUBECONFIG": str(Path(path).expanduser())} if path else {}
    return {**os.environ, **env, **chosen}


def _refuse_missing(kubeconfig: str) -> None:
    """Refuse a KUBECONFIG of which no file is there: kubectl would ask localhost instead."""
    files = [file for file in kubeconfig.split(os.pathsep) if file]
    if files and not any(Path(file).exists() for file in files):
        raise Unanswered(f"there is no kubeconfig at {kubeconfig}: {WHICH}")
