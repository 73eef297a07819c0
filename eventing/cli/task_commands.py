"""`tollgate task run`, `list`, `get`, `steps`, `trace`, `watch`, `cancel`."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventing.cli import show
from eventing.cli.exits import Exit
from eventing.cli.files import text_given
from eventing.cli.options import DATA, Data, Json, connect, path_part, present

if TYPE_CHECKING:
    from eventing.cli.remote import Message, Remote

app = typer.Typer(no_args_is_help=True)
Task = Annotated[str, typer.Argument(
    metavar="TASK", callback=path_part, help="The task's id.")]


@app.command()
def run(  # noqa: PLR0913 - one per field of the request
    prompt: Annotated[str, typer.Argument(help="What to do; @FILE reads it from a file.")],
    *,
    agent: Annotated[str, typer.Option(help="Who does it.")] = "researcher",
    session: Annotated[str | None, typer.Option(help="Go on with this conversation.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="1 to 25.")] = None,
    tokens: Annotated[int | None, typer.Option(help="Token budget, 512 to 32768.")] = None,
    cost: Annotated[str | None, typer.Option(help="Cost budget in USD, such as 0.05.")] = None,
    deadline: Annotated[float | None, typer.Option(help="Seconds until it ends anyway.")] = None,
    wait: Annotated[bool, typer.Option(help="Follow it to its end.")] = True,
    estimate: Annotated[bool, typer.Option(
        "--estimate", help="Only say what it may cost; give nobody anything to do.")] = False,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Give a task to an agent and follow it to its answer."""
    asked = {"agent": agent, "prompt": text_given(prompt), "session_id": session,
             "max_steps": max_steps, "token_budget": tokens, "cost_budget_usd": cost,
             "deadline_s": deadline}
    if estimate:
        _estimate(present(**asked), data, as_json=as_json)
        return
    with connect(data) as remote:
        task = remote.ask("POST", "gateway", "/tasks",
                          json=present(**asked))
        if wait:
            _follow(remote, task["id"], quiet=as_json)
            task = remote.ask("GET", "gateway", f"/tasks/{task['id']}")
    _answer(task, as_json=as_json)
    if wait:
        raise typer.Exit(outcome(task))


def _estimate(asked: dict[str, Any], data: Path, *, as_json: bool) -> None:
    from eventing.cli import estimate

    estimate.check(asked)
    with connect(data) as remote:
        found = estimate.estimate(asked, estimate.ended(remote, asked["agent"]))
    if as_json:
        show.as_json(found.json())
        return
    for text in estimate.lines(found):
        show.line(text)


def outcome(task: dict[str, Any]) -> Exit:
    """Return the exit code of a task: its status, or that a budget ended it."""
    if "budget" in (task.get("error") or ""):
        return Exit.DENIED
    return Exit.FAILED if task["status"] in ("failed", "cancelled") else Exit.OK


def _follow(remote: "Remote", task: str, *, quiet: bool) -> None:
    """Print what happens until the task's end; while nothing does, say so on a terminal."""
    waiting = nullcontext() if quiet else show.console().status(f"task {task}")
    told = (text for message in remote.follow(task) if (text := line_of(message)) and not quiet)
    try:
        with waiting:
            for text in told:
                show.line(text)
    except KeyboardInterrupt:
        print(f"the task goes on: tollgate task watch {task}, or tollgate task cancel {task}",
              file=sys.stderr)
        raise


def line_of(message: "Message") -> str:
    """Return what people are told of one message of the stream; empty for nothing."""
    at = message.data
    match message.name:
        case "step":
            calls = ", ".join(at.get("calls") or ()) or "the answer"
            return f"step {at['step']}  {at.get('model') or 'model'} → {calls}"
        case "tool":
            how = "done" if at.get("ok") else "failed"
            return f"        {at['tool']} {how} in {at.get('duration_ms', 0)} ms"
        case "cost":
            cost = show.usd(int(at["cost_nano"]))
            return f"        {cost} for step {at['step']}, {at['tokens_used']} tokens so far"
        case "status" if at.get("status") in ("running", "paused") or at.get("waits_s"):
            return f"        {at['status']}" + (f": {at['reason']}" if at.get("reason") else "")
    return ""


