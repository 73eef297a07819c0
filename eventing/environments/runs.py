"""Plans, applies, compares and destroys an environment, stack after stack."""

import json
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eventing.environments import changes, live, state, strict, variables
from eventing.environments.changes import Changes
from eventing.environments.errors import advice, summary
from eventing.environments.kubectl import Unanswered
from eventing.environments.manifests import of_plan, of_state
from eventing.environments.plugins import ready_environment
from eventing.environments.process import Outcome, terraform
from eventing.environments.stacks import Failed, Stack, stacks_of

ENDPOINT_TIMEOUT_S = 3.0
"""How long AWS_ENDPOINT_URL may take to accept a connection; the provider would try for minutes."""

DRIFT_NAMED_MAX = 10
"""How many differences the one line names; `make plan` shows all."""

DIFFERENT = 2
"""Terraform's exit code for a plan that changes something."""


@dataclass(slots=True)
class Run:
    """One command on one environment: what it knows of the stacks it has seen."""

    environment: str
    folder: Path
    environ: dict[str, str]
    say: Callable[[str], None]
    outputs: dict[str, Any] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    """Of each stack, in words, in the order they were handled."""
    total: Changes = field(default_factory=Changes)

    @property
    def told(self) -> str:
        """Return the results of all stacks so far."""
        return "; ".join(f"{name}: {result}" for name, result in self.results.items())

    def note(self, stack: Stack, changed: Changes, *, done: bool) -> None:
        """Keep what changed, or would."""
        self.total += changed
        self.results[stack.name] = changed.told(done=done)

    def failure(self, stack: Stack, text: str, what_to_do: str) -> Failed:
        """Return what went wrong in one line, with what to do and what was done before."""
        done = f" Done before: {self.told}." if self.results else ""
        return Failed(f"{stack.name}: {text} → {what_to_do.rstrip('.')}.{done}")


def begin(environment: str, folder: Path, environ: Mapping[str, str],
          say: Callable[[str], None]) -> tuple[Run, list[Stack]]:
    """Return a run and the stacks of its environment.

    Raises:
        Failed: the environment is unknown, or something that is needed is missing.
    """
    stacks = stacks_of(environment, folder)
    _check_programs(stacks)
    _check_endpoint(environ.get("AWS_ENDPOINT_URL"))
    return Run(environment, folder, ready_environment(environ), say), stacks


def look(run: Run, stacks: list[Stack]) -> None:
    """Take the outputs of stacks that others build on, and leave them as they are.

    Raises:
        Failed: a state cannot be read.
    """
    for stack in stacks:
        run.say(f"{run.environment}/{stack.name}: reading")
        _open(run, stack)
        _take_outputs(run, stack)


def plan(run: Run, stacks: list[Stack]) -> str:
    """Show what an apply would do, and return it in one line."""
    for stack in stacks:
        run.say(f"{run.environment}/{stack.name}: planning")
        if not _open(run, stack):
            run.results[stack.name] = "waits for platform"
            continue
        with tempfile.TemporaryDirectory() as folder:
            planned = _planned(run, stack, Path(folder) / "plan")
        run.note(stack, changes.read_changes(planned), done=False)
        _take_outputs(run, stack)
    return f"{run.environment}: {run.total.counted(done=False)} ({run.told})"


def apply(run: Run, stacks: list[Stack], *, is_loss_allowed: bool) -> str:
    """Make the environment as its configuration says, and return what changed in one line.

    A second call changes nothing. A failed one goes on where it stopped when it is repeated.

    Raises:
        Failed: also when data would be lost and that is not allowed.
    """
    for stack in stacks:
        run.say(f"{run.environment}/{stack.name}: applying")
        _open(run, stack)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "plan"
            planned = _planned(run, stack, file)
            _check_losses(run, planned, is_loss_allowed)
            _apply_plan(run, stack, file, changes.read_changes(planned))
        _take_outputs(run, stack)
    return f"{run.environment}: {run.total.counted(done=True)} ({run.told})"


def destroy(run: Run, stacks: list[Stack]) -> str:
    """Take everything away, the last stack first, and return what in one line."""
    filled = []
    for stack in stacks:
        _open(run, stack)
        filled.append(bool(_take_outputs(run, stack).get("resources")))
    for stack, is_filled in reversed([*zip(stacks, filled, strict=True)]):
        run.say(f"{run.environment}/{stack.name}: destroying")
        if not is_filled:
            run.results[stack.name] = "nothing there"
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "plan"
            planned = _planned(run, stack, file, "-destroy")
            _apply_plan(run, stack, file, changes.read_changes(planned))
    return f"{run.environment}: {run.total.counted(done=True)} ({run.told})"


