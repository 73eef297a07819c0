"""Decides the next step of a task, without I/O (architecture, section 5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.agents.definition import Definition
from shared import limits
from shared.contracts import Catalogue, ToolContract, check_arguments
from shared.ids import canonical, digest
from shared.models.port import Message, ModelReply, ToolCall, ToolSpec
from shared.tasks.contract import Status
from shared.tasks.state import OpenCall, TaskState
from shared.tasks.store import Snapshot

DEADLINE = "deadline exceeded"
MAX_STEPS = "max steps reached"


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to do but to publish what a predecessor left unpublished."""


@dataclass(frozen=True, slots=True)
class Think:
    """All results are in: ask the model for this step."""

    step: int


@dataclass(frozen=True, slots=True)
class End:
    """The task is over, with what it has."""

    status: Status
    error: str | None


Move = Rest | Think | End


def plan(snapshot: Snapshot, now: float) -> Move:
    """Return what this delivery must do; the order of the tests is the order of precedence."""
    state = snapshot.state
    if state.status.final:
        return Rest()
    if snapshot.cancel is not None:
        return End(Status.CANCELLED, snapshot.cancel)
    if now >= state.deadline_at:
        return End(Status.FAILED, DEADLINE)
    if state.hops > state.hops_max:
        return End(Status.FAILED, f"more than {state.hops_max} events followed each other: a loop")
    if state.status is Status.PAUSED or snapshot.missing:
        return Rest()
    if state.step >= state.task.max_steps:
        return End(Status.COMPLETED, MAX_STEPS)
    return Rest() if now < (state.wake_at or 0) else Think(state.step + 1)


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools an agent may call, as its definition and the catalogue allow."""

    contracts: Mapping[str, ToolContract]

    @classmethod
    def of(cls, definition: Definition, catalogue: Catalogue) -> "Toolbox":
        """Return the contracts whose versions the definition accepts."""
        found = {}
        for use in definition.tools:
            contract = catalogue.tool(use.name)
            if contract and f"{contract.version}.".startswith(f"{use.version}."):
                found[use.name] = contract
        return cls(found)

    def specs(self) -> tuple[ToolSpec, ...]:
        """Return the tools as the model sees them."""
        return tuple(ToolSpec(c.name, c.description, c.input_schema)
                     for c in self.contracts.values())


def opened(state: TaskState, step: int, asked: tuple[ToolCall, ...],
           toolbox: Toolbox) -> tuple[OpenCall, ...]:
    """Return the calls of a step with their step identities, the impossible ones refused."""
    seen: dict[str, int] = {}
    calls = []
    for position, call in enumerate(asked):
        text = canonical([call.name, call.arguments if call.arguments is not None else call.raw])
        ordinal = seen[text] = seen.get(text, -1) + 1
        identity = digest([state.tenant, state.task.id, step, text, ordinal])[:32]
        contract = toolbox.contracts.get(call.name)
        calls.append(OpenCall(
            call_id=identity, model_call_id=call.id, tool=call.name,
            version=contract.version if contract else "0.0.0", arguments=call.arguments or {},
            refusal=_refusal(call, contract, toolbox, position)))
    return tuple(calls)


def _refusal(call: ToolCall, contract: ToolContract | None, toolbox: Toolbox,
             position: int) -> str | None:
    if position >= limits.TOOL_CALLS_PER_STEP_MAX:
        return f"at most {limits.TOOL_CALLS_PER_STEP_MAX} calls in one step: ask again for this one"
    if contract is None:
        return f"there is no tool {call.name!r}; there are: {', '.join(toolbox.contracts)}"
    if call.arguments is None:
        return f"the arguments are not a JSON object: {call.raw[:200]}"
    return "; ".join(check_arguments(contract, call.arguments)) or None


def tool_message(call: OpenCall, outcome: Mapping[str, Any]) -> Message:
    """Return the message by which the model learns how a call ended."""
    if error := outcome.get("error"):
        text = canonical({"error": error["code"], "message": error["message"]})
    else:
        text = canonical(outcome.get("result"))
    if len(text) > limits.RESULT_CHARS_MAX:
        text = canonical({
            "error": "result_folded", "characters": len(text),
            "beginning": text[:limits.RESULT_CHARS_MAX],
            "message": "only the beginning is shown: ask for less of it"})
    return Message(role="tool", content=text, tool_call_id=call.model_call_id)


def conversation(definition: Definition, snapshot: Snapshot,
                 history: list[dict[str, str]]) -> tuple[Message, ...]:
    """Return what the model reads: prompt, memory, the request, and the task's turns so far."""
    task = snapshot.state.task
    head = [Message(role="system", content=definition.prompt)]
    for turn in (*definition.examples, *history[-definition.memory.turns or len(history):]):
        head += [Message(role="user", content=turn["prompt"]),
                 Message(role="assistant", content=turn["output"])]
    request = f"{task.prompt}\n\nContext:\n{task.context}" if task.context else task.prompt
    return (*head, Message(role="user", content=request), *turns(snapshot))


