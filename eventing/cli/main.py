"""Entry point of `tollgate`."""

import signal
import sys
from typing import Annotated, NoReturn

import typer

from eventing.cli import (
    budget_commands,
    budget_rerate,
    cost_commands,
    demo_command,
    doctor_command,
    export_commands,
    letter_commands,
    ready_commands,
    rollout_commands,
    secret_commands,
    send_command,
    stop_commands,
    system_commands,
    task_commands,
)
from eventing.cli.exits import Exit, Failure

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run AI agents as functions that cannot overspend.",
    epilog="Exit codes: 0 done · 1 task failed or check false · 2 wrong use · 3 nothing answers · "
           "4 denied or over budget · 130 interrupted.")


@app.callback()
def tollgate(
    _version: Annotated[bool, typer.Option(
        "--version", is_eager=True, callback=lambda asked: _tell_version(asked=asked),
        help="Show the version and exit.")] = False,
) -> None:
    """Take what stands before a command."""


def _tell_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("tollgate"))
        raise typer.Exit


for module in (system_commands, demo_command, send_command, doctor_command,
               ready_commands, stop_commands):
    module.register(app)
app.add_typer(task_commands.app, name="task", help="Give tasks to agents, and follow them.")
app.add_typer(budget_commands.app, name="budget", help="Limits of tenants, agents and sessions.")
app.add_typer(budget_rerate.app, name="ledger", help="Correct what was charged.")
app.add_typer(letter_commands.app, name="dead-letters", help="Events that nobody could handle.")
app.add_typer(rollout_commands.app, name="rollout", help="New revisions, judged by what they cost.")
app.add_typer(cost_commands.app, name="costs", help="What it cost, and whether all agree.")
app.add_typer(export_commands.app, name="export", help="Costs for accounting.")
app.add_typer(secret_commands.app, name="secrets", help="Keys that a cluster's functions need.")


def run() -> None:
    """Run the command of `sys.argv` and exit with its code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up, as after Ctrl-C
    try:
        _exit_with_words()
    except KeyboardInterrupt:  # also one that comes while a failure is being told
        sys.exit(Exit.INTERRUPTED)


def _exit_with_words() -> None:
    try:
        app()
    except Failure as failure:
        _end(failure)
    except OSError as error:  # a full disk, a file in place of a folder
        _end(Failure(Exit.USAGE, error.strerror or str(error), where=str(error.filename or "")))


def _end(failure: Failure) -> NoReturn:
    print(failure.json() if "--json" in sys.argv else failure.text(), file=sys.stderr)
    sys.exit(failure.code)


if __name__ == "__main__":
    run()
