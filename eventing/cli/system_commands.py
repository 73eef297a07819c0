"""`tollgate up`, `down`, `status`."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from eventing.cli import processes, show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import DATA, Data, Json, connect
from eventing.cli.place import Place
from eventing.cli.stop_commands import called, stops_of
from eventing.local.options import ROOT

NAMED = ("gateway", "broker", "ledger", "costs", "dashboard", "redis")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status):
        app.command()(command)


def up(
    *,
    port: Annotated[int, typer.Option(
        min=0, max=65535, help="The gateway's; 0 takes a free one.")] = 0,
    data: Data = DATA,
    manifests: Annotated[Path, typer.Option(
        help="Folder of manifests, or an overlay: knative/overlays/dev.")] = ROOT / "knative/base",
    files: Annotated[Path | None, typer.Option(help="Folder that agents may read.")] = None,
    time_scale: Annotated[float, typer.Option(
        help="Factor on windows, timers and back-off.", min=0.001)] = 1.0,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready.")] = False,
    as_json: Json = False,
) -> None:
    """Start broker, timers and functions from the manifests, on this machine."""
    if Place(data).state():
        raise Failure(Exit.USAGE, "a runtime is up already", where=str(data),
                      do="use it, end it with tollgate down, or give another --data")
    arguments = processes.command(
        data, "--port", str(port), "--time-scale", str(time_scale),
        "--manifests", str(manifests))
    env = _environment(files)
    if as_json and not detach:
        os.execve(arguments[0], arguments, env)  # noqa: S606 - one process: the one to signal
    process, ready = processes.start(arguments, env, data / "runtime.log")
    if not detach:
        _pass_on(process)
    if as_json:
        show.as_json(ready)
    else:
        _announce(ready, manifests, end=_end(data, detach=detach))
    if not detach:
        raise typer.Exit(process.wait())


def _environment(files: Path | None) -> dict[str, str]:
    env = dict(os.environ)
    return env | {"READER_ROOT": str(files.resolve())} if files else env


def _end(data: Path, *, detach: bool) -> str:
    """Return what ends the runtime."""
    down = "tollgate down" + ("" if data == DATA else f" --data {data}")
    return down if detach else f"Ctrl-C or: {down}"


def _announce(ready: dict[str, Any], manifests: Path, *, end: str) -> None:
    show.table("Tollgate is up", ("", "address"), [(n, ready.get(n)) for n in NAMED])
    for one in ready["left_out"]:
        show.line(f"left out: {one}", style="dim")
    if count := ready["no_effect"]:
        show.line(f"{count} fields matter on a cluster only; to see them: "
                  f"python -m eventing.local --check --manifests {manifests}", style="dim")
    show.line(f"process {ready['pid']}; stop it with {end}", style="dim")


def _pass_on(process: "subprocess.Popen[str]") -> None:
    """Let the runtime end by what asks this process to end (asked twice: at once)."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: process.terminate())


def down(*, data: Data = DATA, as_json: Json = False) -> None:
    """End the runtime and everything it has started; what it accepted is kept."""
    state = Place(data).state()
    clean = processes.end(int(state["pid"])) if state else True
    if as_json:
        show.as_json({"stopped": state["pid"] if state else None, "clean": clean})
    elif state:
        show.line(f"stopped {state['pid']}" + ("" if clean else "; it had to be killed"))
    else:
        show.line(f"nothing runs in {data}")


def status(*, data: Data = DATA, as_json: Json = False) -> None:
    """Show addresses, and how many processes each function has."""
    with connect(data) as remote:
        found = remote.ask("GET", "dashboard", "/status")
        stopped = stops_of(remote)
    if as_json:
        show.as_json({**found, **found["addresses"], "stops": stopped})
        return
    for one in stopped or ():
        show.line(f"stopped: {called(one)}: {one['reason']}", style="red")
    show.table("", ("", "address"), [(n, found["addresses"].get(n)) for n in NAMED])
    show.table("\nfunctions", ("name", "processes#", "woken#", "slept#", "most at once#"),
               [(f["name"], f["replicas"], f["woken"], f["slept"], f["processes_max"])
                for f in found["functions"]])
    show.table("\ntriggers", ("name", "waiting#", "retried#", "dead#"),
               [(t["name"], t["pending"], t["retried"], t["dead"]) for t in found["triggers"]])