def turns(snapshot: Snapshot) -> tuple[Message, ...]:
    """Return the task's own turns, the results of the open calls included."""
    state = snapshot.state
    answers = (tool_message(c, snapshot.results[c.call_id]) for c in state.calls)
    return (*state.messages, *answers)


def fold(messages: tuple[Message, ...], fits: Callable[[tuple[Message, ...]], bool],
         fixed: int) -> tuple[Message, ...]:
    """Return the messages within the context: the oldest turns after the first `fixed` shrink.

    Old tool results lose their text first, then whole turns go, with a note that says so.
    """
    for at in range(fixed, len(messages) - 1):
        if fits(messages):
            return messages
        if messages[at].role == "tool":
            note = canonical({"folded": f"{len(messages[at].content)} characters"})
            messages = (*messages[:at],
                        Message("tool", note, tool_call_id=messages[at].tool_call_id),
                        *messages[at + 1:])
    return _dropped(messages, fits, fixed)


def _dropped(messages: tuple[Message, ...], fits: Callable[[tuple[Message, ...]], bool],
             fixed: int) -> tuple[Message, ...]:
    head, rest = messages[:fixed], list(messages[fixed:])
    gone = 0
    while rest and not fits((*head, *rest)):
        later = [i for i, m in enumerate(rest) if i and m.role == "assistant"]
        if not later:
            break
        gone += 1
        del rest[:later[0]]
    note = (Message("user", f"[{gone} earlier turns of this task were folded]"),) if gone else ()
    return (*head, *note, *rest)


@dataclass(frozen=True, slots=True)
class Answered:
    """A model's answer with what it cost, as it is stored before the settle."""

    reply: ModelReply
    cost_nano: int


def advance(snapshot: Snapshot, step: int, answer: Answered, *, toolbox: Toolbox,
            now: float) -> TaskState:
    """Return the state after a step: calls to wait for, or the final answer."""
    state, reply = snapshot.state, answer.reply
    calls = opened(state, step, reply.tool_calls, toolbox)
    said = Message("assistant", reply.text, tool_calls=reply.tool_calls)
    grown = state.but(
        step=step, status=Status.RUNNING, calls=calls, wake_at=None, wakes=0, nudges=0,
        messages=(*turns(snapshot), said), output=reply.text or state.output,
        tokens_used=state.tokens_used + reply.usage.total,
        tool_calls=state.tool_calls + len(calls), cost_nano=state.cost_nano + answer.cost_nano)
    if calls:
        return grown
    fault = _schema_fault(state, reply.text)
    if fault is None:
        return grown.ended(Status.COMPLETED, now)
    return grown.but(resumes=state.resumes + 1, messages=(
        *grown.messages, Message("user", f"The answer does not fit its schema: {fault}")))


def _schema_fault(state: TaskState, text: str) -> str | None:
    if state.task.output_schema is None:
        return None
    import json

    from jsonschema import Draft202012Validator  # only tasks with a schema pay for it

    try:
        faults = Draft202012Validator(state.task.output_schema).iter_errors(json.loads(text))
    except ValueError as error:
        return f"not JSON: {error}"
    return next((f"{fault.json_path}: {fault.message}" for fault in faults), None)