def _answer(task: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.as_json(task)
        return
    result = task.get("result") or {}
    if result.get("output"):
        show.line("\n" + result["output"] + "\n")
    why = f": {reason}" if (reason := _why(task)) else ""
    show.line(f"{task['id']}  {task['status']}{why}  {task['steps_used']} steps, "
              f"{task['tokens_used']} tokens, ${task['cost_usd']}", style="bold")


def _why(task: dict[str, Any]) -> str:
    """Return why a task ended without success, or what it waits for and how long at most."""
    waiting = task.get("waiting")
    if not waiting:
        return task.get("error") or ""
    return f"{waiting['reason']} (looks again in {show.until(waiting['until'])})"


@app.command("list")
def list_tasks(
    *,
    status: Annotated[str | None, typer.Option(help="pending, running, completed, …")] = None,
    agent: Annotated[str | None, typer.Option(help="Only this agent's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Of the page before.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """List tasks, the newest first."""
    with connect(data) as remote:
        page = remote.ask("GET", "gateway", "/tasks", params=present(
            status=status, agent=agent, limit=limit, cursor=cursor))
    if as_json:
        show.as_json(page)
        return
    show.table("", ("task", "status", "agent", "age", "steps#", "tokens#", "cost#", "why~"),
               [(t["id"], t["status"], t["agent"], show.age(t["created_at"]),
                 t["steps_used"], t["tokens_used"], f"${t['cost_usd']}", _why(t))
                for t in page["tasks"]], none="no tasks")
    if page.get("next"):
        show.line(f"more: tollgate task list --cursor {page['next']}", style="dim")


@app.command()
def get(task: Task, *, data: Data = DATA, as_json: Json = False) -> None:
    """Show a task with its answer."""
    with connect(data) as remote:
        _answer(remote.ask("GET", "gateway", f"/tasks/{task}"), as_json=as_json)


@app.command()
def steps(task: Task, *, data: Data = DATA, as_json: Json = False) -> None:
    """Show what a task did, step by step."""
    with connect(data) as remote:
        found = remote.ask("GET", "gateway", f"/tasks/{task}/steps")
    if as_json:
        show.as_json(found)
        return
    for step in found["steps"]:
        show.line(f"step {step['step']}  {step['model']}  {show.usd(step['cost_nano'])}",
                  style="bold")
        if step["text"]:
            show.line(f"  {step['text']}")
        for call in step["calls"]:
            ended = call.get("error") or call.get("result")
            show.line(f"  {call['tool']}({call['arguments']})\n    → {ended}")


@app.command()
def trace(task: Task, *, data: Data = DATA, as_json: Json = False) -> None:
    """Draw a task's calls over time, with what each cost; needs no collector."""
    from eventing.cli import task_trace

    with connect(data) as remote:
        found = remote.ask("GET", "costs", f"/v1/costs/tasks/{task}")
    if as_json:
        show.as_json(found)
    else:
        task_trace.draw(found)


@app.command()
def watch(task: Task, *, data: Data = DATA, as_json: Json = False) -> None:
    """Follow a task from its beginning to its end."""
    with connect(data) as remote:
        if as_json:
            for message in remote.follow(task):
                show.as_json({"event": message.name, "id": message.id, "data": message.data})
        else:
            _follow(remote, task, quiet=False)
        found = remote.ask("GET", "gateway", f"/tasks/{task}")
    if not as_json:
        _answer(found, as_json=False)
    raise typer.Exit(outcome(found))


@app.command()
def cancel(
    task: Task,
    *,
    reason: Annotated[str, typer.Option(help="Kept with the task.")] = "cancelled",
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """End a task now; what has run is paid."""
    with connect(data) as remote:
        found = remote.ask("DELETE", "gateway", f"/tasks/{task}", params={"reason": reason})
    _answer(found, as_json=as_json)
