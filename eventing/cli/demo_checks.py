"""Judges a demo: a pure function of the facts that were collected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eventing.cli.demo_figures import figures_in


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen from outside, as the functions told it."""

    expected: Mapping[str, Decimal]
    """Figures of the answer, computed from the files without any of our code."""

    task: Mapping[str, Any]
    """`GET /tasks/{id}`."""

    records: Sequence[Mapping[str, Any]]
    """The runtime's journal: events, and functions that woke and slept."""

    functions: Sequence[Mapping[str, Any]]
    """Of the runtime's status, when all had come to rest."""

    always_on: frozenset[str]
    """Functions whose manifest has a min-scale."""

    by_agent: Mapping[str, Any]
    by_tool: Mapping[str, Any]
    by_model: Mapping[str, Any]
    """`GET /v1/costs`, grouped."""

    gaps: Mapping[str, Any]
    """`GET /v1/gaps`."""

    summary: Mapping[str, Any]
    """The ledger's `GET /v1/summary`."""

    webhook_keys: Sequence[str]
    traces: Mapping[str, frozenset[str]]
    """Functions that logged or traced the task, by trace id."""


def checks(facts: Facts) -> dict[str, bool]:
    """Return what a demo must show, and whether this one did."""
    return {
        "completed": facts.task["status"] == "completed" and not facts.task.get("error"),
        "answer_correct": _answer_correct(facts),
        "costs_equal_ledger": _costs_equal_ledger(facts),
        "sequence_gapless": _sequence_gapless(facts),
        "nothing_held": int(facts.summary["held_nano"]) == 0,
        "all_at_zero": not awake(facts.functions, facts.always_on),
        "agent_slept_while_tools_ran": slept_while_tools_ran(
            facts.records, str(facts.task["agent"]), str(facts.task["id"])),
        "webhook_once": len(set(facts.webhook_keys)) == 1 and all(facts.webhook_keys),
        "one_trace": _one_trace(facts),
    }


def _answer_correct(facts: Facts) -> bool:
    said = figures_in(answer_of(facts.task))
    return bool(facts.expected) and all(figure in said for figure in facts.expected.values())


def answer_of(task: Mapping[str, Any]) -> str:
    """Return the output of a task; empty if there is none."""
    return str((task.get("result") or {}).get("output") or "")


def _costs_equal_ledger(facts: Facts) -> bool:
    posted = int(facts.summary["posted_nano"])
    by_name = sum(int(row["cost_nano"]) for found, name in (
        (facts.by_tool, "tool"), (facts.by_model, "model"))
        for row in found["rows"] if row[name] is not None)
    by_agent = sum(int(row["cost_nano"]) for row in facts.by_agent["rows"])
    return posted == int(facts.by_agent["total_nano"]) == by_agent == by_name > 0


def _sequence_gapless(facts: Facts) -> bool:
    stored, sent = int(facts.gaps["events"]), int(facts.summary["events"])
    return bool(facts.gaps["gapless"]) and stored == sent > 0


def awake(functions: Iterable[Mapping[str, Any]], always_on: frozenset[str]) -> list[str]:
    """Return the functions that have a process although nothing asks for one."""
    return [f["name"] for f in functions if f["replicas"] and f["name"] not in always_on]


def slept_while_tools_ran(records: Iterable[Mapping[str, Any]], agent: str, task: str) -> bool:
    """Tell whether there was a moment without a process of the agent while a tool call was open."""
    running, open_calls = False, 0
    for record in sorted(records, key=lambda r: (r["time"], r["n"])):
        match record["kind"]:
            case "woke" | "slept" as kind if record["function"] == agent:
                running = kind == "woke"
            case "event" if record.get("task") == task:
                open_calls += _opens(str(record["type"]))
        if open_calls > 0 and not running:
            return True
    return False


def _opens(event_type: str) -> int:
    return {"dev.tollgate.tool.requested.v1": 1, "dev.tollgate.tool.completed.v1": -1,
            }.get(event_type, 0)


def _one_trace(facts: Facts) -> bool:
    if len(facts.traces) != 1:
        return False
    (seen,) = facts.traces.values()
    used = {r["function"] for r in facts.records if r["kind"] == "woke"}
    tools = {row["tool"] for row in facts.by_tool["rows"] if row["tool"] is not None}
    return {str(facts.task["agent"])} | (tools & used) <= seen