def drift(run: Run, stacks: list[Stack]) -> tuple[bool, str]:
    """Return whether reality differs from the configuration, and where, in one line."""
    found: list[str] = []
    for stack in stacks:
        run.say(f"{run.environment}/{stack.name}: comparing")
        if not _open(run, stack):
            continue
        with tempfile.TemporaryDirectory() as folder:
            planned = _planned(run, stack, Path(folder) / "plan", checked=False)
        found += changes.read_drift(planned)
        found += live.drift([*of_state(_take_outputs(run, stack))], run.environ)
    if not found:
        return False, f"{run.environment}: no drift"
    named = [*found[:DRIFT_NAMED_MAX], *(["…"] if len(found) > DRIFT_NAMED_MAX else [])]
    return True, f"{run.environment}: drift in {len(found)}: {'; '.join(named)}"


# ---- one stack --------------------------------------------------------------------------------

def _open(run: Run, stack: Stack) -> bool:
    """Initialise a stack; return whether what it builds on is there."""
    state.place_override(stack, run.environ)
    arguments = ["init", "-input=false", *state.backend_arguments(stack, run.environ)]
    _must(run, stack, terraform(stack.root, arguments, run.environ, quiet=True))
    needs_platform = (stack.name != "platform"
                      and (run.folder / run.environment / "platform").is_dir())
    return not needs_platform or "cluster_name" in run.outputs


def _planned(run: Run, stack: Stack, file: Path, *more: str,
             checked: bool = True) -> dict[str, Any]:
    """Write a plan to `file` and return it as data.

    Raises:
        Failed: Terraform refuses, or the API server would refuse or drop what is planned.
    """
    arguments = ["plan", "-input=false", "-detailed-exitcode", f"-out={file}", *more]
    outcome = terraform(stack.root, arguments, run.environ)
    if outcome.code != DIFFERENT:
        _must(run, stack, outcome)
    shown = terraform(stack.root, ["show", "-json", str(file)], run.environ, quiet=True)
    _must(run, stack, shown)
    planned: dict[str, Any] = json.loads(shown.output)
    if checked and not more:
        _check_manifests(run, stack, planned)
    return planned


def _apply_plan(run: Run, stack: Stack, file: Path, changed: Changes) -> None:
    if changed:
        arguments = ["apply", "-input=false", str(file)]
        _must(run, stack, terraform(stack.root, arguments, run.environ))
    run.note(stack, changed, done=True)


def _take_outputs(run: Run, stack: Stack) -> dict[str, Any]:
    """Give a stack's outputs to the next ones; return its state, empty when there is none."""
    pulled = terraform(stack.root, ["state", "pull"], run.environ, quiet=True)
    _must(run, stack, pulled)
    kept: dict[str, Any] = json.loads(pulled.output) if pulled.output.strip() else {}
    found = {name: output["value"] for name, output in kept.get("outputs", {}).items()
             if not output.get("sensitive")}
    run.outputs |= found
    run.environ = variables.with_outputs(run.environ, found)
    file = run.folder.parent.parent / ".tollgate" / f"{run.environment}.kubeconfig"
    run.environ = variables.with_kubeconfig(run.environ, run.outputs, file)
    return kept


def _must(run: Run, stack: Stack, outcome: Outcome) -> None:
    """Raise what Terraform said, with what to do, unless it succeeded."""
    if outcome.code == 0:
        return
    text = outcome.errors or outcome.output
    raise run.failure(stack, summary(text), advice(text) or "the lines above say more")


# ---- before anything --------------------------------------------------------------------------

def _check_programs(stacks: list[Stack]) -> None:
    if not shutil.which("terraform"):
        raise Failed("terraform is not in PATH: install Terraform 1.11 or later")
    if any(stack.name != "platform" for stack in stacks) and not shutil.which("kubectl"):
        raise Failed("kubectl is not in PATH: install kubectl 1.27 or later, "
                     "it validates what goes into the cluster")


def _check_endpoint(url: str | None) -> None:
    """Try a stand-in of AWS once: the provider would try for many minutes."""
    if not url:
        return
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), ENDPOINT_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        raise Failed(f"nothing answers at AWS_ENDPOINT_URL={url} ({error}): start what should be "
                     "there, or unset the variable to mean AWS itself") from error


def _check_manifests(run: Run, stack: Stack, planned: dict[str, Any]) -> None:
    """Raise what the API server would refuse or drop of a plan, with what to do."""
    try:
        faults = strict.faults([*of_plan(planned)], run.environ)
    except Unanswered as error:
        text = str(error)
        todo = advice(text) or "kubectl cluster-info asks the same"
        raise run.failure(stack, text, todo) from error
    if faults:
        text = "; ".join(faults)
        raise run.failure(stack, f"the cluster would refuse: {text}",
                          advice(text) or "correct what is named under knative/")


def _check_losses(run: Run, planned: dict[str, Any], is_allowed: bool) -> None:
    losses = changes.read_losses(planned)
    if losses and not is_allowed:
        raise Failed(f"this would take away what holds data: {', '.join(losses)}. "
                     f"If that is meant: make apply env={run.environment} yes=1")


def to_stderr(line: str) -> None:
    """Show progress beside what a pipe reads."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
